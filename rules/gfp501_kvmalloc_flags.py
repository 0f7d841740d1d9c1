"""Virtually contiguous memory is asked for with flags that its allocator does not support.

## What it finds

A call of the `kvmalloc()` family without `__GFP_DIRECT_RECLAIM` (`GFP_ATOMIC`, `GFP_NOWAIT`) or with `__GFP_NORETRY`; a
call of the `__vmalloc()` family without `__GFP_DIRECT_RECLAIM`, or with `__GFP_NORETRY`, `__GFP_RETRY_MAYFAIL` or
`__GFP_HIGHMEM`, which it adds itself.

## Why it is a bug

vmalloc() allocates page tables with flags of its own, so a mask that is tighter than GFP_KERNEL does not hold.
`kvmalloc()` falls back to it for more than a page, and with flags that may not sleep it returns NULL instead:
mm/util.c says that "GFP_NOWAIT and GFP_ATOMIC are not supported, neither is the __GFP_NORETRY modifier". The comment
at __vmalloc_node_range() in mm/vmalloc.c says the same of vmalloc, and of zone modifiers; `GFP_DMA` and
`GFP_DMA32` are heeded all the same, for vmalloc_32(). So the call does what `kmalloc()` does, or sleeps where it must
not.

## Bad

```c
table = kvmalloc(size, GFP_ATOMIC);
```

## Good

```c
table = kvmalloc(size, GFP_KERNEL);     /* where the task may sleep */
```

or, where it may not:

```c
table = kmalloc(size, GFP_ATOMIC);
```

## How it is decided

The flags needed and rejected come from the models (models/data/allocators.toml), by kernel version: from Linux 7.0 on
vmalloc honours flags that do not sleep, and only the others are reported.

## When to ignore it

When the size is at most a page, so that `kvmalloc()` is `kmalloc()`; write `kmalloc()` then.
"""

from gfpcheck.rule_api import Allocation, Function, Level, Situation, SituationRule

FAMILIES = ("kvmalloc", "vmalloc")


class KvmallocFlags(SituationRule):
    id = "GFP501"
    name = "kvmalloc-flags"
    family = "allocators"
    level = Level.WARNING
    summary = "A kvmalloc() or vmalloc() call has flags that are not supported."

    def problem(self, function: Function, allocation: Allocation, situation: Situation) -> str:
        allocator, flags = allocation.allocator, situation.flags
        if allocator.family not in FAMILIES or not allocator.takes_flags:
            return ""
        if flags.lacks(allocator.needs) and allocation.decides(allocator.needs):
            return f"{allocation} with {flags} is not supported: it needs {allocator.needs}"
        if flags.any_of(allocator.rejects) and allocation.decides(flags.named(allocator.rejects)):
            return f"{allocation} with {flags} is not supported: it does not take {flags.named(allocator.rejects)}"
        return ""
