"""The result of an allocation that may not fail is tested for failure.

## What it finds

A test for NULL of what an allocation with `__GFP_NOFAIL` returned.

## Why it is a bug

One of the two is wrong: the flag, if the failure can be handled after all, or the test and the error path behind it,
which is never run and never tested. include/linux/gfp_types.h: the allocation "will never return with failure.
Testing for failure is pointless." If there is an error path, prefer it: without the flag nothing waits for ever.

## Bad

```c
bp->b_addr = kmalloc(size, GFP_KERNEL | __GFP_NOFAIL);
if (!bp->b_addr)
        return -ENOMEM;
```

## Good

```c
bp->b_addr = kmalloc(size, GFP_KERNEL);
if (!bp->b_addr)
        return -ENOMEM;
```

or, where failure is no option:

```c
bp->b_addr = kmalloc(size, GFP_KERNEL | __GFP_NOFAIL);
```

## How it is decided

`__GFP_NOFAIL` and `__GFP_DIRECT_RECLAIM` must be set however the allocation is reached, and on every path to the test
the value must come from such an allocation. Functions that return NULL for other reasons, too, are not looked at:
`kstrdup()` of NULL, arrays whose size may overflow.

## When to ignore it

When the test only says to the reader what the flag says to the allocator.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Confidence, Finding, Function, Level, Rule


class UselessNofailCheck(Rule):
    id = "GFP308"
    name = "useless-nofail-check"
    family = "nofail"
    level = Level.NOTE
    summary = "The result of an allocation with __GFP_NOFAIL is tested for NULL."

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            situation = allocation.situations[0]
            if not allocation.needless_tests or situation.flags.has("__GFP_NOFAIL") is not True:
                continue
            yield function.finding(
                rule=self.id,
                level=self.level,
                allocation=allocation,
                situation=situation,
                message=f"{allocation} with {situation.flags} never returns NULL, so the test in "
                f"{allocation.needless_lines} is pointless: either the flag or the test is wrong",
                confidence=Confidence.HIGH,
            )
