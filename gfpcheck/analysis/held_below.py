"""Where locks are held: in the functions that take them, and in all that these call meanwhile.

Locks are told apart by class, as lockdep does. From each call that is made with a lock held the calls are followed
down; who releases the lock on the way ends that. A function is entered once for each mode of the lock and each set of
scopes, on the way with the fewest calls. What a function may hold itself depends on the path (engine.py); which of its
calls it makes when it is called like that is not looked at here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gfpcheck.analysis.edges import Edge, Edges
from gfpcheck.analysis.engine import Engine, Held, Point
from gfpcheck.analysis.entry import EntryScopes
from gfpcheck.analysis.paths import has_class
from gfpcheck.analysis.results import Acquisition
from gfpcheck.analysis.state import HeldLock, Release, Site
from gfpcheck.analysis.trace import Calling
from gfpcheck.ir import Loc
from gfpcheck.models import CONTEXT_KINDS

MANY = 8
"""More functions than this that a pointer may mean, and it is not followed: hardly all are meant there."""
DEEPEST = 24
"""Calls below the holder of a lock that are followed."""
Scopes = frozenset[str]
_Source = tuple[str, Edge, Calling, HeldLock]


def is_lock(lock: HeldLock) -> bool:
    """True for what another task can wait for: no context, nor what is shared by all but who freezes a file system."""
    return lock.kind not in CONTEXT_KINDS and lock.kind not in ("srcu", "freeze")


@dataclass(eq=False, frozen=True, slots=True)
class Entry:
    """Function `key` is called at `site` with `lock` held, which `holder` has. `above` is how the caller was entered;
    None if that is the holder itself. `width` is that of the widest pointer on the way, `depth` the number of calls."""

    key: str
    holder: str
    lock: HeldLock
    scopes: Scopes
    above: Entry | None
    site: Site
    calling: Calling
    width: int
    depth: int

    @property
    def chain(self) -> tuple[Site, ...]:
        """The calls from the holder down to the function, the outermost first."""
        found: list[Site] = []
        entry: Entry | None = self
        while entry is not None:
            found.append(entry.site)
            entry = entry.above
        return tuple(reversed(found))

    @property
    def others(self) -> frozenset[tuple[str, str]]:
        """The classes and modes of what is surely held besides, by whoever on the way."""
        found: set[tuple[str, str]] = set()
        entry: Entry | None = self
        while entry is not None:
            found |= {(lock.cls, lock.mode) for lock in entry.calling.locks if is_lock(lock) and not lock.may}
            entry = entry.above
        return frozenset(each for each in found if each[0] != self.lock.cls)


class HeldBelow:
    """Answers for the locks of a program, which has been run."""

    def __init__(self, engine: Engine, edges: Edges, entry: EntryScopes) -> None:
        self._engine = engine
        self._edges = edges
        self._entry = entry.scopes
        self._sources: dict[str, list[_Source]] = {}
        self._released: dict[str, frozenset[str]] = {}
        self._watched: dict[str, dict[Point, tuple[Held, ...]]] = {}
        self.wide: set[Site] = set()
        for caller in sorted(engine.facts):
            for edge in edges.of(caller):
                for calling in edge.callings:
                    for lock in calling.locks:
                        if is_lock(lock) and has_class(lock.cls):
                            self._sources.setdefault(lock.cls, []).append((caller, edge, calling, lock))

    def scopes(self, key: str) -> Scopes:
        """The scopes that are open whenever function `key` is entered."""
        return self._entry.get(key, frozenset())

    def below(self, cls: str) -> dict[str, list[Entry]]:
        """How functions are entered with a lock of class `cls` held, by function."""
        found: dict[str, dict[tuple[str, bool, Scopes], Entry]] = {}
        queue: deque[Entry] = deque()

        def add(entry: Entry) -> None:
            here = found.setdefault(entry.key, {})
            state = (entry.lock.mode, entry.lock.may, entry.scopes)
            if state not in here:
                here[state] = entry
                queue.append(entry)

        for holder, edge, calling, lock in self._sources.get(cls, ()):
            if self._is_followed(edge):
                scopes = _inside(self.scopes(holder), calling)
                add(Entry(edge.callee, holder, lock, scopes, None, edge.site, calling, edge.width, 1))
        while queue:
            entry = queue.popleft()
            if entry.depth >= DEEPEST:
                continue
            for edge in self._edges.of(entry.key):
                if not self._is_followed(edge):
                    continue
                for calling in edge.callings:
                    if _has(calling.released, cls) or any(lock.cls == cls for lock in calling.locks):
                        continue  # given back, or taken again: then that one is a source of its own
                    width = max(entry.width, edge.width)
                    scopes = _inside(entry.scopes, calling)
                    add(
                        Entry(
                            edge.callee,
                            entry.holder,
                            entry.lock,
                            scopes,
                            entry,
                            edge.site,
                            calling,
                            width,
                            entry.depth + 1,
                        )
                    )
        return {key: list(entries.values()) for key, entries in found.items()}

    def still_held(self, key: str, point: Point, cls: str) -> bool:
        """False if function `key` has always released its caller's lock of class `cls` when it comes to `point`."""
        if cls not in self._releases(key):
            return True
        states = self.at(key).get(point, ())
        return any(not _has(state.released, cls) for state in states)

    def at(self, key: str) -> dict[Point, tuple[Held, ...]]:
        """What may be held at each call of function `key`."""
        known = self._watched.get(key)
        if known is None:
            func = self._engine.program.functions[key]
            points = [(block, index) for block, index, _ in self._engine.program.calls(func)]
            known = self._watched[key] = self._engine.watch(key, points)
        return known

    def takings(self, key: str) -> Iterator[tuple[Acquisition, Point, tuple[Held, ...]]]:
        """The locks that function `key` waits for, by itself or through a wrapper, where, and what it may hold then; if
        it may hold anything."""
        facts = self._engine.facts[key]
        waited = [each for each in facts.acquisitions if each.blocking and _counts(each.lock)]
        if not waited or facts.given_up:
            return
        func = self._engine.program.functions[key]
        points: dict[Loc, Point] = {}
        for block, index, call in self._engine.program.calls(func):
            points.setdefault(call.loc, (block, index))
        alone = len(facts.acquisitions) == 1 and not facts.asserted and not self._engine.starts.held(key)
        for each in waited:
            point = points.get(each.lock.site.loc)
            if point is not None:
                yield each, point, () if alone else self.at(key).get(point, ())

    def _is_followed(self, edge: Edge) -> bool:
        if edge.width > MANY:
            self.wide.add(edge.site)
        return edge.width <= MANY

    def _releases(self, key: str) -> frozenset[str]:
        """The classes of its callers' locks that function `key` may release for a while."""
        known = self._released.get(key)
        if known is None:
            facts, summary = self._engine.facts[key], self._engine.summary(key)
            each = [calling.released for callings in facts.calls.values() for calling in callings]
            each += [reached.released for reached in summary.reached]
            each += [outcome.released for outcome in summary.outcomes]
            known = self._released[key] = frozenset(release.cls for releases in each for release in releases)
        return known


def _inside(scopes: Scopes, calling: Calling) -> Scopes:
    """The scopes open in what is called, where the caller was entered with `scopes`."""
    if calling.closed:
        scopes -= {closed.kind for closed in calling.closed}
    if calling.scopes:
        scopes |= {scope.kind for scope in calling.scopes}
    return scopes


def _has(released: Iterable[Release], cls: str) -> bool:
    return any(release.cls == cls for release in released)


def _counts(lock: HeldLock) -> bool:
    return is_lock(lock) and has_class(lock.cls) and not lock.asserted
