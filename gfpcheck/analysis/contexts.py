"""The ways in which each function is entered: with which locks held and scopes open, and how that is known.

Contexts flow from callers to callees. A function that nobody calls, or that others call because of where it is stored
or registered, is entered as that place says (starts.py) and begins a way; each call of it hands on what it was entered
with, less what it has released and more what it holds there. Ways that bring the same locks, scopes and contexts are
one, and the first one found has the fewest calls.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from gfpcheck.analysis.edges import Edge, Edges
from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.analysis.trace import Calling

MAX_WAYS = 12
"""Ways of one function that are kept apart; the others are put together into one."""
MAX_JOINED = 16
"""Locks that are told of those that were put together."""

_Class = tuple[str, str, str]
_Key = tuple[str, frozenset[tuple[_Class, bool]], frozenset[str]]


class Way(NamedTuple):
    """A way into a function. `chain` leads from the call in the outermost function, `start`, down to that of the
    function itself; it is empty for a start. `context` is how `start` is called, if that is known: one of
    `CallContext`, or "reclaim". `locks` are held and `scopes` open when the function is entered, whoever on the way
    took them.

    `places` is the number of calls of the function that bring the same. `width` is the number of functions that the
    widest pointer on the way may mean. `joined`: there are too many ways; this stands for the rest of them, so that
    what is held may be held in some only.
    """

    start: str
    context: str
    chain: tuple[Site, ...]
    locks: tuple[HeldLock, ...]
    scopes: tuple[str, ...]
    places: int
    width: int
    joined: bool


@dataclass(eq=False, slots=True)
class _Entry:
    """A way as it is found: `above` is the way into the caller, `site` the call there."""

    function: str
    context: str
    locks: tuple[HeldLock, ...]
    scopes: frozenset[str]
    above: _Entry | None = None
    site: Site | None = None
    width: int = 0
    joined: bool = False
    places: set[tuple[str, Site]] = field(default_factory=set)

    @property
    def key(self) -> _Key:
        return self.context, frozenset((_class(lock), lock.may) for lock in self.locks), self.scopes


class Contexts:
    """Answers for all functions of a program, which have been run. Nothing is computed before the first question."""

    def __init__(self, engine: Engine, edges: Edges) -> None:
        self._engine = engine
        self._edges = edges
        self._found: dict[str, dict[_Key, _Entry]] | None = None
        self._joined: dict[str, _Entry] = {}
        self._queue: deque[_Entry] = deque()
        pointers, roots = engine.program.pointers, engine.effects.models.reclaim_roots
        self._reclaim = frozenset(key for root in roots for key in pointers.held((root.record, root.member)))

    def ways(self, key: str) -> tuple[Way, ...]:
        """The ways into function `key`, shortest first. One that nobody calls is its own start."""
        if self._found is None:
            self._found = {}
            self._spread(self._found)
        entries = [*self._found.get(key, {}).values()]
        joined = self._joined.get(key)
        if joined is not None:
            entries.append(joined)
        return tuple(map(self._way, entries))

    def context(self, key: str) -> str:
        """How function `key` is called by what it was given to, as far as that is known; else an empty string."""
        if key in self._reclaim:
            return "reclaim"
        contexts = sorted(self._engine.contexts(key), key=lambda context: (context in ("thread", "work"), context))
        return contexts[0] if contexts else ""

    def _way(self, entry: _Entry) -> Way:
        chain: list[Site] = []
        first = entry
        while first.above is not None and first.site is not None:
            chain.insert(0, first.site)
            first = first.above
        name = self._engine.program.functions[first.function].name
        places = max(len(entry.places), 1)
        scopes = tuple(sorted(entry.scopes))
        return Way(name, entry.context, tuple(chain), entry.locks, scopes, places, entry.width, entry.joined)

    # --- from callers to callees -----------------------------------------------------------

    def _spread(self, found: dict[str, dict[_Key, _Entry]]) -> None:
        functions = sorted(self._engine.program.functions)
        called = self._edges.called()
        for key in functions:
            if key not in called or self.context(key) or key in self._edges.outside:
                self._start(key, found)
        self._run(found)
        for key in functions:  # those that only call each other
            if key not in found:
                self._start(key, found)
                self._run(found)

    def _start(self, key: str, found: dict[str, dict[_Key, _Entry]]) -> None:
        self._add(_Entry(key, self.context(key), self._own(key), frozenset()), found)

    def _run(self, found: dict[str, dict[_Key, _Entry]]) -> None:
        while self._queue:
            entry = self._queue.popleft()
            for edge in self._edges.of(entry.function):
                own = self._own(edge.callee)
                for calling in edge.callings:
                    self._add(_below(entry, edge, calling, own), found)

    def _own(self, key: str) -> tuple[HeldLock, ...]:
        """What the function itself says that it is entered with."""
        return (*self._engine.starts.held(key), *self._engine.facts[key].asserted)

    def _add(self, entry: _Entry, found: dict[str, dict[_Key, _Entry]]) -> None:
        here = found.setdefault(entry.function, {})
        key = entry.key
        known = here.get(key)
        if known is None and len(here) < MAX_WAYS:
            known = here[key] = entry
            self._queue.append(entry)
        elif known is None:
            known = self._join(entry)
        if entry.above is not None and entry.site is not None:
            known.places.add((entry.above.function, entry.site))

    def _join(self, entry: _Entry) -> _Entry:
        """`entry` is one of too many ways into its function."""
        known = self._joined.get(entry.function)
        if known is None:
            known = self._joined[entry.function] = _Entry(
                entry.function, "", (), frozenset(), entry.above, entry.site, entry.width, joined=True
            )
            self._queue.append(known)
        classes = {_class(lock) for lock in known.locks}
        more = [lock._replace(may=True) for lock in entry.locks if _class(lock) not in classes]
        more = more[: MAX_JOINED - len(known.locks)]
        if more or not entry.scopes <= known.scopes:
            known.locks += tuple(more)
            known.scopes |= entry.scopes
            self._queue.append(known)
        return known


def _below(entry: _Entry, edge: Edge, calling: Calling, own: tuple[HeldLock, ...]) -> _Entry:
    """How `edge`'s callee is entered where its caller was entered by `entry`."""
    locks = entry.locks
    if calling.released:
        gone = {(release.cls, release.kind) for release in calling.released}
        locks = tuple(lock for lock in locks if (lock.cls, lock.kind) not in gone)
    if calling.locks or own:
        held = {_class(lock): lock for lock in locks}
        for lock in (*calling.locks, *own):
            held.setdefault(_class(lock), lock)
        locks = tuple(held.values())
    scopes = entry.scopes
    if calling.closed:
        scopes -= {scope.kind for scope in calling.closed}
    if calling.scopes:
        scopes |= {scope.kind for scope in calling.scopes}
    width = max(entry.width, edge.width)
    return _Entry(edge.callee, entry.context, locks, scopes, entry, edge.site, width, entry.joined)


def _class(lock: HeldLock) -> _Class:
    return lock.cls, lock.kind, lock.mode
