"""An allocation that may sleep is made between a preload of tree nodes and its end.

## What it finds

An allocation whose flags contain `__GFP_DIRECT_RECLAIM` between `radix_tree_preload()` (if it returned 0) or
`idr_preload()` and `radix_tree_preload_end()` or `idr_preload_end()`; and a `radix_tree_preload()` with flags that do
not let it wait for memory.

## Why it is a bug

A preload fills a per-CPU reserve of tree nodes, so that the insertion that follows needs no memory, and keeps the task
on that CPU until its end: it holds a local lock, which switches preemption off. lib/radix-tree.c says of
`radix_tree_preload()`: "On success, return zero, with preemption disabled", and of `idr_preload()`: "This function
returns with preemption disabled", in Linux 6.1 and 6.12. A task that sleeps there lets others use up the reserve, or
does not come back: "BUG: scheduling while atomic". Nothing in the name tells the reader that a lock is held.

A preload that cannot wait is pointless, because the insertion itself could be tried with the same flags;
lib/radix-tree.c warns: "Warn on non-sensical use...".

## Bad

```c
idr_preload(GFP_KERNEL);
obj = kzalloc(sizeof(*obj), GFP_KERNEL);
id = idr_alloc(&dev->idr, obj, 0, 0, GFP_NOWAIT);
idr_preload_end();
```

## Good

```c
obj = kzalloc(sizeof(*obj), GFP_KERNEL);
idr_preload(GFP_KERNEL);
spin_lock(&dev->lock);
id = idr_alloc(&dev->idr, obj, 0, 0, GFP_NOWAIT);
spin_unlock(&dev->lock);
idr_preload_end();
```

## How it is decided

The section is followed on each path like a lock, through the functions called, and with what the preload returned. The
allocation's flags must be known to contain `__GFP_DIRECT_RECLAIM`. Where a spinlock is held as well, GFP101 reports the
allocation.

## When to ignore it

Never: move the allocation, or let `idr_alloc()` have GFP_NOWAIT.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Allocation, Confidence, Finding, Function, Level, Lock, Rule, Situation


class SleepingAllocInPreloadSection(Rule):
    id = "GFP104"
    name = "sleeping-alloc-in-preload-section"
    family = "context"
    level = Level.ERROR
    summary = "An allocation that may sleep is made between a preload and its end."

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            hazards = [(s, section) for s in allocation.situations if (section := _section(s)) is not None]
            if hazards:
                situation, section = min(hazards, key=lambda hazard: hazard[1].may)
                everywhere = len(hazards) == len(allocation.situations)
                yield function.finding(
                    rule=self.id,
                    level=self.level,
                    allocation=allocation,
                    situation=situation,
                    locks=[section],
                    message=f"{allocation} with {situation.effective} may sleep in the preload section that line "
                    f"{section.place.line} began",
                    confidence=Confidence.HIGH if everywhere else Confidence.MEDIUM,
                )
            elif _pointless(allocation):
                situation = allocation.situations[0]
                yield function.finding(
                    rule=self.id,
                    level=Level.WARNING,
                    allocation=allocation,
                    situation=situation,
                    message=f"{allocation} with {situation.flags} cannot wait for the memory that it is to put aside",
                    subject=["pointless"],
                )


def _section(situation: Situation) -> Lock | None:
    """The preload section that the allocation may sleep in, if nothing else forbids it to sleep."""
    if situation.effective.sleeps is not True:
        return None
    atomic = [lock for lock in situation.locks if lock.atomic and not lock.promised]
    return atomic[-1] if atomic and all(lock.kind == "preload" for lock in atomic) else None


def _pointless(allocation: Allocation) -> bool:
    """True for a preload that warns about its flags, if they are chosen here."""
    needs = allocation.allocator.needs
    return (
        allocation.allocator.family == "preload"
        and bool(needs)
        and allocation.decides(needs)
        and all(situation.flags.lacks(needs) for situation in allocation.situations)
    )
