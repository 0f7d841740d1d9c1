"""An allocation that may sleep is made in a callback that is called where the task may not sleep.

## What it finds

An allocation whose flags contain `__GFP_DIRECT_RECLAIM` (`GFP_KERNEL`, `GFP_NOFS`, ...), or an allocator that has no
flags and uses `GFP_KERNEL`, in a function that is called in atomic context because of where it is registered: an
interrupt handler, a timer's or tasklet's function, an RCU callback, the completion of a bio or an URB,
`ndo_start_xmit`, a netfilter hook and the like, or a method of an operations table that is called with a spinlock held
or in an RCU read-side critical section. The allocation may lie in a function that the callback calls.

## Why it is a bug

Nothing in the callback says that it may not sleep, and under a light load the allocator does not sleep, so the
mistake survives testing. When it does sleep it does so in somebody else's interrupt, or with softirqs off:
"BUG: scheduling while atomic". drivers/usb/core/urb.c (usb_submit_urb) spells out which callbacks must use GFP_ATOMIC;
Documentation/filesystems/locking.rst has the methods of filesystems that may not block.

## Bad

```c
static void watchdog_expired(struct timer_list *t)
{
        struct event *event = kmalloc(sizeof(*event), GFP_KERNEL);
        ...
}

timer_setup(&dev->watchdog, watchdog_expired, 0);
```

## Good

```c
static void watchdog_expired(struct timer_list *t)
{
        struct event *event = kmalloc(sizeof(*event), GFP_ATOMIC);
        ...
}
```

or, where the work is long, a work item that the callback queues and that allocates with `GFP_KERNEL`.

## How it is decided

Data says which arguments of which functions, and which members of which structures, hold functions that are called in
atomic context (models/data/callbacks.toml). A function stored there, in an initialiser or by an assignment, or given as
such an argument, directly or through a wrapper, starts in that context; the finding shows where. The thread function of
a threaded interrupt and work items may sleep. Where the callback itself takes a spinning lock around the allocation,
that is GFP101. If it surely sleeps for something else as well, confidence is low: then it is hardly called like that.

## When to ignore it

When the callback asks for its context by a condition that the analysis does not know, or is registered in a way
that has it called in process context only.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Allocation, Confidence, Finding, Function, Level, Lock, Rule, Situation


class SleepingAllocInAtomicCallback(Rule):
    id = "GFP102"
    name = "sleeping-alloc-in-atomic-callback"
    family = "context"
    level = Level.ERROR
    summary = "An allocation that may sleep is made in a callback that runs in atomic context."

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            hazards = [situation for situation in allocation.situations if _promised(situation)]
            if hazards and not any(_own(situation) for situation in allocation.situations):
                yield self._report(function, allocation, hazards)

    def _report(self, function: Function, allocation: Allocation, hazards: list[Situation]) -> Finding:
        situation = min(hazards, key=lambda s: all(lock.may for lock in _promised(s)))
        lock = _promised(situation)[0]
        place = lock.place
        where = f"in line {place.line}" if place.file == function.file else f"at {place.file}:{place.line}"
        sure = Confidence.HIGH if len(hazards) == len(allocation.situations) else Confidence.MEDIUM
        return function.finding(
            rule=self.id,
            level=self.level,
            allocation=allocation,
            situation=situation,
            locks=[lock],
            message=f"{allocation} with {situation.effective} may sleep, and {function.name}() is called "
            f"{lock.during}: it is {lock.because} {where}",
            confidence=sure if function.sleep_under(lock) is None else Confidence.LOW,
        )


def _promised(situation: Situation) -> list[Lock]:
    """What forbids to sleep from the function's entry on, if the allocation may sleep."""
    if situation.effective.sleeps is not True:
        return []
    return [lock for lock in situation.locks if lock.atomic and lock.promised]


def _own(situation: Situation) -> bool:
    """True if the code itself forbids to sleep here: that is for GFP101 to report."""
    return situation.effective.sleeps is True and any(lock.atomic and not lock.promised for lock in situation.locks)
