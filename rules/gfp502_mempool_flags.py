"""A memory pool is asked for an element with flags that it does not support, or its word is doubted.

## What it finds

A call of `mempool_alloc()` whose flags contain `__GFP_ZERO`; and, as a note, a test for NULL of what `mempool_alloc()`,
`bio_alloc()` or `bio_alloc_bioset()` returned with flags that let it wait (`GFP_KERNEL`, `GFP_NOFS`, `GFP_NOIO`).

## Why it is a bug

An element that comes from the pool's reserve has been used before and is handed out as it is, so it is zeroed
when there is plenty of memory and not when there is none. mm/mempool.c: "using __GFP_ZERO is not supported".

A pool is there so that its users need no error path: mm/mempool.c says that the function "*never* fails when called
from process contexts", block/bio.c that "If %__GFP_DIRECT_RECLAIM is set then bio_alloc will always be able to
allocate a bio". The path behind the test is never run.

## Bad

```c
req = mempool_alloc(pool, GFP_NOIO | __GFP_ZERO);
if (!req)
        return -ENOMEM;
```

## Good

```c
req = mempool_alloc(pool, GFP_NOIO);
memset(req, 0, sizeof(*req));
```

## How it is decided

The flag must be known to be set; the flags that a pool rejects come from the models (models/data/allocators.toml). A
test is reported if `__GFP_DIRECT_RECLAIM` is set however the allocation is reached and the value tested comes from
such an allocation on every path.

## When to ignore it

A test that is there for a pool whose flags may change.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Allocation, Confidence, Finding, Function, Level, Situation, SituationRule


class MempoolFlags(SituationRule):
    id = "GFP502"
    name = "mempool-flags"
    family = "allocators"
    level = Level.WARNING
    summary = "A memory pool is used with flags that it does not support."

    def check(self, function: Function) -> Iterator[Finding]:
        yield from super().check(function)
        for allocation in function.allocations:
            if allocation.allocator.family != "mempool" or not allocation.needless_tests:
                continue
            situation = allocation.situations[0]
            yield function.finding(
                rule=self.id,
                level=Level.NOTE,
                allocation=allocation,
                situation=situation,
                message=f"{allocation} with {situation.flags} waits for an element and never returns NULL, so the "
                f"test in {allocation.needless_lines} is pointless",
                confidence=Confidence.HIGH,
                subject=["test"],
            )

    def problem(self, function: Function, allocation: Allocation, situation: Situation) -> str:
        allocator, flags = allocation.allocator, situation.flags
        if allocator.family != "mempool" or not flags.any_of(allocator.rejects):
            return ""
        rejected = flags.named(allocator.rejects)
        if not allocation.decides(rejected):
            return ""
        return f"{allocation} with {flags} is not supported: an element of the reserve is not affected by {rejected}"
