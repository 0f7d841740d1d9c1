"""An allocation scope is closed with a token that is not its own.

## What it finds

A call of `memalloc_nofs_restore()`, `memalloc_noio_restore()`, `memalloc_noreclaim_restore()` or
`memalloc_pin_restore()` that is given the token of another kind of scope, a constant, a token that was used already,
or the token of an outer scope while an inner one of the same kind is open.

## Why it is a bug

The token holds what the bit of the task was before the scope, so that scopes can be nested in callers and callees that
know nothing of each other. With another token the bit is cleared where an outer scope still needs it, or left set for
ever. include/linux/sched/mm.h says of each of the functions: "Always make sure that the given flags is the return
value from the pairing" save call, in Linux 6.1 and 6.12. In 6.1 the outer token given first and the inner one after it
leave the bit set; in 6.12, where a token holds the bits that the call has set, the outer one ends the inner scope.

## Bad

```c
nofs = memalloc_nofs_save();
noio = memalloc_noio_save();
node = kzalloc(sizeof(*node), GFP_KERNEL);
memalloc_noio_restore(nofs);
memalloc_nofs_restore(noio);
```

## Good

```c
nofs = memalloc_nofs_save();
noio = memalloc_noio_save();
node = kzalloc(sizeof(*node), GFP_KERNEL);
memalloc_noio_restore(noio);
memalloc_nofs_restore(nofs);
```

## How it is decided

Tokens are values, and followed as such on each path: through locals, members of structures, parameters and what
functions return. Nothing is said of one whose origin is not known. Scopes of different kinds are different bits and
may be closed in any order. A constant is reported only if the call never gets anything else: `0` for a scope that was
not opened is common.

## When to ignore it

Never: give each scope a variable of its own.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Confidence, Ending, Finding, Function, Level, Place, Rule, ScopeEnd, Step

_WRONG = ("kind", "twice", "order")
_SAID = {"nofs": "NOFS", "noio": "NOIO"}


class ScopeRestoreMismatch(Rule):
    id = "GFP402"
    name = "scope-restore-mismatch"
    family = "scopes"
    level = Level.WARNING
    summary = "An allocation scope is closed with a token that is not its own."

    def check(self, function: Function) -> Iterator[Finding]:
        for end in function.scope_ends:
            wrong = [ending for ending in end.endings if ending.verdict in _WRONG]
            if not wrong and all(ending.verdict == "constant" for ending in end.endings):
                wrong = list(end.endings)
            if wrong:
                yield self._report(function, end, wrong)

    def _report(self, function: Function, end: ScopeEnd, wrong: list[Ending]) -> Finding:
        ending = wrong[0]
        steps = [Step(place, "this scope", "enter", 0, True) for place in (ending.opened, ending.inner) if place]
        steps.append(Step(end.place, f"{end.name}() is called here", "call", 0, True))
        return function.finding(
            rule=self.id,
            level=self.level,
            place=end.place,
            steps=steps,
            message=f"{end.name}() {_problem(end, ending)}",
            confidence=Confidence.HIGH if len(wrong) == len(end.endings) else Confidence.MEDIUM,
            subject=[end.name, ending.verdict],
        )


def _problem(end: ScopeEnd, ending: Ending) -> str:
    kind, other = (_SAID.get(each, each) for each in (end.kind, ending.made_for))
    if ending.verdict == "constant":
        return f"closes a {kind} scope with a constant, which is no token"
    if ending.verdict == "kind":
        return f"closes a {kind} scope with the token of a {other} scope{_line(ending.opened)}"
    if ending.verdict == "twice":
        return f"closes a {kind} scope with a token that has closed it already"
    return f"closes the {kind} scope{_line(ending.opened)} while the one{_line(ending.inner)} in it is still open"


def _line(place: Place | None) -> str:
    return f" of line {place.line}" if place is not None else ""
