"""In which order locks are taken: which one is held while another is waited for.

Both in one function, or the second one in a function that is called meanwhile (held_below.py). A trylock waits for
nothing, so it makes no order; that a lock is taken while another of its class is held is counted as nesting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import NamedTuple

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.held_below import Entry, HeldBelow, is_lock
from gfpcheck.analysis.paths import has_class
from gfpcheck.analysis.results import Acquisition, Which
from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.analysis.trace import Consts
from gfpcheck.ir import Const

_TRIES = 6
"""Proofs of one order that are looked into."""
_ANY = Const(0)
"""The mask of those who want to know only which calls are made."""
Others = frozenset[tuple[str, str]]
"""Classes and modes of locks."""


class Order(NamedTuple):
    """Function `taker` waits for `second` while `first` is held. `entry` is how it was entered with that; None if it
    holds it itself, and `own` besides; `blurred`: too much of what that function does is put together."""

    first: HeldLock
    second: HeldLock
    taker: str
    entry: Entry | None
    own: tuple[HeldLock, ...] = ()
    blurred: bool = False

    @property
    def holder(self) -> str:
        """The function that has the first lock."""
        return self.taker if self.entry is None else self.entry.holder

    @property
    def chain(self) -> tuple[Site, ...]:
        """The calls from there down to the taker."""
        return () if self.entry is None else self.entry.chain

    @property
    def others(self) -> Others:
        """What is surely held besides."""
        return others_of(self.own, self.first.cls) if self.entry is None else self.entry.others

    @property
    def width(self) -> int:
        """That of the widest pointer on the way."""
        return 0 if self.entry is None else self.entry.width

    @property
    def doubtful(self) -> bool:
        """True if the first lock may not be held there."""
        return self.first.may or self.first.asserted or self.blurred

    @property
    def rank(self) -> tuple[bool, bool, int, int, tuple[object, ...]]:
        """What is surer comes first."""
        first = self.first
        calls = 0 if self.entry is None else self.entry.depth
        where = (self.holder, first.site, self.taker, self.second.site, self.second.via)
        return self.doubtful, self.width > 1, calls + len(self.second.via), len(first.via), where


class Ordered(NamedTuple):
    """The best proof of an order of two locks, each in one mode, and the number of places where the second is taken
    so."""

    order: Order
    places: int


Pair = tuple[str, str, str]
"""The class of the second lock, the modes of both."""


def others_of(locks: Iterable[HeldLock], cls: str) -> Others:
    """What is surely held, but for the locks of class `cls`."""
    return frozenset((lock.cls, lock.mode) for lock in locks if lock.cls != cls and not lock.may and is_lock(lock))


class LockOrder:
    """Answers for the locks of a program, which has been run. `taken` are the locks that functions wait for and do not
    keep, by class; `refuted` counts the orders that were none after a second look."""

    def __init__(self, engine: Engine, held: HeldBelow) -> None:
        self._engine = engine
        self._held = held
        self._own: dict[str, list[Order]] = {}
        self._takers: dict[str, list[tuple[Acquisition, tuple[int, int]]]] = {}
        self.refuted = 0
        self.taken: dict[str, list[HeldLock]] = {}
        for key in sorted(engine.facts):
            for acquisition, point, states in held.takings(key):
                second = acquisition.lock
                if not acquisition.kept:
                    self._takers.setdefault(key, []).append((acquisition, point))
                    self.taken.setdefault(second.cls, []).append(second)
                for state in states:
                    locks = [lock for lock in state.locks if is_lock(lock) and has_class(lock.cls)]
                    for first in locks:
                        order = Order(first, second, key, None, state.locks, engine.facts[key].blurred)
                        self._own.setdefault(first.cls, []).append(order)

    def after(self, cls: str, below: Mapping[str, Sequence[Entry]]) -> dict[Pair, Ordered]:
        """What is waited for while a lock of class `cls` is held; `below` is where it is held. The proof is one in
        which the calls are made: pairs for which none of the best ones is such are counted as `refuted`."""
        proofs: dict[Pair, list[Order]] = {}
        for order in self._all(cls, below):
            proofs.setdefault((order.second.cls, order.first.mode, order.second.mode), []).append(order)
        found: dict[Pair, Ordered] = {}
        for pair, orders in sorted(proofs.items()):
            best = next(filter(self._is_made, nsmallest(_TRIES, orders, key=lambda order: order.rank)), None)
            if best is None:
                self.refuted += 1
            else:
                places = {order.second.via[-1] if order.second.via else order.second.site for order in orders}
                found[pair] = Ordered(best, len(places))
        return found

    def _all(self, cls: str, below: Mapping[str, Sequence[Entry]]) -> Iterator[Order]:
        yield from self._own.get(cls, ())
        for key in sorted(self._takers.keys() & below.keys()):
            for acquisition, point in self._takers[key]:
                if not self._held.still_held(key, point, cls):
                    continue
                for entry in below[key]:
                    yield Order(entry.lock, acquisition.lock, key, entry)

    def _is_made(self, order: Order) -> bool:
        return order.entry is None or calls_lead_to(self._engine, order.holder, order.chain, order.second)


def calls_lead_to(engine: Engine, start: str, chain: Sequence[Site], lock: HeldLock) -> bool:
    """True if function `start` and those below make the calls of `chain`, with the constants that they pass, and the
    last one waits for `lock` then."""
    for key, consts in _led_to(engine, start, chain):
        waited = [each.lock for each in engine.explore(key, consts).acquisitions if each.blocking and not each.kept]
        # Where modes were put together nobody knows which of the locks it takes, and keeps.
        known = consts or not engine.summary(key).blurred
        if known and any((each.site, each.cls) == (lock.site, lock.cls) for each in waited):
            return True
    return False


def calls_reach(engine: Engine, start: str, chain: Sequence[Site], site: Site) -> bool:
    """As `calls_lead_to`: the last function makes the call at `site` then."""
    return any(site in engine.explore(key, consts, _ANY).demanded for key, consts in _led_to(engine, start, chain))


def _led_to(engine: Engine, start: str, chain: Sequence[Site]) -> Iterator[Which]:
    """The function at the end of the chain, with what it is passed there, for each way in which it is called so."""
    stack: list[tuple[int, str, Consts]] = [(0, start, ())]
    seen = set(stack)
    while stack:
        depth, key, consts = stack.pop()
        if depth == len(chain):
            yield key, consts
            continue
        for at, _ in engine.explore(key, consts).calls:
            if at.site == chain[depth]:
                step = (depth + 1, at.callee, at.consts if any(c is not None for c in at.consts) else ())
                if step not in seen:
                    seen.add(step)
                    stack.append(step)
