"""A suppression suppresses nothing.

## What it finds

A comment `/* gfpcheck: ignore[RULE] reason */`, or an entry in a file of suppressions, for a finding that is not there.

## Why it is a bug

It says that the code does something dangerous for a good reason, which is not true any more. And it would suppress
the next finding in its place, for which the reason was not meant.

## Bad

```c
/* gfpcheck: ignore[GFP301] the table must grow */
p = kmalloc(size, GFP_KERNEL);
```

## Good

```c
p = kmalloc(size, GFP_KERNEL);
```

## How it is decided

The rule was run and found nothing in the lines that the suppression is for, whatever the confidence. Only in folders
that were asked for as a whole: what is found in a file may depend on the files beside it.

## When to ignore it

When the finding is there in another configuration or architecture only.
"""

from gfpcheck.rule_api import Ignore, IgnoreRule, Level


class UnusedSuppression(IgnoreRule):
    id = "GFP902"
    name = "unused-suppression"
    family = "suppressions"
    level = Level.NOTE
    summary = "A suppression suppresses nothing."

    def problem(self, ignore: Ignore) -> str:
        if not ignore.idle:
            return ""
        return f"no {' or '.join(ignore.idle)} is found here any more: remove the suppression"
