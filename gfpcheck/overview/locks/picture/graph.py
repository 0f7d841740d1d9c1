"""What the picture shows: locks, memory reclaim, and what leads from one to the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

from gfpcheck.models import ATOMIC_KINDS
from gfpcheck.overview.locks.types import CONFIDENCES, Confidence, LockClass, Locks

MOST = 40
"""Locks that are drawn."""
RECLAIM = ""
"""Memory reclaim among the locks."""
How = Literal["order", "enters", "takes"]


class Arrow(NamedTuple):
    """`second` is waited for under `first`; an allocation under `first` enters reclaim; or reclaim takes `second`.
    `cycle` is the confidence of the surest finding that it is a part of, if it is. `up`: against the direction of all
    others, as one arrow of each circle is."""

    first: str
    second: str
    how: How
    places: int
    cycle: Confidence | None
    up: bool

    @property
    def ends(self) -> tuple[str, str]:
        """Where it is drawn from and to, downwards."""
        return (self.second, self.first) if self.up else (self.first, self.second)

    @property
    def faint(self) -> bool:
        """True if it is seen only where one looks for it: in a dense subsystem there are many such, and each box says
        that it is in a cycle of low confidence."""
        return self.up and self.cycle == "low"


class Graph(NamedTuple):
    """The locks that are drawn, the arrows between them, and how many of either are not: locks of little weight, and
    arrows that follow from others."""

    locks: tuple[LockClass, ...]
    arrows: tuple[Arrow, ...]
    more_locks: int
    implied: int


def graph_of(found: Locks) -> Graph:
    """What to draw of a survey: the locks under which somebody may wait for memory, or for which reclaim waits."""
    in_cycles = {cls for finding in found.findings for cls in finding.locks}
    locks = [each for each in found.classes if each.cls in in_cycles or _matters(each)]
    locks.sort(key=lambda each: (each.cls not in in_cycles, not each.reclaim, -_waiting(each), each.cls))
    drawn = locks[:MOST]
    arrows, implied = _reduced(_directed(list(_arrows(found, drawn))))
    return Graph(tuple(drawn), tuple(arrows), len(found.classes) - len(drawn), implied)


def _matters(lock: LockClass) -> bool:
    return bool(lock.reclaim) or (_waiting(lock) > 0 and lock.kind not in ATOMIC_KINDS)


def _waiting(lock: LockClass) -> int:
    return lock.count("fs") + lock.count("io") + lock.count("reclaim")


def _arrows(found: Locks, locks: Iterable[LockClass]) -> Iterator[Arrow]:
    names = {lock.cls for lock in locks}
    cycles = _cycles(found)
    for lock in locks:
        if lock.reclaim:
            yield Arrow(RECLAIM, lock.cls, "takes", 1, cycles.get((RECLAIM, lock.cls)), False)
        if lock.count("fs") and lock.kind not in ATOMIC_KINDS:
            enters = lock.count("fs")
            yield Arrow(lock.cls, RECLAIM, "enters", enters, cycles.get((lock.cls, RECLAIM)), False)
    places: dict[tuple[str, str], int] = {}
    for order in found.orders:
        if order.first in names and order.second in names:
            pair = (order.first, order.second)
            places[pair] = places.get(pair, 0) + order.places
    for (first, second), number in places.items():
        yield Arrow(first, second, "order", number, cycles.get((first, second)), False)


def _cycles(found: Locks) -> dict[tuple[str, str], Confidence]:
    """The arrows that cycles are made of."""
    cycles: dict[tuple[str, str], Confidence] = {}
    for finding in found.findings:
        if finding.kind == "reclaim":
            first, *others = finding.locks
            around = (first, RECLAIM, *(others or ()), first)
            for pair in pairwise(around):
                known = cycles.get(pair, "low")
                cycles[pair] = min(known, finding.confidence, key=CONFIDENCES.index)
    return cycles


def _directed(arrows: list[Arrow]) -> list[Arrow]:
    """The arrows, those that close a circle as `up`. That reclaim takes a lock goes down if it can, then what is in no
    cycle, then what is in many places."""
    import networkx as nx

    down: nx.DiGraph[str] = nx.DiGraph()
    found = []
    for arrow in sorted(arrows, key=_weight):
        down.add_nodes_from((arrow.first, arrow.second))
        up = nx.has_path(down, arrow.second, arrow.first)
        if not up:
            down.add_edge(arrow.first, arrow.second)
        found.append(arrow._replace(up=up))
    return found


def _weight(arrow: Arrow) -> tuple[object, ...]:
    hows: tuple[How, ...] = ("takes", "order", "enters")
    return hows.index(arrow.how), arrow.cycle is not None, -arrow.places, arrow.first, arrow.second


def _reduced(arrows: list[Arrow]) -> tuple[list[Arrow], int]:
    """The arrows without those that follow from others, and how many these are. What is in a cycle of some confidence
    stays."""
    import networkx as nx

    down: nx.DiGraph[str] = nx.DiGraph([arrow.ends for arrow in arrows if not arrow.up])
    needed = set(nx.transitive_reduction(down).edges)
    kept = [arrow for arrow in arrows if arrow.cycle in ("high", "medium") or arrow.up or arrow.ends in needed]
    return kept, len(arrows) - len(kept)
