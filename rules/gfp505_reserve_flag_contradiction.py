"""An allocation is both let into the emergency reserves and kept out of them.

## What it finds

An allocation with `__GFP_MEMALLOC` and `__GFP_NOMEMALLOC`.

## Why it is a bug

One of the two is not meant. include/linux/gfp_types.h says of `__GFP_NOMEMALLOC` that it "takes precedence over the
%__GFP_MEMALLOC flag if both are set": whoever relies on the reserves, to swap over a network or to exit, does not
get them.

## Bad

```c
gfp_t gfp = GFP_ATOMIC | __GFP_NOMEMALLOC;

if (sk_memalloc(sk))
        gfp |= __GFP_MEMALLOC;
skb = alloc_skb(size, gfp);
```

## Good

```c
gfp_t gfp = GFP_ATOMIC;

gfp |= sk_memalloc(sk) ? __GFP_MEMALLOC : __GFP_NOMEMALLOC;
skb = alloc_skb(size, gfp);
```

## How it is decided

Both flags must be known to be set on a path to the allocation. It is reported in the function that writes
`__GFP_NOMEMALLOC`, and only if that one knows of the other flag: a helper that first tries without the reserves,
whatever its caller may do, knows what it does.

## When to ignore it

Hardly ever. Remove one of the flags.
"""

from gfpcheck.rule_api import Allocation, Function, Level, Situation, SituationRule

BOTH = "__GFP_MEMALLOC | __GFP_NOMEMALLOC"


class ReserveFlagContradiction(SituationRule):
    id = "GFP505"
    name = "reserve-flag-contradiction"
    family = "allocators"
    level = Level.WARNING
    summary = "An allocation has both __GFP_MEMALLOC and __GFP_NOMEMALLOC."

    def problem(self, function: Function, allocation: Allocation, situation: Situation) -> str:
        if situation.flags.has(BOTH) is not True or not allocation.decides("__GFP_NOMEMALLOC"):
            return ""
        return (
            f"{allocation} with {situation.flags} gets no emergency reserves: __GFP_NOMEMALLOC wins over __GFP_MEMALLOC"
        )
