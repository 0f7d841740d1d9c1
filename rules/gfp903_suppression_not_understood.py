"""A comment that should suppress a finding cannot be understood.

## What it finds

A comment that begins with `gfpcheck:` and goes on in a way that gfpcheck does not know, or that names a rule that
does not exist.

## Why it is a bug

It suppresses nothing, or not what it was meant for.

## Bad

```c
/* gfpcheck: ignore GFP301, the table must grow */
p = kmalloc(size, GFP_KERNEL | __GFP_NOFAIL);
```

## Good

```c
/* gfpcheck: ignore[GFP301] the table must grow */
p = kmalloc(size, GFP_KERNEL | __GFP_NOFAIL);
```

## How it is decided

By the comment alone: "gfpcheck: ignore", the ids or names of rules in brackets with commas between them, the reason.

## When to ignore it

When it names a rule that is not installed here.
"""

from gfpcheck.rule_api import Ignore, IgnoreRule, Level


class SuppressionNotUnderstood(IgnoreRule):
    id = "GFP903"
    name = "suppression-not-understood"
    family = "suppressions"
    level = Level.WARNING
    summary = "A comment that should suppress a finding cannot be understood."

    def problem(self, ignore: Ignore) -> str:
        if ignore.wrong:
            return ignore.wrong
        if ignore.unknown:
            return f"no rule is called {' or '.join(ignore.unknown)}, so it suppresses nothing"
        return ""
