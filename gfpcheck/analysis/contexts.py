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
_Held = tuple[_Class, bool]
_Key = tuple[str, frozenset[_Held], frozenset[str]]


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
    """A way as it is found: `above` is the way into the caller, `site` the call there. `held` tells of what is in
    `locks`; `seen` are those of the ways that were put together in this one."""

    function: str
    context: str
    locks: tuple[HeldLock, ...]
    held: frozenset[_Held]
    scopes: frozenset[str]
    above: _Entry | None = None
    site: Site | None = None
    width: int = 0
    joined: bool = False
    places: set[tuple[str, Site]] = field(default_factory=set)
    seen: set[tuple[frozenset[_Held], frozenset[str]]] = field(default_factory=set)


class Contexts:
    """Answers for all functions of a program, which have been run. Nothing is computed before the first question."""

    def __init__(self, engine: Engine, edges: Edges) -> None:
        self._engine = engine
        self._edges = edges
        self._found: dict[str, dict[_Key, _Entry]] | None = None
        self._joined: dict[str, _Entry] = {}
        self._queue: deque[_Entry] = deque()
        self._said: dict[str, tuple[HeldLock, ...]] = {}
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
        locks = self._own(key)
        entry = _Entry(key, self.context(key), locks, _held(locks), frozenset())
        found.setdefault(key, {})[entry.context, entry.held, entry.scopes] = entry
        self._queue.append(entry)

    def _run(self, found: dict[str, dict[_Key, _Entry]]) -> None:
        while self._queue:
            entry = self._queue.popleft()
            for edge in self._edges.of(entry.function):
                own = self._own(edge.callee)
                here = found.setdefault(edge.callee, {}) if edge.callings else {}
                for calling in edge.callings:
                    self._enter(entry, edge, calling, own, here)

    def _own(self, key: str) -> tuple[HeldLock, ...]:
        """What the function itself says that it is entered with."""
        known = self._said.get(key)
        if known is None:
            known = self._said[key] = (*self._engine.starts.held(key), *self._engine.facts[key].asserted)
        return known

    def _enter(
        self, entry: _Entry, edge: Edge, calling: Calling, own: tuple[HeldLock, ...], here: dict[_Key, _Entry]
    ) -> None:
        """The callee of `edge` is entered where its caller was entered by `entry`; `here` are the ways into it that are
        known."""
        locks = _locks_below(entry.locks, calling, own)
        held = entry.held if locks is entry.locks else _held(locks)
        scopes = _scopes_below(entry.scopes, calling)
        key = (entry.context, held, scopes)
        known = here.get(key)
        if known is None and len(here) < MAX_WAYS:
            width = max(entry.width, edge.width)
            known = here[key] = _Entry(
                edge.callee, entry.context, locks, held, scopes, entry, edge.site, width, entry.joined
            )
            self._queue.append(known)
        elif known is None:
            known = self._join(entry, edge, locks, held, scopes)
        known.places.add((entry.function, edge.site))

    def _join(
        self,
        entry: _Entry,
        edge: Edge,
        locks: tuple[HeldLock, ...],
        held: frozenset[_Held],
        scopes: frozenset[str],
    ) -> _Entry:
        """One of too many ways into the callee of `edge`, with these locks and scopes."""
        known = self._joined.get(edge.callee)
        if known is None:
            width = max(entry.width, edge.width)
            known = self._joined[edge.callee] = _Entry(
                edge.callee, "", (), frozenset(), frozenset(), entry, edge.site, width, joined=True
            )
            self._queue.append(known)
        if (held, scopes) in known.seen:
            return known
        known.seen.add((held, scopes))
        classes = {cls for cls, _ in known.held}
        more = [lock._replace(may=True) for lock in locks if _class(lock) not in classes]
        more = more[: MAX_JOINED - len(known.locks)]
        if more or not scopes <= known.scopes:
            known.locks += tuple(more)
            known.held = _held(known.locks)
            known.scopes |= scopes
            self._queue.append(known)
        return known


def _locks_below(locks: tuple[HeldLock, ...], calling: Calling, own: tuple[HeldLock, ...]) -> tuple[HeldLock, ...]:
    """What is held in a function that says `own` of itself, where its caller was entered with `locks`."""
    if calling.released:
        gone = {(release.cls, release.kind) for release in calling.released}
        locks = tuple(lock for lock in locks if (lock.cls, lock.kind) not in gone)
    if calling.locks or own:
        held = {_class(lock): lock for lock in locks}
        for lock in (*calling.locks, *own):
            held.setdefault(_class(lock), lock)
        locks = tuple(held.values())
    return locks


def _scopes_below(scopes: frozenset[str], calling: Calling) -> frozenset[str]:
    if calling.closed:
        scopes -= {scope.kind for scope in calling.closed}
    if calling.scopes:
        scopes |= {scope.kind for scope in calling.scopes}
    return scopes


def _held(locks: tuple[HeldLock, ...]) -> frozenset[_Held]:
    return frozenset((_class(lock), lock.may) for lock in locks)


def _class(lock: HeldLock) -> _Class:
    return lock.cls, lock.kind, lock.mode
