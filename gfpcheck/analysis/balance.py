"""Locks balance: what correct code implies about outcomes that the analysis cannot tell apart.

Conditions that decide over a lock are often beyond the analysis (the same test made twice on memory, a value that
comes back from elsewhere). That code which does not know whether it holds a lock does not work helps out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Set
from typing import NamedTuple

from gfpcheck.analysis import values
from gfpcheck.analysis.state import LOST, WAITING, ClosedScope, HeldLock, OpenScope, Release, Site, anonymous
from gfpcheck.analysis.summary import Outcome, Reached
from gfpcheck.ir import Expr


def told_apart(a: Outcome, b: Outcome) -> bool:
    """True if a caller can see which of two outcomes it was: by what is returned, or by what it passed."""
    if values.meet(a.value, b.value) is None or a.members != b.members:
        return True
    there = {place: value for place, value, _ in b.stored}
    if any(place in there and values.meet(value, there[place]) is None for place, value, _ in a.stored):
        return True
    other = dict(b.when)
    return any(expr in other and values.meet(value, other[expr]) is None for expr, value in a.when)


def consistent(outcomes: tuple[Outcome, ...], taken: Set[str]) -> tuple[Outcome, ...]:
    """The outcomes of a function without what its callers could not know: a lock that one outcome leaves held and
    another, which looks the same to them, does not; and, if another does without, the release of a lock of a class
    that the function takes itself (one of `taken`), or of a lock that no path names. The same holds for scopes that
    are opened, or closed, by a token that callers do not know."""
    if len(outcomes) < 2 or not any(o.acquired or o.released or o.opened or o.closed for o in outcomes):
        return tuple(_certain(outcome) for outcome in outcomes)
    found: dict[Outcome, None] = {}
    for outcome in outcomes:
        acquired, released = _certain(outcome).acquired, outcome.released
        opened, closed = outcome.opened, outcome.closed
        for other in outcomes:
            if other is outcome or told_apart(outcome, other):
                continue
            held = _identities(_certain(other).acquired)
            if held < _identities(acquired):
                acquired = tuple(lock for lock in acquired if (lock.instance, lock.kind) in held)
            sure = believed(released, taken)
            released = tuple(release for release in released if release in other.released or release in sure)
            opened = tuple(scope for scope in opened if scope.token != LOST or _kind_in(scope.kind, other.opened))
            closed = tuple(scope for scope in closed if scope.token != LOST or _kind_in(scope.kind, other.closed))
        found[outcome._replace(acquired=acquired, released=released, opened=opened, closed=closed)] = None
    return tuple(found)


def _kind_in(kind: str, scopes: Iterable[OpenScope | ClosedScope]) -> bool:
    """True if one of `scopes` is of that kind, or a task state, which has no token."""
    return kind == WAITING or any(scope.kind == kind for scope in scopes)


def _certain(outcome: Outcome) -> Outcome:
    """The outcome without locks that are held on some of the paths that it stands for."""
    if not any(lock.may for lock in outcome.acquired):
        return outcome
    return outcome._replace(acquired=tuple(lock for lock in outcome.acquired if not lock.may))


def believed(released: Iterable[Release], taken: Set[str]) -> tuple[Release, ...]:
    """Those releases that are believed even if another path, which looks the same, does without: of locks that a
    path names and that are not of a class that the function takes itself (one of `taken`)."""
    return tuple(r for r in released if r.cls not in taken and r.instance != anonymous(r.cls))


def _identities(locks: Iterable[HeldLock]) -> set[tuple[Expr, str]]:
    return {(lock.instance, lock.kind) for lock in locks}


def distinct_ways(all_reached: Iterable[Reached], taken: Set[str]) -> list[Reached]:
    """The allocations, each without the ways to it that differ from another only in releases that are not believed."""
    ways: dict[tuple[object, ...], list[Reached]] = {}
    for reached in all_reached:
        ways.setdefault((reached.name, reached.flags, reached.scopes, reached.path), []).append(reached)
    found = []
    for group in ways.values():
        sure = {reached: frozenset(believed(reached.released, taken)) for reached in group}
        found += [r for r in group if not any(sure[r] <= set(o.released) < set(r.released) for o in group)]
    return found


def plausible_ways(all_reached: tuple[Reached, ...], ledger: Ledger) -> tuple[Reached, ...]:
    """The callee's allocations, without the ways to one of them on which it releases locks that are not held, if there
    is another way."""
    ways: dict[tuple[Site, ...], list[Reached]] = {}
    for reached in all_reached:
        ways.setdefault(reached.path, []).append(reached)
    if len(ways) == len(all_reached):
        return all_reached
    weighed = {reached: Weighed((), reached.released, ledger) for reached in all_reached}
    return tuple(
        reached
        for reached in all_reached
        if not any(weighed[reached].worse_than(weighed[other]) for other in ways[reached.path])
    )


class Ledger(NamedTuple):
    """The locks of a state, asked in a callee's terms: whether one that the callee releases is `held`, whether the
    calling function has `taken` it on any path, and whether one that the callee takes is `owed`, because it was
    released before."""

    held: Callable[[Release], bool]
    taken: Callable[[Release], bool]
    owed: Callable[[HeldLock], bool]


class Weighed:
    """An alternative by what it does: `met` of its releases find their lock, `unmet` do not, `own` of these though the
    calling function takes that lock on another path (a lock that no path names is not looked for); `returned` are the
    locks that it takes back."""

    def __init__(self, acquired: tuple[HeldLock, ...], released: tuple[Release, ...], ledger: Ledger) -> None:
        missing = [release for release in released if not ledger.held(release)]
        self.releases = bool(released)
        self.met = len(released) - len(missing)
        missing = [release for release in missing if release.instance != anonymous(release.cls)]
        self.unmet = len(missing)
        self.own = sum(ledger.taken(release) for release in missing)
        self.acquires = bool(acquired)
        self.returned = sum(ledger.owed(lock) for lock in acquired)

    def worse_than(self, other: Weighed) -> bool:
        """True if it releases another lock than the one that is held, or takes another one than was released, and
        `other` does not."""
        return (
            (self.own > 0 and other.own == 0)
            or (self.unmet > 0 and other.unmet == 0 and self.met < other.met)
            or (self.releases and self.met == 0 and other.met > 0 and other.unmet == 0)
            or (self.acquires and self.returned == 0 and other.returned > 0)
        )


def plausible(outcomes: list[Outcome], ledger: Ledger) -> list[Outcome]:
    """Those of the outcomes possible at a call that keep its locks balanced, if there is a choice.

    A function that unlocks one of two locks unlocks the one that is held, and one that takes one of two takes back
    what was released; one that does nothing for NULL, or while a flag is clear, is not called so with the lock held
    that it releases otherwise.
    """
    if len(outcomes) < 2 or not any(outcome.released or outcome.acquired for outcome in outcomes):
        return outcomes
    weighed = [Weighed(outcome.acquired, outcome.released, ledger) for outcome in outcomes]
    dropped: set[int] = set()
    for (n, a), (m, b) in itertools.permutations(enumerate(outcomes), 2):
        if values.meet(a.value, b.value) is None:
            continue
        if weighed[n].worse_than(weighed[m]) or (
            not a.has_effect and weighed[m].met and not weighed[m].unmet and _is_for_zero(a)
        ):
            dropped.add(n)
    return [outcome for n, outcome in enumerate(outcomes) if n not in dropped]


def _is_for_zero(outcome: Outcome) -> bool:
    return any(value.truth is False for _, value in outcome.when)
