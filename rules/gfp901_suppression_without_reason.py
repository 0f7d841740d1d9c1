"""A comment suppresses a finding and does not say why.

## What it finds

A comment `/* gfpcheck: ignore[RULE] */` with no words after the bracket. It suppresses all the same.

## Why it is a bug

Whoever reads the code next cannot know whether the finding was understood or only silenced, nor when the reason
has ceased to hold.

## Bad

```c
p = kmalloc(size, GFP_KERNEL | __GFP_NOFAIL); /* gfpcheck: ignore[GFP301] */
```

## Good

```c
/* gfpcheck: ignore[GFP301] at boot, before anything else can hold memory */
p = kmalloc(size, GFP_KERNEL | __GFP_NOFAIL);
```

## How it is decided

By the comment alone. In a file of suppressions the reason is a key that must be there.

## When to ignore it

Never: write the reason, or remove the comment.
"""

from gfpcheck.rule_api import Ignore, IgnoreRule, Level


class SuppressionWithoutReason(IgnoreRule):
    id = "GFP901"
    name = "suppression-without-reason"
    family = "suppressions"
    level = Level.WARNING
    summary = "A comment suppresses a finding and does not say why."

    def problem(self, ignore: Ignore) -> str:
        if ignore.reason or ignore.wrong:
            return ""
        return f"{' and '.join(ignore.rules)} suppressed without a reason: write it behind the bracket"
