"""An allocation without `__GFP_FS` is made with a lock held that reclaim takes all the same.

## What it finds

An allocation that may sleep, with `GFP_NOFS` or `GFP_NOIO` or in a scope that says so, made with a lock held that a
shrinker or another callback of reclaim waits for whatever the flags are. Both sides are shown.

## Why it is a bug

`GFP_NOFS` does not keep an allocation out of reclaim: it is a request to the callbacks of reclaim to stay out of the
file system, and each has to look at it. Those of the page cache and of super blocks do (super_cache_scan() of
fs/super.c), but do_shrink_slab() of mm/shrinker.c calls every registered shrinker with whatever flags the allocation
has. A shrinker that takes a lock without a look at `sc->gfp_mask` deadlocks below its holder, `GFP_NOFS` or not.

## Bad

```c
static unsigned long cache_scan(struct shrinker *shrink, struct shrink_control *sc)
{
        mutex_lock(&cache->lock);       /* no look at sc->gfp_mask */
        ...
}

mutex_lock(&cache->lock);
obj = kzalloc(sizeof(*obj), GFP_NOFS);  /* meant to be safe */
mutex_unlock(&cache->lock);
```

## Good

```c
        if (!(sc->gfp_mask & __GFP_FS))
                return SHRINK_STOP;
        mutex_lock(&cache->lock);
```

or a trylock in the shrinker, or an allocation outside the lock.

## How it is decided

The locks that reclaim waits for are found as for GFP201. For each, the values that `sc->gfp_mask` can have where the
shrinker, or a function that it hands the mask on to, takes the lock are computed: if `__GFP_FS` (or `__GFP_IO`) is
always set there, an allocation without it does not come there. The names of the shrinkers do not matter, nor how the
test is written. Confidence as for GFP201.

## When to ignore it

When the object that the shrinker locks can never be the one that the allocating task has locked, as for GFP201.
"""

from gfpcheck.rule_api import Allocation, Flags, Level, Lock, ReclaimLockRule, ReclaimPath, Situation


class ReclaimLockWithoutGate(ReclaimLockRule):
    id = "GFP203"
    name = "reclaim-lock-without-gate"
    family = "reclaim"
    level = Level.WARNING
    default = False
    summary = "GFP_NOFS does not protect: reclaim takes a lock that is held, whatever the flags."

    def concerns(self, flags: Flags, path: ReclaimPath) -> bool:
        if flags.has("__GFP_FS") is not False or path.io:
            return False
        return not path.gate or flags.has(path.gate) is True

    def message(self, allocation: Allocation, situation: Situation, lock: Lock, path: ReclaimPath) -> str:
        return (
            f"{allocation} with {situation.effective} may enter reclaim with {lock} "
            f"{lock.since}, and reclaim takes that lock through {path.root} "
            f"{'without __GFP_FS, too' if path.gate else 'whatever the flags are'}"
        )
