"""A language server: an editor's text -> findings in it.

`server` speaks with the editor and never waits for anything; `schedule` says what is looked at when; `analyst` has it
done by another process, in which `worker` runs; `look` does it; `jobs` is what the two processes say to each other.
`document` remembers what was seen.
"""
