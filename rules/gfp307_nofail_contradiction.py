"""An allocation may not fail and is told to give up.

## What it finds

An allocation with `__GFP_NOFAIL` together with `__GFP_NORETRY` or `__GFP_RETRY_MAYFAIL`.

## Why it is a bug

The three are alternatives: include/linux/gfp_types.h lists them as the modifiers of which one overrides the allocator's
default, and asks of the last two that "the caller must handle failure". `__GFP_NOFAIL` wins, but not without harm:
with `__GFP_NORETRY` each round goes without the OOM killer and most of reclaim, and `__GFP_RETRY_MAYFAIL` keeps
the OOM killer away (`__alloc_pages_may_oom()` in mm/page_alloc.c), so that the loop may wait for memory which nobody
frees.

## Bad

```c
buf = kmalloc(size, GFP_KERNEL | __GFP_NOFAIL | __GFP_RETRY_MAYFAIL);
```

## Good

```c
buf = kmalloc(size, GFP_KERNEL | __GFP_NOFAIL);
```

or, if the failure can be handled:

```c
buf = kmalloc(size, GFP_KERNEL | __GFP_RETRY_MAYFAIL);
if (!buf)
        return -ENOMEM;
```

## How it is decided

`__GFP_NOFAIL` and one of the other two must be known to be set on a path to the allocation. It is reported in the
function that writes the flags, not again in those that call it.

## When to ignore it

Hardly ever. Remove one of the flags.
"""

from gfpcheck.rule_api import Allocation, Function, Level, Situation, SituationRule

OTHERS = "__GFP_NORETRY | __GFP_RETRY_MAYFAIL"


class NofailContradiction(SituationRule):
    id = "GFP307"
    name = "nofail-contradiction"
    family = "nofail"
    level = Level.WARNING
    summary = "An allocation has __GFP_NOFAIL and a flag that says that it may fail."

    def problem(self, function: Function, allocation: Allocation, situation: Situation) -> str:
        flags = situation.flags
        if flags.has("__GFP_NOFAIL") is not True or not flags.any_of(OTHERS):
            return ""
        contradiction = flags.named(OTHERS)
        if not allocation.decides(f"__GFP_NOFAIL | {contradiction}"):
            return ""
        return f"{allocation} with {flags} may not fail, and {contradiction} says that its caller handles failure"
