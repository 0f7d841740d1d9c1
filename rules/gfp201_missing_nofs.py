"""An allocation may enter filesystem reclaim while a lock is held that reclaim takes.

## What it finds

An allocation that may sleep and whose effective flags contain `__GFP_FS`, made with a lock held that a shrinker, an
inode eviction or another callback of memory reclaim waits for. Both sides are shown: this allocation with the
lock, and the path on which reclaim takes it.

## Why it is a bug

When memory is short the allocation itself runs reclaim, in the same task, and reclaim waits for a lock which that
task holds: it waits for itself. At run time lockdep finds it through its `fs_reclaim` map (mm/page_alloc.c), but
only for paths that were run, and not at all for semaphores and page locks.

## Bad

```c
mutex_lock(&cache->lock);               /* the shrinker takes it too */
obj = kzalloc(sizeof(*obj), GFP_KERNEL);
mutex_unlock(&cache->lock);
```

## Good

```c
mutex_lock(&cache->lock);
obj = kzalloc(sizeof(*obj), GFP_NOFS);
mutex_unlock(&cache->lock);
```

or, better, one scope for the whole section:

```c
mutex_lock(&cache->lock);
nofs = memalloc_nofs_save();
...
memalloc_nofs_restore(nofs);
mutex_unlock(&cache->lock);
```

or a trylock in the shrinker.

## How it is decided

The locks that reclaim waits for are computed from the functions stored in reclaim's function pointers
(models/data/reclaim.toml) over the call graph; trylocks make no edge, nor do locks inside an object that nobody
else can refer to any more. Locks are told apart by class, as lockdep does. `__GFP_NOLOCKDEP` says that the author
knows better. Allocations in a NOFS, NOIO or noreclaim scope are not reported. Confidence is low where it is only
asserted that the lock is held: whoever took it may have opened a scope.

## When to ignore it

When the lock of this class that is held can never be the one that reclaim takes, for a reason that classes do
not show; the kernel's own mark for that is `__GFP_NOLOCKDEP`.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Allocation, Confidence, Finding, Function, Level, Lock, ReclaimPath, Rule, Situation


class MissingNofs(Rule):
    id = "GFP201"
    name = "missing-nofs"
    family = "reclaim"
    level = Level.WARNING
    summary = "An allocation may enter reclaim, which takes a lock that is held."

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            hazards = [
                (situation, lock, path)
                for situation in allocation.situations
                for lock, path in _taken_by_reclaim(function, situation)
            ]
            if hazards:
                count = len({id(situation) for situation, _, _ in hazards})
                everywhere = count == len(allocation.situations)
                yield self._report(function, allocation, hazards[0], everywhere)

    def _report(
        self,
        function: Function,
        allocation: Allocation,
        hazard: tuple[Situation, Lock, ReclaimPath],
        everywhere: bool,
    ) -> Finding:
        situation, lock, path = hazard
        return function.finding(
            rule=self.id,
            level=self.level,
            allocation=allocation,
            situation=situation,
            locks=[lock],
            other=path.steps,
            message=f"{allocation} with {situation.effective} may enter reclaim with {lock} held since line "
            f"{lock.place.line}, and reclaim takes that lock through {path.root}",
            confidence=Confidence.MEDIUM if everywhere and lock.origin == "taken" else Confidence.LOW,
            subject=[path.root],
        )


def _taken_by_reclaim(function: Function, situation: Situation) -> Iterator[tuple[Lock, ReclaimPath]]:
    flags = situation.effective
    if situation.reclaims is not True or flags.has("__GFP_FS") is not True or flags.has("__GFP_NOLOCKDEP") is True:
        return
    for lock in reversed(situation.locks):
        path = function.reclaim_takes(lock)
        if path is not None and not lock.atomic:
            yield lock, path
