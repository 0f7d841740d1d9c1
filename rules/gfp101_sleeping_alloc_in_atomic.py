"""An allocation that may sleep is made where the task may not sleep.

## What it finds

An allocation whose flags contain `__GFP_DIRECT_RECLAIM` (`GFP_KERNEL`, `GFP_NOFS`, `GFP_NOIO`, ...), or an
allocator that has no flags and uses `GFP_KERNEL` (`vmalloc()`, `kthread_create()`, ...), while a spinlock, raw
spinlock, rwlock, bit spinlock, seqlock write section or local lock is held, in an RCU read-side critical
section, or with interrupts, softirqs or preemption off.

## Why it is a bug

Such an allocation may wait for memory to be freed. A task that sleeps with a spinlock held lets every other
CPU that wants the lock spin, for ever if one of them is needed to free the memory. The kernel says so at run
time when CONFIG_DEBUG_ATOMIC_SLEEP is on, on the paths that are run: "BUG: sleeping function called from invalid
context". `might_alloc()` in include/linux/sched/mm.h states the condition.

## Bad

```c
spin_lock(&q->lock);
req = kmalloc(sizeof(*req), GFP_KERNEL);
spin_unlock(&q->lock);
```

## Good

```c
req = kmalloc(sizeof(*req), GFP_KERNEL);
if (!req)
        return -ENOMEM;
spin_lock(&q->lock);
```

or, where the allocation cannot move and failure is handled, `GFP_NOWAIT` or `GFP_ATOMIC`.

## How it is decided

The locks held are followed on each path, with the return conventions of the conditional ones. The flags are
followed through variables and conditions; a finding needs `__GFP_DIRECT_RECLAIM` to be known to be set. Confidence is
high when every path to the allocation is atomic, medium when some are; low when the function surely sleeps for
something else under the same lock, so that it must be believed not to be held there.

## When to ignore it

When the path cannot be taken for a reason that the function does not show.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Allocation, Confidence, Finding, Function, Level, Lock, Rule, Situation


class SleepingAllocInAtomic(Rule):
    id = "GFP101"
    name = "sleeping-alloc-in-atomic"
    family = "context"
    level = Level.ERROR
    summary = "An allocation that may sleep is made in atomic context."

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            hazards = [situation for situation in allocation.situations if _atomic(situation)]
            if hazards:
                yield self._report(function, allocation, hazards)

    def _report(self, function: Function, allocation: Allocation, hazards: list[Situation]) -> Finding:
        situation = min(hazards, key=lambda s: all(lock.may for lock in _atomic(s)))
        locks = _atomic(situation)
        named = next((lock for lock in reversed(locks) if not lock.is_context), locks[-1])
        where = "in the" if named.is_context else "with"
        state = "entered" if named.is_context else "held since"
        sure = Confidence.HIGH if len(hazards) == len(allocation.situations) else Confidence.MEDIUM
        return function.finding(
            rule=self.id,
            level=self.level,
            allocation=allocation,
            situation=situation,
            locks=[named],
            message=f"{allocation} with {situation.effective} may sleep {where} {named} "
            f"{state} {'in ' if named.is_context else ''}line {named.place.line}",
            confidence=sure if function.sleep_under(named) is None else Confidence.LOW,
        )


def _atomic(situation: Situation) -> list[Lock]:
    """The locks and contexts that forbid to sleep, if the allocation may sleep. What a function is promised at entry
    is GFP102's, a preload section by itself GFP104's."""
    if situation.effective.sleeps is not True:
        return []
    return [lock for lock in situation.locks if lock.atomic and not lock.promised and lock.kind != "preload"]
