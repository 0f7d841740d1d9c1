"""Lockdep is told to look away, and nobody is told why.

## What it finds

An allocation with `__GFP_NOLOCKDEP` in a function that has no comment, above it or on the way to the allocation, that
speaks of lockdep, of reclaim, of recursion or of a deadlock. Off by default: `--select GFP603`.

## Why it is a bug

The flag takes the allocation out of what lockdep checks: __need_reclaim() in mm/page_alloc.c returns before it looks at
anything else. It is the kernel's mark for a report that is known to be false, because a lock's class is taken
below reclaim for other objects than this one. Whether that is still so after the next change can be told only by who
knows the reason; without it the flag also hides the reports that are true.

## Bad

```c
buf = kmalloc(size, GFP_KERNEL | __GFP_NOLOCKDEP);
```

## Good

```c
/*
 * The inode is locked and referenced, so reclaim cannot get at it: lockdep
 * takes the lock for that of an inode under reclaim.
 */
buf = kmalloc(size, GFP_KERNEL | __GFP_NOLOCKDEP);
```

## How it is decided

The flag must be known to be set, and be set in this function. The comment may stand directly above the function, in
it before the allocation, or beside the statement.

## When to ignore it

Where the reason is well known to all who work on the code, as it is for all of XFS.
"""

import re

from gfpcheck.rule_api import Allocation, Function, Level, Situation, SituationRule

REASON = re.compile(r"lockdep|reclaim|recurs|deadlock|dead lock|false positive", re.IGNORECASE)


class NolockdepWithoutReason(SituationRule):
    id = "GFP603"
    name = "nolockdep-without-reason"
    family = "style"
    level = Level.NOTE
    summary = "An allocation has __GFP_NOLOCKDEP and no comment says why."
    default = False

    def problem(self, function: Function, allocation: Allocation, situation: Situation) -> str:
        if situation.flags.has("__GFP_NOLOCKDEP") is not True or not allocation.decides("__GFP_NOLOCKDEP"):
            return ""
        if REASON.search(function.comments_before(allocation.place)):
            return ""
        return f"{allocation} with {situation.flags} is hidden from lockdep, and no comment here says why"
