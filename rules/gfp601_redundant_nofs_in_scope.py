"""An allocation asks for what the scope that it is in asks for already.

## What it finds

`GFP_NOFS` written in a NOFS scope, `GFP_NOIO` or `GFP_NOFS` written in a NOIO scope.

## Why it is a bug

It is none, but it is work left over. In a scope every allocation of the task behaves as if it had the flag, however
deep it is: that is what the scope is for. include/linux/gfp_types.h says of both flags: "Please try to avoid using
this flag directly and instead use memalloc_nofs_{save,restore} to mark the whole scope".
Documentation/core-api/gfp_mask-from-fs-io.rst says why: a flag at the allocation does not say which lock it is there
for, and is copied to where there is none. With the scope, GFP_KERNEL is enough, and the scope says where the section
begins and ends.

## Bad

```c
nofs = memalloc_nofs_save();
node = kzalloc(sizeof(*node), GFP_NOFS);
memalloc_nofs_restore(nofs);
```

## Good

```c
nofs = memalloc_nofs_save();
node = kzalloc(sizeof(*node), GFP_KERNEL);
memalloc_nofs_restore(nofs);
```

## How it is decided

The scope must be open in every situation in which the allocation is reached: opened by this function, or open at every
known call of it. A transaction that is handed in does not count: not every one comes with a scope (ext4 without a
journal). The flags must be written here, not handed in
by a caller or chosen by the allocator itself.

## When to ignore it

When the function is called from outside the code analysed without a scope.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Confidence, Finding, Function, Level, Rule, Scope, Situation


class RedundantNofsInScope(Rule):
    id = "GFP601"
    name = "redundant-nofs-in-scope"
    family = "style"
    level = Level.NOTE
    summary = "GFP_NOFS or GFP_NOIO is written in a scope that says the same."

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            if allocation.via or not allocation.allocator.takes_flags:
                continue
            found = [_saying_the_same(situation) for situation in allocation.situations]
            situation, scope = allocation.situations[0], found[0]
            if scope is None or None in found:
                continue
            where = f" opened in line {scope.place.line}" if scope.place is not None else ""
            yield function.finding(
                rule=self.id,
                level=self.level,
                allocation=allocation,
                situation=situation,
                scopes=[scope],
                message=f"{allocation} with {situation.flags} is in a {scope}{where}: GFP_KERNEL means the same there",
                confidence=Confidence.HIGH if scope.place is not None else Confidence.MEDIUM,
            )


def _saying_the_same(situation: Situation) -> Scope | None:
    """The scope that makes the flags asked for redundant."""
    flags = situation.flags
    if flags.sleeps is not True or flags.has("__GFP_FS") is not False:
        return None
    kinds = ("nofs", "noio") if flags.has("__GFP_IO") is True else ("noio",) if flags.has("__GFP_IO") is False else ()
    return next((scope for scope in situation.scopes if scope.kind in kinds and scope.sure), None)
