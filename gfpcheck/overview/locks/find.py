"""Finds all lock classes of the files asked for: allocations under them, reclaim, waiters, their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from heapq import nsmallest

from gfpcheck.analysis.entry_points import Routes
from gfpcheck.analysis.held_below import Entry, HeldBelow, is_lock
from gfpcheck.analysis.lock_order import LockOrder, Ordered, Pair, calls_reach
from gfpcheck.analysis.neighbours import folder
from gfpcheck.analysis.paths import has_class
from gfpcheck.analysis.reclaim import ReclaimLock
from gfpcheck.analysis.results import Acquisition
from gfpcheck.analysis.state import Site
from gfpcheck.analysis.waiters import LockWaiters, Waiters
from gfpcheck.driver.analyse import Knowledge
from gfpcheck.driver.arrivals import Arrivals
from gfpcheck.driver.definitions import Definitions
from gfpcheck.driver.places import Places
from gfpcheck.driver.source import Source
from gfpcheck.overview.locks.prove import Prover
from gfpcheck.overview.locks.types import CONFIDENCES, Allocation, Finding, LockClass, Locks, Order, Taken
from gfpcheck.overview.locks.under import Under, UnderLocks, worse
from gfpcheck.overview.locks.ways import Ways
from gfpcheck.overview.surveyed import asked_for, heading

_NOBODY = Waiters((), 0, 0)
_TRIES = 3
"""Ways to an allocation that are looked into."""


def find_locks(source: Source, known: Knowledge) -> Locks:
    """The lock classes of the files asked for in `source`."""
    asked = asked_for(source, known)
    finder = _Finder(source, known, asked)
    classes = tuple(finder.classes())
    findings = sorted(finder.findings(), key=_rank)
    return Locks(
        classes=classes,
        orders=tuple(finder.orders()),
        findings=tuple(findings),
        left_out=dict(sorted(finder.left_out().items())),
        **heading(source, known, asked),
    )


def _rank(finding: Finding) -> tuple[object, ...]:
    return CONFIDENCES.index(finding.confidence), len(finding.locks), len(finding.doubts), finding.kind, finding.key


class _Finder:
    def __init__(self, source: Source, known: Knowledge, asked: frozenset[str]) -> None:
        engine = known.engine
        self._known = known
        self._asked = asked
        self._places = Places(known.program)
        self._held = HeldBelow(engine, known.edges, known.entry)
        self._order = LockOrder(engine, self._held)
        self._under = UnderLocks(engine, self._held, source.gfp)
        routes = Routes(engine, known.edges)
        self._waiters = LockWaiters(engine, routes)
        self._arrivals = Arrivals(engine, routes, Definitions(source.plan.root, source.symbols))
        self._kinds: dict[str, str] = {}
        self._folders: dict[str, Counter[str]] = {}
        self._tried: dict[str, set[Site]] = {}
        self._unnamed: set[Site] = set()
        self._refuted = self._elsewhere = 0
        for key in sorted(asked):
            for acquisition in engine.facts[key].acquisitions:
                self._note(key, acquisition)
        self._after: dict[str, dict[Pair, Ordered]] = {}
        self._allocated: dict[str, dict[Site, list[Under]]] = {}
        for cls in sorted(self._kinds):
            below = self._held.below(cls)
            self._after[cls] = self._order.after(cls, below)
            self._allocated[cls] = self._allocations(cls, below)
        self._ways = Ways(known.reclaim)
        every = [each for orders in self._after.values() for each in orders.values()]
        self._prover = Prover(known, self._arrivals, self._waiters, self._ways, every)

    def _note(self, key: str, acquisition: Acquisition) -> None:
        lock = acquisition.lock
        if lock.asserted or not is_lock(lock):
            return
        place = lock.via[-1] if lock.via else lock.site
        if not has_class(lock.cls):
            self._unnamed.add(place)
            return
        self._kinds.setdefault(lock.cls, lock.kind)
        self._folders.setdefault(lock.cls, Counter())[folder(self._known.program.functions[key].file)] += 1
        if not acquisition.blocking or self._waiters.gives_up(lock) is not None:
            self._tried.setdefault(lock.cls, set()).add(place)

    def _allocations(self, cls: str, below: Mapping[str, Sequence[Entry]]) -> dict[Site, list[Under]]:
        """The allocations under the locks of a class, by place: of each the surest way to it in each respect that
        matters, the worst hazard first."""
        ways: dict[Site, dict[tuple[object, ...], list[Under]]] = {}
        for under in self._under.of(cls, below):
            if under.holder in self._asked or under.key in self._asked:
                respect = (under.hazard, under.no_fail, under.silenced, under.lock.mode, folder(under.lock.site.file))
                ways.setdefault(under.place, {}).setdefault(respect, []).append(under)
        found: dict[Site, list[Under]] = {}
        for place, respects in sorted(ways.items()):
            unders = [under for under in map(self._made, respects.values()) if under is not None]
            here = f"{place.file}:{place.function}" in self._asked
            if unders and not here and all(under.hazard == "unknown" for under in unders):
                self._elsewhere += 1
            elif unders:
                found[place] = sorted(unders, key=lambda under: (worse(under.hazard), under.rank))
            else:
                self._refuted += 1
        return found

    def _made(self, unders: Sequence[Under]) -> Under | None:
        """The surest of these on whose way the functions make the calls, if it is among the first."""
        best = nsmallest(_TRIES, unders, key=lambda under: under.rank)
        return next((under for under in best if self._is_made(under)), None)

    def _is_made(self, under: Under) -> bool:
        return under.entry is None or calls_reach(self._known.engine, under.holder, under.chain, under.here)

    # --- the classes -----------------------------------------------------------------------

    def classes(self) -> Iterator[LockClass]:
        """The classes, by name."""
        for cls, kind in sorted(self._kinds.items()):
            folders = self._folders[cls]
            allocations = tuple(map(self._allocation, self._allocated[cls].values()))
            reclaim = tuple(map(self._taken, self._ways.of(cls, sorted(folders))))
            matters = any(each.hazard in ("fs", "io", "reclaim") for each in allocations) or reclaim
            waiters = self._waiters.waiting(cls, "exclusive", frozenset()) if matters else _NOBODY
            yield LockClass(
                cls,
                kind,
                max(sorted(folders), key=lambda name: folders[name]),
                len({lock.site for lock in self._order.taken.get(cls, ()) if self._waiters.gives_up(lock) is None}),
                len(self._tried.get(cls, ())),
                sum(each.places for (second, _, _), each in self._after[cls].items() if second == cls),
                tuple(sorted(allocations, key=lambda each: (worse(each.hazard), each.place, each.call))),
                reclaim,
                tuple(map(self._arrivals.in_words, waiters.found)),
                waiters.rest,
            )

    def _allocation(self, found: Sequence[Under]) -> Allocation:
        under = found[0]
        return Allocation(
            self._places.site(under.place),
            under.site.name,
            str(under.flags),
            under.hazard,
            any(each.no_fail for each in found),
            self._known.program.functions[under.holder].name,
            self._places.site(under.lock.site),
            under.calls,
        )

    def _taken(self, way: ReclaimLock) -> Taken:
        path = self._known.views.reclaim_path(way)
        return Taken(path.root, path.gate, way.mode, path.sure, path.io, path.steps)

    def orders(self) -> Iterator[Order]:
        """The orders of two classes, by their names."""
        for cls in sorted(self._after):
            for (second, first_mode, second_mode), ordered in self._after[cls].items():
                if second != cls and second in self._kinds:
                    steps = self._prover.steps(ordered.order)
                    certain = self._prover.is_certain(ordered.order)
                    yield Order(cls, first_mode, second, second_mode, ordered.places, certain, steps)

    # --- the findings ----------------------------------------------------------------------

    def findings(self) -> Iterator[Finding]:
        """The cycles through reclaim and through allocations that may not fail."""
        for cls in sorted(self._allocated):
            yield from self._prover.through_reclaim(self._allocated[cls])
            yield from self._prover.without_end(cls, self._allocated[cls])

    def left_out(self) -> dict[str, int]:
        """What was seen and not told."""
        return {
            "calls through pointers that may mean more than 8 functions, not followed with a lock held": len(
                self._held.wide
            ),
            "places that take a lock which is known by a variable alone": len(self._unnamed),
            "allocations under a lock on ways that the functions never go": self._refuted,
            "allocations in other files whose flags are not known": self._elsewhere,
            "orders of two locks on ways that the functions never go": self._order.refuted,
            **self._prover.left_out(),
        }
