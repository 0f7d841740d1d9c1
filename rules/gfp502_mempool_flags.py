"""A memory pool is asked for an element with flags that it does not support.

## What it finds

A call of `mempool_alloc()` whose flags contain `__GFP_ZERO`.

## Why it is a bug

An element that comes from the pool's reserve has been used before and is handed out as it is, so it is zeroed
when there is plenty of memory and not when there is none. mm/mempool.c: "using __GFP_ZERO is not supported".

## Bad

```c
req = mempool_alloc(pool, GFP_NOIO | __GFP_ZERO);
```

## Good

```c
req = mempool_alloc(pool, GFP_NOIO);
memset(req, 0, sizeof(*req));
```

## How it is decided

The flag must be known to be set; the flags that a pool rejects come from the models (models/data/allocators.toml).

## When to ignore it

Never.
"""

from gfpcheck.rule_api import Allocation, Function, Level, Situation, SituationRule


class MempoolFlags(SituationRule):
    id = "GFP502"
    name = "mempool-flags"
    family = "allocators"
    level = Level.WARNING
    summary = "A memory pool is used with flags that it does not support."

    def problem(self, function: Function, allocation: Allocation, situation: Situation) -> str:
        allocator, flags = allocation.allocator, situation.flags
        if allocator.family != "mempool" or not flags.any_of(allocator.rejects):
            return ""
        rejected = flags.named(allocator.rejects)
        if not allocation.decides(rejected):
            return ""
        return f"{allocation} with {flags} is not supported: an element of the reserve is not affected by {rejected}"
