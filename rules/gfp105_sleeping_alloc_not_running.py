"""An allocation that may sleep is made while the task is about to wait.

## What it finds

An allocation whose flags contain `__GFP_DIRECT_RECLAIM` after `set_current_state()` to something other than
TASK_RUNNING, `prepare_to_wait()` or the like, and before `schedule()`, `__set_current_state(TASK_RUNNING)` or
`finish_wait()`. The condition of `wait_event()` is such a place.

## Why it is a bug

The state says what the task waits for, and whoever sleeps sets a state of his own. When the allocator sleeps, and
comes back, the task is in TASK_RUNNING, so the `schedule()` that follows does not wait at all: a loop that should
sleep spins, or a wakeup is taken for one that came. When the state is noticed by a preemption first, the task sleeps
in the middle of an allocation until somebody wakes it for another reason. kernel/sched/core.c explains it in
`__might_sleep()`, "Blocking primitives will set (and therefore destroy) current->state", and warns, with
CONFIG_DEBUG_ATOMIC_SLEEP, "do not call blocking ops when !TASK_RUNNING", in Linux 6.1 and 6.12. drivers/usb/core/urb.c
says the same of `usb_submit_urb()`: GFP_ATOMIC if "current->state != TASK_RUNNING".

## Bad

```c
prepare_to_wait(&dev->wait, &wait, TASK_INTERRUPTIBLE);
if (!dev->request)
        dev->request = kmalloc(sizeof(*dev->request), GFP_KERNEL);
schedule();
finish_wait(&dev->wait, &wait);
```

## Good

```c
if (!dev->request)
        dev->request = kmalloc(sizeof(*dev->request), GFP_KERNEL);
prepare_to_wait(&dev->wait, &wait, TASK_INTERRUPTIBLE);
schedule();
finish_wait(&dev->wait, &wait);
```

## How it is decided

The task's state is followed on each path, through the functions called, like an allocation scope
(models/data/task_states.toml). A state that is not known counts as TASK_RUNNING. The allocation is reported in the
function that sets the state, even if it is made below. Confidence is high when the task is about to wait on every
path.

## When to ignore it

Where a wakeup that is lost or comes too early does no harm, because the loop has a timeout or tests again: say so, with
`sched_annotate_sleep()`.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Confidence, Finding, Function, Level, Rule, Scope, Situation


class SleepingAllocNotRunning(Rule):
    id = "GFP105"
    name = "sleeping-alloc-not-running"
    family = "context"
    level = Level.WARNING
    summary = "An allocation that may sleep is made while the task is about to wait."

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            hazards = [(s, state) for s in allocation.situations if (state := _waiting(s)) is not None]
            if not hazards:
                continue
            situation, state = hazards[0]
            assert state.place is not None
            everywhere = len(hazards) == len(allocation.situations)
            yield function.finding(
                rule=self.id,
                level=self.level,
                allocation=allocation,
                situation=situation,
                scopes=[state],
                message=f"{allocation} with {situation.effective} may sleep, and the task is about to wait: its state "
                f"is not TASK_RUNNING since line {state.place.line}",
                confidence=Confidence.HIGH if everywhere else Confidence.MEDIUM,
            )


def _waiting(situation: Situation) -> Scope | None:
    """The state that this function has put the task into, if the allocation may sleep and nothing else forbids it."""
    if situation.effective.sleeps is not True or any(lock.atomic and not lock.promised for lock in situation.locks):
        return None
    return next((s for s in situation.scopes if s.kind == "waiting" and s.place is not None), None)
