"""A second element of a memory pool is waited for while the first one is in hand.

## What it finds

Two allocations that wait, from one `mempool_t` or one `bio_set` (`fs_bio_set` for `bio_alloc()`), on one path of a
function, with nothing between them after which the first element may be back: no free, no submission, no function that
is given it and cannot be looked into. An allocation in a loop that submits nothing counts as two.

## Why it is a bug

A pool guarantees that one user at a time makes progress: who takes an element gives it back without needing another.
When memory is short and the reserve holds as many elements as there are tasks that each wait for their second one, all
of them wait for ever. block/bio.c says so of `bio_alloc_bioset()`: "callers must never allocate more than 1 bio at a
time from the general pool. Callers that need to allocate more than 1 bio must always submit the previously allocated
bio for IO before attempting to allocate a new one. Failure to do so can cause deadlocks under memory pressure", in
Linux 6.1 and 6.12.

## Bad

```c
data = bio_alloc(bdev, 1, REQ_OP_WRITE, GFP_NOIO);
meta = bio_alloc(bdev, 1, REQ_OP_WRITE, GFP_NOIO);
submit_bio(data);
submit_bio(meta);
```

## Good

```c
data = bio_alloc(bdev, 1, REQ_OP_WRITE, GFP_NOIO);
submit_bio(data);
meta = bio_alloc(bdev, 1, REQ_OP_WRITE, GFP_NOIO);
submit_bio(meta);
```

or a pool of its own for each step; or, for the second one, flags that do not wait, and a way to go on without it.

## How it is decided

The flags of both allocations must be known to contain `__GFP_DIRECT_RECLAIM`. A pool is told by the path that names it
in the function, or that a function below makes of what it is given. Which calls give elements back, or wake up somebody
who may, is data (models/data/pools.toml). The two allocations need not be on one path that
can be run, so confidence is medium; it is low where the first element is given back as soon as the second one is there,
be it by the function that has allocated it, and where a function called has kept the first one somewhere, which may be
empty again by then. A loop that ends after its first round, by the number that it counts, has no second element.

The rule is off by default. On real kernels most of what it finds is against the letter of the documentation and has
never hung: a new bio is allocated, chained to the one before, and then that is submitted, as `blk_next_bio()` does; or
pools with room for all that one user takes.

## When to ignore it

When the pool was made with room for all elements that its users have in hand at one time.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Confidence, Finding, Function, Level, Rule, Step


class NestedMempoolAlloc(Rule):
    id = "GFP503"
    name = "nested-mempool-alloc"
    family = "allocators"
    level = Level.WARNING
    summary = "A second element of a memory pool is waited for while the first one is in hand."
    default = False

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            if allocation.nested_in is None:
                continue
            pool, first = allocation.nested_in.pool, allocation.nested_in.first
            before = "in the round before" if first == allocation.place else f"in line {first.line}"
            yield function.finding(
                rule=self.id,
                level=self.level,
                allocation=allocation,
                steps=[Step(first, f"an element of {pool} is allocated here", "allocation", 0, True)],
                message=f"{allocation} waits for an element of {pool}, and the one allocated {before} has neither been "
                "submitted nor freed",
                confidence=Confidence.LOW if allocation.nested_in.doubtful else Confidence.MEDIUM,
                subject=[pool],
            )
