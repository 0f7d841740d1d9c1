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
else can refer to any more, nor what is done to inodes that have lost their last link: the task that drops the last
reference does that, not reclaim. A function pointer below them means the functions of the module whose object it is.
What a shrinker does only with `__GFP_FS` or `__GFP_IO` is read off its tests of `sc->gfp_mask`. Locks are told apart by
class, as lockdep does; a module that has a function of its own for reclaim's pointer is not entered through another's.
`__GFP_NOLOCKDEP` says that the author knows better. Allocations in a NOFS, NOIO or noreclaim scope are not reported.

Confidence is low where it is only asserted that the lock is held: whoever took it may have opened a scope. It is low,
too, where reclaim's way leads through a function pointer that may mean more than eight functions, through another
module, or through more than eight places; where reclaim first tries another lock of the same object, which its
holder has; where the lock is a bit of a page or a buffer, since all pages have the same class, whosever they are; where
reclaim would have to evict what a file system keeps in use until it is unmounted (`kill_litter_super()`). Locks that
are taken on the way of data to a device are the matter of GFP202; `GFP_NOFS` that does not help, of GFP203.

Pages of files are written by kswapd, not by the task that allocates. The lock that `->writepage` takes counts all the
same: with `__GFP_FS` that task waits for kswapd when memory is very low, and `throttle_direct_reclaim()` in mm/vmscan.c
says why it must not without: kswapd could be blocked waiting on the same lock.

## When to ignore it

When the lock of this class that is held can never be the one that reclaim takes, for a reason that classes do
not show; the kernel's own mark for that is `__GFP_NOLOCKDEP`.
"""

from gfpcheck.rule_api import Allocation, Flags, Level, Lock, ReclaimLockRule, ReclaimPath, Situation


class MissingNofs(ReclaimLockRule):
    id = "GFP201"
    name = "missing-nofs"
    family = "reclaim"
    level = Level.WARNING
    summary = "An allocation may enter reclaim, which takes a lock that is held."
    deadlocks = True

    def concerns(self, flags: Flags, path: ReclaimPath) -> bool:
        return flags.has("__GFP_FS") is True and not path.io

    def message(self, allocation: Allocation, situation: Situation, lock: Lock, path: ReclaimPath) -> str:
        more = "" if path.gate == "__GFP_FS" else "; GFP_NOFS would not be enough"
        return (
            f"{allocation} with {situation.effective} may enter reclaim with {lock} "
            f"{lock.since}, and reclaim takes that lock through {path.root}{more}"
        )
