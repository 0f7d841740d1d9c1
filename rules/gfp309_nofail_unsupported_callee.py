"""An allocator is told not to fail and does not listen.

## What it finds

`__GFP_NOFAIL` handed to an allocator that does not honour it: the per-CPU allocator (`alloc_percpu_gfp()`,
`percpu_counter_init()`, `percpu_ref_init()`), the bulk page allocator (`alloc_pages_bulk_array()`) and the allocator of
contiguous ranges (`alloc_contig_range()`), which does not take `__GFP_NORETRY` either.

## Why it is a bug

Whoever passes `__GFP_NOFAIL` does not handle failure, and these fail all the same. pcpu_alloc() in mm/percpu.c keeps
GFP_KERNEL, `__GFP_NORETRY` and `__GFP_NOWARN` of the flags and drops the rest before it allocates. The bulk allocator
may come back with fewer pages than asked for, whatever the flags; mm/vmalloc.c takes `__GFP_NOFAIL` out before it
calls it. alloc_contig_range() fails when a page cannot be moved, for which no amount of memory is a help; since Linux
6.12 it refuses both flags with -EINVAL (mm/page_alloc.c).

## Bad

```c
dev->stats = alloc_percpu_gfp(struct dev_stats, GFP_KERNEL | __GFP_NOFAIL);
this_cpu_inc(dev->stats->resets);
```

## Good

```c
dev->stats = alloc_percpu_gfp(struct dev_stats, GFP_KERNEL);
if (!dev->stats)
        return -ENOMEM;
```

## How it is decided

The flag must be known to be set, and the models (models/data/allocators.toml) must say that the allocator rejects it.
Which flags are rejected depends on the kernel's version. A call of the bulk allocator in a loop is not reported: the
loop asks for what is missing.

## When to ignore it

When the result is tested: then the flag does nothing, and may go.
"""

from gfpcheck.rule_api import Allocation, Function, Level, Situation, SituationRule

FAMILIES = ("percpu", "bulk", "contig")


class NofailUnsupportedCallee(SituationRule):
    id = "GFP309"
    name = "nofail-unsupported-callee"
    family = "nofail"
    level = Level.WARNING
    summary = "An allocator that does not honour __GFP_NOFAIL is told not to fail."

    def problem(self, function: Function, allocation: Allocation, situation: Situation) -> str:
        if allocation.allocator.family not in FAMILIES or not situation.flags.any_of(allocation.allocator.rejects):
            return ""
        rejected = situation.flags.named(allocation.allocator.rejects)
        if not allocation.decides(rejected) or (allocation.allocator.family == "bulk" and allocation.in_loop):
            return ""
        return f"{allocation} with {situation.flags} may fail all the same: it does not support {rejected}"
