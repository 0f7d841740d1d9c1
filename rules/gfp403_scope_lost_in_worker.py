"""A task in an allocation scope waits for a worker that is in none.

## What it finds

A function that waits, in a NOFS or NOIO scope, for a work item (`flush_work()`, or `queue_work()` and then
`wait_for_completion()`), whose function allocates with `__GFP_FS`, or `__GFP_IO` in a NOIO scope, without a scope of
its own.

## Why it is a bug

The scope belongs to the task that opened it. The worker is another task and knows nothing of it: its allocation enters
the filesystem, which waits for what the first task holds, and that waits for the worker. fs/xfs/libxfs/xfs_btree.c
shows what is to be done, in Linux 6.1 and 6.12: `xfs_btree_split_worker()` inherits the state of the task that waits
for it, "in a transaction context here, but may also be doing work in kswapd context, and hence we may need to inherit
that state temporarily". lockdep does not see it: the dependency is between two tasks.

## Bad

```c
nofs = memalloc_nofs_save();
queue_work(wq, &args.work);
wait_for_completion(&args.done);
memalloc_nofs_restore(nofs);
```

## Good

```c
static void split_worker(struct work_struct *work)
{
        unsigned int nofs = memalloc_nofs_save();

        split(container_of(work, struct split_args, work));
        memalloc_nofs_restore(nofs);
}
```

## How it is decided

A work item is known by the member or variable that it is, and its function by what is stored in that
(models/data/workers.toml says which calls queue one and which wait). A wait that names no work item waits for all that
the function has queued before. The scope must be opened in the function, or be open at all calls of it. The rule is
off by default: that the worker takes what the task holds is not proved.

## When to ignore it

When the task holds nothing that reclaim waits for, and the scope is there for another reason.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Confidence, Finding, Function, Level, Rule, Step, WorkerWait

FAR = 3
"""Calls between the worker and the allocation beyond which confidence is low."""


class ScopeLostInWorker(Rule):
    id = "GFP403"
    name = "scope-lost-in-worker"
    family = "scopes"
    level = Level.WARNING
    summary = "A task in an allocation scope waits for a worker that allocates without it."
    default = False
    every_function = True

    def check(self, function: Function) -> Iterator[Finding]:
        for wait in function.waits:
            yield function.finding(
                rule=self.id,
                level=self.level,
                place=wait.place,
                scopes=[wait.scope],
                steps=_steps(wait),
                message=f"{wait.name}() waits in a {wait.scope} for {wait.worker}(), which does not have it: "
                f"{wait.allocator}() allocates with {wait.flags}",
                confidence=Confidence.MEDIUM if len(wait.way) <= FAR else Confidence.LOW,
                subject=[wait.worker, wait.allocator],
            )


def _steps(wait: WorkerWait) -> list[Step]:
    """From the wait to the allocation in the other task."""
    *calls, last = wait.way
    return [
        Step(wait.place, f"{wait.name}() waits here for {wait.worker}()", "call", 0, True),
        Step(wait.worker_place, f"{wait.worker}() runs in another task", "enter", 0, True),
        *(Step(place, f"from {place.function}()", "call", depth) for depth, place in enumerate(calls, 1)),
        Step(last, f"{wait.allocator}() allocates here with {wait.flags}", "allocation", len(wait.way), True),
    ]
