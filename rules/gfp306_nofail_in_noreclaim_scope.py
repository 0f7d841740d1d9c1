"""An allocation that may not fail is made where the task may not reclaim memory.

## What it finds

An allocation with `__GFP_NOFAIL` between `memalloc_noreclaim_save()` and `memalloc_noreclaim_restore()`, or while the
code itself has set PF_MEMALLOC in the task's flags.

## Why it is a bug

In such a scope the allocator does not reclaim, because the task is itself freeing memory. It takes what is left of
the emergency reserves; when these are gone, it waits for somebody else to free memory, and the task that holds the
reserves is the one that should. mm/page_alloc.c warns: "PF_MEMALLOC request from this context is rather bizarre
because we cannot reclaim anything and only can loop waiting for somebody to do a work for us", in Linux 6.1 and 6.12.

## Bad

```c
noreclaim = memalloc_noreclaim_save();
entry = kmem_cache_alloc(entry_cache, GFP_NOIO | __GFP_NOFAIL);
write_out(entry);
memalloc_noreclaim_restore(noreclaim);
```

## Good

```c
noreclaim = memalloc_noreclaim_save();
entry = mempool_alloc(entry_pool, GFP_NOIO);
write_out(entry);
memalloc_noreclaim_restore(noreclaim);
```

or an allocation that may fail.

## How it is decided

The scopes open are followed on each path, together with what the functions called open and close and with direct
assignments to the task's flags. `__GFP_NOFAIL` must be known to be set. It is reported where scope and flag meet: at
the call that leads to the allocation, in the function that opened the scope.

## When to ignore it

Never: keep a reserve for such code.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Allocation, Confidence, Finding, Function, Level, Rule, Scope, Situation


class NofailInNoreclaimScope(Rule):
    id = "GFP306"
    name = "nofail-in-noreclaim-scope"
    family = "nofail"
    level = Level.ERROR
    summary = "An allocation with __GFP_NOFAIL is made in a noreclaim scope."

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            hazards = [
                (situation, scope)
                for situation in allocation.situations
                if (scope := _scope(allocation, situation)) is not None
            ]
            if hazards:
                situation, scope = hazards[0]
                where = f", opened in line {scope.place.line}" if scope.place is not None else ""
                everywhere = len(hazards) == len(allocation.situations)
                yield function.finding(
                    rule=self.id,
                    level=self.level,
                    allocation=allocation,
                    situation=situation,
                    scopes=[scope],
                    message=f"{allocation} with {situation.effective} may not fail and may not reclaim memory: "
                    f"it is in a {scope}{where}",
                    confidence=Confidence.HIGH if everywhere else Confidence.MEDIUM,
                )


def _scope(allocation: Allocation, situation: Situation) -> Scope | None:
    """The noreclaim scope that is in the way, if it and the flag meet in this function."""
    if situation.flags.has("__GFP_NOFAIL") is not True:
        return None
    for scope in situation.scopes:
        met = scope.place is not None or (scope.below and allocation.decides("__GFP_NOFAIL"))
        if scope.kind == "noreclaim" and met:
            return scope
    return None
