"""A loop tries an allocation again until it succeeds.

## What it finds

A loop that is left only when its allocation has succeeded: every path on which the allocation fails leads
back to it. A loop that gives up (on a fatal signal, after a number of tries, at a deadline, on shutdown) is a
policy and is not reported. An exit on a condition that cannot change while the loop runs, such as a flag
passed by the caller, is no way out for the callers that do not pass it; the message names it.

## Why it is a bug

It is `__GFP_NOFAIL` hidden from the allocator: the allocator does not know that failing is pointless, so the caller
gets no access to reserves, nobody can count such requests, and the loop may run under locks that the OOM
killer's victim waits for. include/linux/gfp_types.h: using the flag "is definitely preferable" to an open-coded
endless loop around the allocator.

## Bad

```c
do {
        ptr = kmalloc(size, GFP_NOFS);
        if (!ptr)
                cond_resched();
} while (!ptr);
```

## Good

```c
ptr = kmalloc(size, GFP_NOFS | __GFP_NOFAIL);
```

or an error path; or a loop that gives up:

```c
while (!(ptr = kmalloc(size, GFP_KERNEL))) {
        if (fatal_signal_pending(current))
                return -EINTR;
        memalloc_retry_wait(GFP_KERNEL);
}
```

## How it is decided

From each allocation in a loop the paths on which it fails, together with every other allocation of the loop, are
followed. The loop is reported if all of them come back to the allocation. Exits on anything that can change between
two rounds (a call's result, memory, a variable that the loop assigns) count as a policy.

## When to ignore it

Hardly ever; where the loop must stay, say so with `__GFP_NOFAIL` instead.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Confidence, Finding, Function, Level, Rule


class OpenCodedNofailLoop(Rule):
    id = "GFP302"
    name = "open-coded-nofail-loop"
    family = "nofail"
    level = Level.WARNING
    summary = "A loop retries an allocation for ever instead of using __GFP_NOFAIL."
    deadlocks = True

    def check(self, function: Function) -> Iterator[Finding]:
        for loop in function.retry_loops:
            first = loop.allocations[0]
            names = " and ".join(dict.fromkeys(f"{allocation.name}()" for allocation in loop.allocations))
            unless = f" unless {' or '.join(loop.unless)}" if loop.unless else ""
            wait = f", calling {loop.waits[0]}() in between" if loop.waits else ", without a pause"
            situation = first.situations[0]
            locks = [lock for lock in situation.locks if not lock.is_context and not lock.may]
            yield function.finding(
                rule=self.id,
                level=self.level,
                allocation=first,
                situation=situation,
                locks=locks,
                message=f"{names} {'are' if ' and ' in names else 'is'} retried until there is memory{unless}{wait}: "
                "__GFP_NOFAIL in disguise",
                confidence=Confidence.HIGH,
            )
