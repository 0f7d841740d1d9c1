"""A loop that tries an allocation again does not wait for memory, or waits for the wrong one.

## What it finds

A loop that is left only when its allocation has succeeded (see GFP302) and that does not call memalloc_retry_wait()
between two tries: it spins, or calls `cond_resched()`, `msleep()`, `schedule_timeout()`. And a loop that calls it
with flags that allow more than those of the allocation.

## Why it is a bug

A loop that spins takes the CPU from those who would free memory; one that sleeps for a time of its own choosing is
found by nobody who tunes reclaim. include/linux/sched/mm.h: "Any memory-allocation retry loop should use
memalloc_retry_wait(), and pass the flags for the most constrained allocation attempt that might have failed." With
flags that may sleep it waits only a moment, because the allocator has waited already; an allocation that may not
sleep, or with `__GFP_NORETRY`, has not.

## Bad

```c
do {
        ptr = kmalloc(size, GFP_NOWAIT);
        if (!ptr)
                cond_resched();
} while (!ptr);
```

## Good

```c
while (!(ptr = kmalloc(size, GFP_NOWAIT)))
        memalloc_retry_wait(GFP_NOWAIT);
```

or no loop, and `__GFP_NOFAIL`.

## How it is decided

The loops are those of GFP302. What is called on the way from a failure back to the allocation is looked at, one call
deep. Flags are compared where both are known: passing more cautious ones than the allocation has (GFP_ATOMIC, to wait
longer) is not reported. The function exists since Linux 5.17; before, nothing is.

## When to ignore it

When the loop waits for something else that frees memory, a reclaim of its own, say.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Confidence, Finding, Flags, Function, Level, RetryLoop, Rule

SINCE = (5, 17)
"""The first version with memalloc_retry_wait()."""


class RetryLoopWithoutWait(Rule):
    id = "GFP303"
    name = "retry-loop-without-wait"
    family = "nofail"
    level = Level.WARNING
    summary = "A loop retries an allocation without memalloc_retry_wait()."

    def check(self, function: Function) -> Iterator[Finding]:
        if function.kernel and function.kernel < SINCE:
            return
        for loop in function.retry_loops:
            problem = _problem(loop)
            if problem:
                first = loop.allocations[0]
                yield function.finding(
                    rule=self.id,
                    level=self.level,
                    allocation=first,
                    situation=first.situations[0],
                    message=f"{first} is retried {problem}",
                    confidence=Confidence.HIGH,
                )


def _problem(loop: RetryLoop) -> str:
    told = loop.waits_with
    if told is None:
        how = f"with {loop.waits[0]}() in between" if loop.waits else "at once"
        return f"{how}: memalloc_retry_wait() is the way to wait for memory"
    for allocation in loop.allocations:
        for situation in allocation.situations:
            if _allows_more(told, situation.flags):
                return f"with {situation.flags}, but memalloc_retry_wait() is told {told}"
    return ""


def _allows_more(told: Flags, tried: Flags) -> bool:
    """True if `told` is known to allow what `tried` is known to forbid."""
    allowed = any(
        told.has(flag) is True and tried.has(flag) is False for flag in ("__GFP_DIRECT_RECLAIM", "__GFP_IO", "__GFP_FS")
    )
    return allowed or (told.has("__GFP_NORETRY") is False and tried.has("__GFP_NORETRY") is True)
