"""An allocator is asked for memory from a zone that it cannot give.

## What it finds

A slab allocation (`kmalloc()`, `kmem_cache_alloc()`, ...) with `__GFP_HIGHMEM` or `__GFP_DMA32`; `__get_free_pages()`
and its relatives with `__GFP_HIGHMEM`; `alloc_pages_exact()` with `__GFP_HIGHMEM` or `__GFP_COMP`.

## Why it is a bug

Slab objects and pages that are returned by address must be mapped, and highmem is not. The slab allocator takes the
flags out (GFP_SLAB_BUG_MASK in mm/internal.h) and complains: kmalloc_fix_flags() in mm/slab_common.c ends in "Fix
your code!". include/linux/gfp_types.h: "kmalloc(..., GFP_DMA32) does not return DMA32 memory because the DMA32
kmalloc cache array is not implemented", so a device that reaches 32 bits of address gets memory that it cannot reach.
alloc_pages_exact() in mm/page_alloc.c warns and clears its two.

## Bad

```c
ring = kzalloc(size, GFP_KERNEL | GFP_DMA32);
```

## Good

```c
ring = dma_alloc_coherent(dev, size, &handle, GFP_KERNEL);
```

or a page, which has a zone:

```c
page = alloc_pages(GFP_KERNEL | GFP_DMA32, order);
```

## How it is decided

The flag must be known to be set; the flags that an allocator rejects come from the models
(models/data/allocators.toml).

## When to ignore it

Never: the flag does nothing but warn.
"""

from gfpcheck.rule_api import Allocation, Function, Level, Situation, SituationRule

FAMILIES = ("slab", "page")


class ZoneFlags(SituationRule):
    id = "GFP504"
    name = "zone-flags"
    family = "allocators"
    level = Level.WARNING
    summary = "An allocation asks for a zone that its allocator cannot give."

    def problem(self, function: Function, allocation: Allocation, situation: Situation) -> str:
        allocator, flags = allocation.allocator, situation.flags
        if allocator.family not in FAMILIES or not flags.any_of(allocator.rejects):
            return ""
        rejected = flags.named(allocator.rejects)
        if not allocation.decides(rejected):
            return ""
        return f"{allocation} with {flags} does not get what {rejected} asks for: it takes the flag out and warns"
