"""An allocation that may not fail is made with a lock held.

## What it finds

An allocation with `__GFP_NOFAIL` while a lock is held, whatever the lock is.

## Why it is a bug

`__GFP_NOFAIL` makes the allocator loop until there is memory. When there is none, the OOM killer picks a task; if
that task needs the lock, it cannot die, its memory is not freed, the allocator goes on looping, and the lock is
never released. With `GFP_NOFS | __GFP_NOFAIL` the OOM killer is not even invoked. The thread "How to handle
TIF_MEMDIE stalls?" (linux-mm, February 2015) shows the three tasks. include/linux/gfp_types.h forbids the flag in
non-sleepable contexts outright.

## Bad

```c
mutex_lock(&log->lock);
item = kmem_cache_zalloc(item_cache, GFP_KERNEL | __GFP_NOFAIL);
list_add(&item->list, &log->items);
mutex_unlock(&log->lock);
```

## Good

```c
item = kmem_cache_zalloc(item_cache, GFP_KERNEL | __GFP_NOFAIL);
mutex_lock(&log->lock);
list_add(&item->list, &log->items);
mutex_unlock(&log->lock);
```

or an allocation that may fail, with the failure handed to the caller.

## How it is decided

`__GFP_NOFAIL` must be known to be set, and a lock (not merely a context such as RCU, nor protection against
freezing) must be held on a path to the allocation. The level is error when the lock is a spinning one.
Confidence is high when every path holds the lock.

## When to ignore it

When no task that needs the lock can be needed to free memory: nobody waits for it but kernel threads that hold no
memory worth freeing. This is a fact about the whole kernel; write down why.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Confidence, Finding, Function, Level, Lock, Rule, Situation


class NofailUnderLock(Rule):
    id = "GFP301"
    name = "nofail-under-lock"
    family = "nofail"
    level = Level.WARNING
    summary = "An allocation with __GFP_NOFAIL is made with a lock held."
    deadlocks = True

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            hazards = [situation for situation in allocation.situations if _locks(situation)]
            if not hazards:
                continue
            situation = min(hazards, key=lambda s: all(lock.may for lock in _locks(s)))
            locks = _locks(situation)
            atomic = [lock for lock in locks if lock.atomic]
            named = atomic[-1] if atomic else locks[-1]
            more = f" and {len(locks) - 1} more" if len(locks) > 1 else ""
            killer = "" if situation.effective.has("__GFP_FS") is not False else "; the OOM killer is not invoked"
            everywhere = len(hazards) == len(allocation.situations)
            yield function.finding(
                rule=self.id,
                level=Level.ERROR if atomic else self.level,
                allocation=allocation,
                situation=situation,
                locks=locks,
                message=f"{allocation} with {situation.effective} may not fail, so it may loop for ever with "
                f"{named}{more} {named.since}{killer}",
                confidence=Confidence.HIGH if everywhere else Confidence.MEDIUM,
            )


def _locks(situation: Situation) -> list[Lock]:
    """The locks under which the allocation may loop."""
    if situation.effective.has("__GFP_NOFAIL") is not True:
        return []
    locks = [lock for lock in situation.locks if not lock.is_context and lock.kind != "freeze"]
    return [lock for lock in locks if not lock.promised] or locks
