"""An allocation on the way of data to a device, or under a lock that is taken there, may wait for I/O.

## What it finds

An allocation that may sleep and whose effective flags contain `__GFP_IO`,

* in a function that is run to bring data to a device: below the submit, map, queue, make_request and completion
  functions of block drivers, the device mapper, md, SCSI and usb-storage, or in a worker that does this work for them;
* with a lock held that such a function waits for.

## Why it is a bug

When memory is short the allocation writes pages out and waits until they are written. On the way to the device it may
wait for the very I/O that it is part of, or for one that is queued behind it (current->bio_list collects what is
submitted below submit_bio_noacct(); block/bio.c): the device stands still, and with it everybody who waits for memory.
Documentation/core-api/gfp_mask-from-fs-io.rst: "GFP_NOIO ... to prevent from potential deadlocks due to the
memory reclaim recursing back into the IO path". lockdep does not check this at all.

## Bad

```c
static int map(struct dm_target *ti, struct bio *bio)
{
        struct io *io = kmalloc(sizeof(*io), GFP_KERNEL);
        ...
}
```

## Good

```c
        struct io *io = mempool_alloc(&pool, GFP_NOIO);
```

or memalloc_noio_save() around the section; a thread that only does I/O sets it once (drivers/block/loop.c).

## How it is decided

The functions on the way are those below the function pointers that models/data/reclaim.toml marks with `io`, and the
functions of work items that those initialise or queue. Code in a NOIO or noreclaim scope does not count, nor does
what is called in atomic context and may not sleep at all (GFP101, GFP102). Locks as for GFP201. Confidence is low
where the way leads through a function pointer that may mean more than eight functions, through a work item that exists
before the I/O, which may be for something else, through a function that is handed on and may be kept for later, or
through what is done when the last reference to an object is given back (models/data/references.toml); and more than
five calls away, where errors are handled.

## When to ignore it

When the allocation is made before the device is in use, or on the way of something that no page can wait for: a command
of the administrator, an error's handling after which the I/O is failed.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import (
    Allocation,
    Confidence,
    Finding,
    Flags,
    Function,
    Level,
    Lock,
    ReclaimLockRule,
    ReclaimPath,
    Situation,
)


class MissingNoio(ReclaimLockRule):
    id = "GFP202"
    name = "missing-noio"
    family = "reclaim"
    level = Level.WARNING
    default = False
    summary = "An allocation that may wait for I/O, on the way to a device or under a lock that is taken there."

    def check(self, function: Function) -> Iterator[Finding]:
        if function.io is None:
            yield from super().check(function)
            return
        path = function.io
        for allocation in function.allocations:
            hazards = [s for s in allocation.situations if _waits(s)]
            if not hazards or allocation.via:
                continue
            situation = hazards[0]
            everywhere = len(hazards) == len(allocation.situations)
            yield function.finding(
                rule=self.id,
                level=self.level,
                allocation=allocation,
                situation=situation,
                other=path.steps,
                message=f"{allocation} with {situation.effective} may wait for I/O on the way to a device: "
                f"{function.name}() is called through {path.root}",
                confidence=Confidence.MEDIUM if everywhere and path.sure else Confidence.LOW,
            )

    def concerns(self, flags: Flags, path: ReclaimPath) -> bool:
        return path.io and flags.has("__GFP_IO") is True

    def message(self, allocation: Allocation, situation: Situation, lock: Lock, path: ReclaimPath) -> str:
        return (
            f"{allocation} with {situation.effective} may wait for I/O with {lock} "
            f"{lock.since}, and that lock is taken on the way to a device, through {path.root}"
        )


def _waits(situation: Situation) -> bool:
    """True if the allocation may wait for I/O, and is not wrong already because it may sleep."""
    atomic = any(lock.atomic for lock in situation.locks)
    return situation.reclaims is True and situation.effective.has("__GFP_IO") is True and not atomic
