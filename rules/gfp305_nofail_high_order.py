"""An allocation that may not fail asks for more contiguous pages than the allocator promises.

## What it finds

`__GFP_NOFAIL` with an order of 2 or more (`alloc_pages()`, `__get_free_pages()`, `folio_alloc()`, ...), or with a
constant size that becomes such an order: more than two pages from `alloc_pages_exact()`, or more than
KMALLOC_MAX_CACHE_SIZE (two pages, too) from the `kmalloc()` family.

## Why it is a bug

There may be much free memory and no contiguous piece of it that is large enough; then the allocator reclaims and
compacts for ever. include/linux/gfp_types.h: "Allocating pages from the buddy with __GFP_NOFAIL and order > 1 is not
supported. Please consider using kvmalloc() instead." Linux 6.12 warns in __alloc_pages_slowpath() of mm/page_alloc.c
("We most definitely don't want callers attempting to allocate greater than order-1 page units with __GFP_NOFAIL"),
Linux 6.1 does so in rmqueue(), for every such allocation, and calls costly orders highly discouraged in the header.

## Bad

```c
table = kzalloc(sizeof(struct table), GFP_KERNEL | __GFP_NOFAIL);      /* sizeof is 16384 */
```

## Good

```c
table = kvzalloc(sizeof(struct table), GFP_KERNEL | __GFP_NOFAIL);
```

or a list of single pages, or an allocation that may fail.

## How it is decided

`__GFP_NOFAIL` must be known to be set, and the order or the size must be a known constant: sizes are folded from
`sizeof`, `struct_size()` of constants and arithmetic, and followed through variables and parameters. The size of a page
and KMALLOC_MAX_CACHE_SIZE are those of the tree and its architecture. Objects of a kmem_cache are not
looked at: the slab allocator falls back to its smallest order.

## When to ignore it

Never for an order; for a size, when it is that large on no machine that matters.
"""

from gfpcheck.rule_api import Allocation, Function, Level, Situation, SituationRule

HIGHEST = 1
"""The highest order that may be asked for."""


class NofailHighOrder(SituationRule):
    id = "GFP305"
    name = "nofail-high-order"
    family = "nofail"
    level = Level.ERROR
    summary = "An allocation with __GFP_NOFAIL asks for more than two contiguous pages."

    def problem(self, function: Function, allocation: Allocation, situation: Situation) -> str:
        if situation.flags.has("__GFP_NOFAIL") is not True:
            return ""
        order = _order(function, allocation, situation)
        if order is None or order <= HIGHEST or not (allocation.decides("__GFP_NOFAIL") or allocation.decides_amount):
            return ""
        size = f"{situation.size} bytes, so for " if situation.size is not None else ""
        return (
            f"{allocation} with {situation.flags} asks for {size}{1 << order} contiguous pages (order {order}) "
            "and may not fail: more than two are not supported"
        )


def _order(function: Function, allocation: Allocation, situation: Situation) -> int | None:
    """The order of the pages that the page allocator is asked for; None if that is not known, or if it is not asked."""
    family, size = allocation.allocator.family, situation.size
    if family == "page" and situation.order is not None:
        return situation.order
    page, limit = (function.constants.get(name) for name in ("PAGE_SIZE", "KMALLOC_MAX_CACHE_SIZE"))
    if size is None or size <= 0 or page is None or family not in ("page", "slab"):
        return None
    if family == "slab" and (limit is None or size <= limit):
        return None
    return ((size - 1) // page).bit_length()
