"""An allocation may not fail and may not wait for memory either.

## What it finds

An allocation with `__GFP_NOFAIL` and without `__GFP_DIRECT_RECLAIM`: `GFP_ATOMIC | __GFP_NOFAIL`,
`GFP_NOWAIT | __GFP_NOFAIL`, or flags from which the bit was cleared.

## Why it is a bug

The allocator can keep the promise only by reclaiming memory until there is some, and may not. It warns and returns
NULL, which a caller that relies on `__GFP_NOFAIL` does not test. include/linux/gfp_types.h: the flag "_must_ be
blockable and used together with __GFP_DIRECT_RECLAIM". __alloc_pages_slowpath() in mm/page_alloc.c calls such
requests unreasonable and disregards them (Linux 6.12); Linux 6.1 fails them in the same place, the sentence in the
header is newer.

## Bad

```c
rec = kzalloc(sizeof(*rec), GFP_ATOMIC | __GFP_NOFAIL);
rec->id = id;
```

## Good

```c
rec = kzalloc(sizeof(*rec), GFP_ATOMIC);
if (!rec)
        return -ENOMEM;
rec->id = id;
```

or, where the task may sleep:

```c
rec = kzalloc(sizeof(*rec), GFP_KERNEL | __GFP_NOFAIL);
```

## How it is decided

`__GFP_NOFAIL` must be known to be set and `__GFP_DIRECT_RECLAIM` known to be clear on a path to the allocation. It is
reported in the function that writes the flags, not again in those that call it. Confidence is high when every path
to the allocation has them, medium when some do. What only charges memory to a control group goes over the limit
with the flag (try_charge_memcg() in mm/memcontrol.c) and is not reported.

## When to ignore it

Never.
"""

from gfpcheck.rule_api import Allocation, Function, Level, Situation, SituationRule


class NofailWithoutDirectReclaim(SituationRule):
    id = "GFP304"
    name = "nofail-without-direct-reclaim"
    family = "nofail"
    level = Level.ERROR
    summary = "An allocation has __GFP_NOFAIL without __GFP_DIRECT_RECLAIM."

    def problem(self, function: Function, allocation: Allocation, situation: Situation) -> str:
        flags = situation.flags
        if flags.has("__GFP_NOFAIL") is not True or flags.sleeps is not False:
            return ""
        if allocation.allocator.family == "charge" or not allocation.decides("__GFP_NOFAIL | __GFP_DIRECT_RECLAIM"):
            return ""
        return f"{allocation} with {flags} may neither fail nor wait for memory, so it fails: it returns NULL and warns"
