"""A function is given allocation flags and allocates with flags of its own.

## What it finds

A function with a `gfp_t` parameter that calls an allocator with flags written there and then, which allow what the
caller may have forbidden: `GFP_KERNEL` where the parameter may lack `__GFP_DIRECT_RECLAIM`, `__GFP_IO` or `__GFP_FS`.

## Why it is a bug

The parameter is the caller's word on what it may do: sleep, start IO, enter a filesystem. A caller that holds a
spinlock and passes GFP_ATOMIC sleeps all the same ("BUG: sleeping function called from invalid context"), one that
passes GFP_NOFS enters the filesystem whose locks it holds. might_alloc() of include/linux/sched/mm.h tells at run
time, gfp_t of include/linux/gfp_types.h is documented as the caller's context.

## Bad

```c
struct item *item_alloc(struct pool *pool, gfp_t gfp)
{
        struct item *item = kmem_cache_alloc(pool->cache, gfp);

        item->buf = kmalloc(pool->size, GFP_KERNEL);
        ...
}
```

## Good

```c
        item->buf = kmalloc(pool->size, gfp);
```

or a function without the parameter.

## How it is decided

All flags of the allocation must be known constants, so that they cannot come from the parameter, and the parameter
must not be known to contain those of the three flags that they contain: after `if (gfpflags_allow_blocking(gfp))`
GFP_KERNEL may wait. A function called that is told of the parameter answers for itself. Where the function goes one
way or another by its parameter, it may well choose its flags so, and confidence is low. Allocators whose flags are
fixed are not looked at. The rule is off by default: on real kernels it found little, and mostly parameters for which
every caller passes GFP_KERNEL.

## When to ignore it

When the parameter is meant for something else: for the pages of a mapping, say, while the function itself may always
sleep."""

from gfpcheck.rule_api import Allocation, Confidence, Function, Level, Situation, SituationRule

CONTEXT = ("__GFP_DIRECT_RECLAIM", "__GFP_IO", "__GFP_FS")
"""What a caller may forbid."""


class GfpParameterIgnored(SituationRule):
    id = "GFP506"
    name = "gfp-parameter-ignored"
    family = "allocators"
    level = Level.NOTE
    summary = "A function is given allocation flags and allocates with less cautious ones of its own."
    default = False

    def confidence(self, function: Function, everywhere: bool) -> Confidence:
        return Confidence.LOW if function.tests_flags else super().confidence(function, everywhere)

    def problem(self, function: Function, allocation: Allocation, situation: Situation) -> str:
        given = situation.given
        if given is None or not allocation.allocator.takes_flags or not situation.flags.known:
            return ""
        if allocation.via and allocation.told:
            return ""  # what becomes of them there is for the function called to answer
        asked = situation.effective
        if asked.sleeps is not True or not allocation.decides("__GFP_DIRECT_RECLAIM"):
            return ""
        more = [flag for flag in CONTEXT if asked.has(flag) is True and given.has(flag) is not True]
        if not more:
            return ""
        lacking = f"which may lack {more[0]}"
        return f"{allocation} with {situation.flags} ignores the flags that {function.name}() is given, {lacking}"
