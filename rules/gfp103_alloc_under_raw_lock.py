"""Memory is allocated where not even a PREEMPT_RT kernel lets other tasks run.

## What it finds

An allocation with any flags, `GFP_ATOMIC` and `GFP_NOWAIT` included, while a raw spinlock or a bit spinlock is held,
or with interrupts or preemption switched off by itself (`local_irq_save()`, `preempt_disable()`, `get_cpu()`) rather
than by a spinlock.

## Why it is a bug

With PREEMPT_RT a spinlock is a lock that sleeps, and the allocator takes such locks. Raw spinlocks, bit spinlocks and
sections with interrupts or preemption off stay what they are, so the allocator cannot be called there, whatever its
flags are. Documentation/locking/locktypes.rst says so of `raw_spin_lock()` around `kmalloc(GFP_ATOMIC)`: "this code
fails on PREEMPT_RT kernels because the memory allocator is fully preemptible and therefore cannot be invoked from
truly atomic contexts". include/linux/gfp_types.h says of GFP_ATOMIC: "The current implementation doesn't support NMI
and few other strict non-preemptive contexts (e.g. raw_spin_lock)". Both stand in Linux 6.1 and in 6.12.

## Bad

```c
raw_spin_lock_irqsave(&chip->lock, flags);
entry = kmalloc(sizeof(*entry), GFP_ATOMIC);
raw_spin_unlock_irqrestore(&chip->lock, flags);
```

## Good

```c
entry = kmalloc(sizeof(*entry), GFP_KERNEL);
raw_spin_lock_irqsave(&chip->lock, flags);
list_add(&entry->list, &chip->entries);
raw_spin_unlock_irqrestore(&chip->lock, flags);
```

or, if the section may be preempted on PREEMPT_RT, a `spinlock_t`.

## How it is decided

The locks held are followed on each path; whether a lock is raw is told by its type. Interrupts or softirqs that a
`spinlock_t` switches off do not count: on PREEMPT_RT they stay on. Nor does kmap_atomic(), which leaves
preemption on there, nor the context that a callback is called in: most interrupt handlers run in threads there. Where
the allocation may sleep, GFP101 reports it for every kernel. The code is read as it is compiled without PREEMPT_RT:
that it does something else there, as mm/slub.c does, is not seen. The rule is off by default, because it is no bug on
a kernel without PREEMPT_RT.

## When to ignore it

In code that no PREEMPT_RT kernel runs: an architecture without it, boot code with one CPU and no tasks.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Confidence, Finding, Function, Level, Lock, Rule, Situation


class AllocUnderRawLock(Rule):
    id = "GFP103"
    name = "alloc-under-raw-lock"
    family = "context"
    level = Level.WARNING
    summary = "Memory is allocated where a PREEMPT_RT kernel cannot be preempted."
    default = False

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            hazards = [(situation, lock) for situation in allocation.situations for lock in _raw(situation)[-1:]]
            if not hazards:
                continue
            situation, lock = min(hazards, key=lambda hazard: hazard[1].may)
            state = f"in a {lock}, entered in" if lock.is_context else f"with {lock} held since"
            everywhere = len(hazards) == len(allocation.situations)
            yield function.finding(
                rule=self.id,
                level=self.level,
                allocation=allocation,
                situation=situation,
                locks=[lock],
                message=f"{allocation} with {situation.effective} takes locks that sleep on PREEMPT_RT, {state} "
                f"line {lock.place.line}",
                confidence=Confidence.HIGH if everywhere else Confidence.MEDIUM,
            )


def _raw(situation: Situation) -> list[Lock]:
    """The locks and contexts in which PREEMPT_RT cannot be preempted, if the flags are those of an atomic context."""
    if situation.effective.sleeps is not False:
        return []
    softened = {(lock.place, lock.via) for lock in situation.locks if lock.kind in ("spin", "rwlock", "local_lock")}
    return [
        lock
        for lock in situation.locks
        if lock.kind in ("raw_spin", "bit_spin")
        or (lock.kind in ("irq", "preempt") and not lock.promised and (lock.place, lock.via) not in softened)
    ]
