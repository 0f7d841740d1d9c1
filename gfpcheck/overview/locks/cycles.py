"""Cycles of locks that pass through memory reclaim: a lock is held, its holder allocates, reclaim waits for a second
one, whose holder waits for the first one, maybe by way of others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from gfpcheck.analysis.lock_order import Ordered
from gfpcheck.analysis.reclaim import ReclaimLock
from gfpcheck.overview.locks.types import Hazard
from gfpcheck.overview.locks.under import Under

LONGEST = 2
"""Tasks beside the one that allocates. With more of them everything is in a cycle with everything."""
_NEEDS: Mapping[str, tuple[Hazard, ...]] = {
    "__GFP_FS": ("fs",),
    "__GFP_IO": ("fs", "io"),
    "": ("fs", "io", "reclaim"),
}
"""The allocations that come through each gate."""


class Cycle(NamedTuple):
    """Who holds the lock of `under` allocates, and reclaim waits by `way`; `orders` lead from that lock back to the
    first one, none if it is the same."""

    under: Under
    way: ReclaimLock
    orders: tuple[Ordered, ...]

    @property
    def locks(self) -> tuple[str, ...]:
        """The classes, the first one first."""
        return (self.under.lock.cls, *(each.order.first.cls for each in self.orders))

    @property
    def readers(self) -> bool:
        """True if nobody waits unless a writer comes in between."""
        return not self.orders and not conflict(self.under.lock.mode, self.way.mode)

    @property
    def guards(self) -> tuple[str, ...]:
        """The classes of locks that keep these tasks from running at the same time, if they are of the same object."""
        tasks = [self.under.others, *(each.order.others for each in self.orders)]
        found: set[str] = set()
        for number, held in enumerate(tasks):
            for other in tasks[number + 1 :]:
                found |= {
                    cls
                    for cls, mode in held
                    for other_cls, with_ in other
                    if cls == other_cls and conflict(mode, with_)
                }
        return tuple(sorted(found - set(self.locks)))


def comes_through(under: Under, way: ReclaimLock) -> bool:
    """True if reclaim of this allocation goes that way."""
    return under.hazard in _NEEDS[way.gate]


def conflict(a: str, b: str) -> bool:
    """True if one who holds a lock in mode `a` keeps out one who wants it in mode `b`."""
    return not a == b == "shared"


class Cycles:
    """Finds the cycles over known orders of locks."""

    def __init__(self, orders: Iterable[Ordered]) -> None:
        self._after: dict[str, list[Ordered]] = {}
        for each in sorted(orders, key=lambda each: each.order.rank):
            if each.order.first.cls != each.order.second.cls:
                self._after.setdefault(each.order.first.cls, []).append(each)
        self.readers = 0
        """Cycles that are none because two of them only read."""
        self.longer = 0
        """Cycles with a lock for which reclaim could wait at once."""

    def of(self, unders: Sequence[Under], ways: Mapping[str, Sequence[ReclaimLock]]) -> Iterator[Cycle]:
        """The cycles of allocations under one class of locks, the surest first; reclaim waits for locks by `ways`. One
        for each lock that it waits for."""
        entered: dict[str, tuple[Under, ReclaimLock]] = {}
        for cls in sorted(ways):
            for way in ways[cls]:
                under = next((each for each in unders if comes_through(each, way)), None)
                if under is not None:
                    entered[cls] = (under, way)
                    break
        for cls, (under, way) in entered.items():
            if cls == under.lock.cls:
                yield Cycle(under, way, ())
            elif all(held != cls for held, _ in under.others):  # else it is one of that lock alone
                orders = self._back(way, under)
                if any(each.order.first.cls in entered for each in orders[1:]):
                    self.longer += 1
                elif orders:
                    yield Cycle(under, way, orders)

    def _back(self, way: ReclaimLock, under: Under) -> tuple[Ordered, ...]:
        """The fewest orders from the lock that reclaim waits for to that of the allocation."""
        found = self._path(way.cls, way.mode, under.lock.cls, under.lock.mode, strict=True)
        if not found and self._path(way.cls, way.mode, under.lock.cls, under.lock.mode, strict=False):
            self.readers += 1
        return found

    def _path(self, start: str, wanted: str, goal: str, held: str, strict: bool) -> tuple[Ordered, ...]:
        queue: deque[tuple[str, str, tuple[Ordered, ...]]] = deque([(start, wanted, ())])
        seen = {(start, wanted)}
        while queue:
            cls, mode, path = queue.popleft()
            for each in self._after.get(cls, ()):
                first, second = each.order.first, each.order.second
                if strict and not conflict(mode, first.mode):
                    continue
                if second.cls == goal and (not strict or conflict(second.mode, held)):
                    return (*path, each)
                state = (second.cls, second.mode)
                if state not in seen and second.cls != goal and len(path) + 1 < LONGEST:
                    seen.add(state)
                    queue.append((*state, (*path, each)))
        return ()
