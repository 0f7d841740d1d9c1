"""An allocation scope that was opened is not closed on every path.

## What it finds

A function that opens a scope (`memalloc_nofs_save()`, `memalloc_noio_save()`, `memalloc_noreclaim_save()`,
`memalloc_pin_save()`, or a wrapper around one) and returns with it open, though the token that would close it is lost:
it is in no memory that anybody else sees, and is not returned. And one that sets PF_MEMALLOC or one of its companions
in `current->flags` itself, and clears it on some of its paths only.

## Why it is a bug

The scope is a bit of the task, not of the function. Left behind, it stays for as long as the task lives: every later
allocation of it, in code that knows nothing of the scope, does without filesystem or IO reclaim, and fails where it
need not. After `memalloc_noreclaim_save()` it eats the reserves that reclaim itself lives on. include/linux/sched/mm.h
says of `memalloc_noio_save()`, and alike of the others: "Use memalloc_noio_restore to end the scope with flags
returned by this function", in Linux 6.1 and 6.12.

## Bad

```c
nofs = memalloc_nofs_save();
node = kzalloc(sizeof(*node), GFP_KERNEL);
if (!node)
        return -ENOMEM;
memalloc_nofs_restore(nofs);
```

## Good

```c
nofs = memalloc_nofs_save();
node = kzalloc(sizeof(*node), GFP_KERNEL);
memalloc_nofs_restore(nofs);
if (!node)
        return -ENOMEM;
```

## How it is decided

Scopes are followed on each path, with what the functions called open and close. The token is followed through locals,
members of structures, parameters and what functions return; where it is stored in memory that others see, or given to
a function that cannot be looked into, somebody else may close the scope, and nothing is reported. The main function of
a thread may keep its scope: the thread ends with it. `kjournald2()` of fs/jbd2/journal.c does so.

## When to ignore it

When the function is called at the beginning of a thread only, and is not its main function.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Confidence, Finding, Function, Level, Rule, ScopeLeak, Step


class ScopeNotRestored(Rule):
    id = "GFP401"
    name = "scope-not-restored"
    family = "scopes"
    level = Level.WARNING
    summary = "A function returns with an allocation scope open that nobody can close any more."

    def check(self, function: Function) -> Iterator[Finding]:
        if function.thread_main:
            return
        for leak in function.scope_leaks:
            if leak.scope.place is not None and (leak.name or leak.restored):
                yield self._report(function, leak)

    def _report(self, function: Function, leak: ScopeLeak) -> Finding:
        assert leak.scope.place is not None
        opened = f"{leak.name}()" if leak.name else "the code itself"
        if leak.restored:
            where = f"is not closed where {function.name}() returns in line {leak.returns[0].line}"
        else:
            where = f"is never closed in {function.name}(), and nobody else has the token"
        return function.finding(
            rule=self.id,
            level=self.level,
            place=leak.scope.place,
            scopes=[leak.scope],
            steps=[Step(place, "the function returns with it here", "return", 0, True) for place in leak.returns],
            message=f"the {leak.scope} that {opened} opens {where}",
            confidence=Confidence.HIGH,
            subject=[leak.name, leak.scope.kind],
        )
