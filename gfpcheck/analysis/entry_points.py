"""By which ways tasks come to a function: from a system call, a page fault, an exit, or as a kernel thread or worker.

Methods by which the kernel calls in are data (models/data/entries.toml); main functions of threads and work items are
known from where they are registered. A way is a chain of calls, the likeliest one: few calls, few pointers that may
mean many functions. Whether the functions on it really make these calls, given the constants that they pass on, is
found out by running them (`Routes.confirmed`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Set
from itertools import pairwise
from typing import NamedTuple, get_args

from gfpcheck.analysis.edges import Edges
from gfpcheck.analysis.engine import Engine, Exploration
from gfpcheck.analysis.paths import same_object
from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.analysis.trace import Consts
from gfpcheck.ir import Expr, Var
from gfpcheck.models import EntryKind

KINDS: tuple[EntryKind, ...] = get_args(EntryKind)
"""All kinds, the best victims of the OOM killer first."""
_FEW = 8
"""Functions that a pointer may mean up to which it is likely that it means the one on the way."""
_POINTER, _WIDE, _HANDED, _STRANGE = 2, 20, 20, 10
"""What a pointer, one that may mean many functions, and a function that is handed on add to the length of a way; and
a pointer to a function of a file that nobody above on the way has to do with."""
_TRIES = 4
"""Ways of one kind to one function that are looked at."""


class Entry(NamedTuple):
    """Tasks come into function `key`. `how` says by which method; `through`, `owns` as in `EntryPoint`."""

    key: str
    kind: EntryKind
    how: str
    through: tuple[str, ...] = ()
    owns: int = -1


class Call(NamedTuple):
    """`callee` is called at `site`, as one of the `width` functions that a pointer may mean there; 0 for a direct call.
    `handed`: it is handed to the function called there, which calls it or has it called."""

    site: Site
    callee: str
    width: int
    handed: bool


class Route(NamedTuple):
    """A way from an entry down to a function; no calls if that is the entry itself."""

    entry: Entry
    calls: tuple[Call, ...]

    @property
    def function(self) -> str:
        """The function that it leads to."""
        return self.calls[-1].callee if self.calls else self.entry.key


class Confirmed(NamedTuple):
    """A route whose functions make these calls: what the last one does then, and which of its names are objects that
    nobody else has any more."""

    route: Route
    found: Exploration
    owners: frozenset[Expr]


class _Back(NamedTuple):
    caller: str
    site: Site
    width: int
    handed: bool
    cost: int


_Link = tuple[str, Site, str]


class Routes:
    """The ways into the functions of a program, which have been run."""

    def __init__(self, engine: Engine, edges: Edges) -> None:
        self._engine = engine
        self._edges = edges
        self._entries: dict[EntryKind, dict[str, Entry]] = {kind: {} for kind in KINDS}
        for entry in _entries(engine):
            self._entries[entry.kind].setdefault(entry.key, entry)
        self._callers: dict[str, list[_Back]] = {}
        self._files: dict[str, set[str]] = {}
        for caller in sorted(engine.program.functions):
            direct = _named(engine, caller)
            files = self._files[caller] = set()
            for edge in edges.of(caller):
                func = engine.program.functions[edge.callee]
                handed = edge.passed or (not edge.width and func.name not in direct.get(edge.site, (func.name,)))
                cost = 1 + (_WIDE if edge.width > _FEW else _POINTER if edge.width > 1 else 0)
                cost += _HANDED if handed else 0
                self._callers.setdefault(edge.callee, []).append(_Back(caller, edge.site, edge.width, handed, cost))
                if not edge.width:
                    files.add(func.file)
        self._near = {kind: self._distances(kind) for kind in KINDS}

    def length(self, key: str, kind: EntryKind) -> int | None:
        """How far function `key` is from the nearest entry of that kind; None: there is no way at all."""
        return self._near[kind].get(key)

    def confirmed(self, key: str, kind: EntryKind) -> Iterator[Confirmed]:
        """Ways of one kind to function `key` that its callers really go, shortest first; a few at most."""
        banned: set[_Link] = set()
        for _ in range(_TRIES):
            route = self._shortest(key, kind, banned)
            if route is None:
                return
            keys = (route.entry.key, *(call.callee for call in route.calls))
            links = [
                (above, call.site, call.callee) for (above, _), call in zip(pairwise(keys), route.calls, strict=True)
            ]
            found, depth = self._walk(route)
            if found is not None:
                yield found
                depth = len(links) - 1
            if depth < 0 or not links:
                return
            banned.add(links[min(depth, len(links) - 1)])

    def held(self, route: Route) -> tuple[tuple[HeldLock, ...], ...]:
        """The locks that are surely held at each call of `route` by the function that makes it."""
        above, found = route.entry.key, []
        for call in route.calls:
            found.append(self.held_at(above, call.site))
            above = call.callee
        return tuple(found)

    def promised(self, entry: Entry) -> tuple[HeldLock, ...]:
        """The locks with which the kernel calls an entry, as far as that is documented."""
        return self._engine.starts.held(entry.key)

    def held_at(self, key: str, site: Site) -> tuple[HeldLock, ...]:
        """The locks that function `key` surely holds at a call, whether it has taken them or its caller."""
        callings = [calling for edge in self._edges.of(key) if edge.site == site for calling in edge.callings]
        first = callings[0].locks if callings else ()
        everywhere = [{lock.cls for lock in calling.locks if not lock.may} for calling in callings]
        return tuple(lock for lock in first if all(lock.cls in each for each in everywhere))

    # --- searching -------------------------------------------------------------------------

    def _distances(self, kind: EntryKind) -> dict[str, int]:
        below: dict[str, list[tuple[str, int]]] = {}
        for callee, backs in self._callers.items():
            for back in backs:
                below.setdefault(back.caller, []).append((callee, back.cost))
        found: dict[str, int] = {}
        queue = [(0, key) for key in sorted(self._entries[kind])]
        while queue:
            cost, key = heapq.heappop(queue)
            if key in found:
                continue
            found[key] = cost
            for callee, more in below.get(key, ()):
                if callee not in found:
                    heapq.heappush(queue, (cost + more, callee))
        return found

    def _shortest(self, key: str, kind: EntryKind, banned: Set[_Link]) -> Route | None:
        """The shortest way without the calls that are `banned`, from its end, with `_distances` as the guide."""
        near, entries = self._near[kind], self._entries[kind]
        if key not in near:
            return None
        # What is called through a pointer is most likely what a function above has made: one that has to do with the
        # file (`wanted`) where the function stands.
        queue: list[tuple[int, int, str, str, tuple[Call, ...]]] = [(near[key], 0, key, "", ())]
        seen: set[tuple[str, str]] = set()
        while queue:
            _, cost, at, wanted, calls = heapq.heappop(queue)
            if (at, wanted) in seen:
                continue
            seen.add((at, wanted))
            if at in entries and not wanted:
                return Route(entries[at], calls)
            if at in entries:
                heapq.heappush(queue, (cost + _STRANGE, cost + _STRANGE, at, "", calls))
            for back in self._callers.get(at, ()):
                if back.caller not in near or (back.caller, back.site, at) in banned:
                    continue
                file = self._engine.program.functions[at].file if back.width > 1 else wanted
                file = "" if file in self._files[back.caller] else file
                if (back.caller, file) not in seen:
                    more = cost + back.cost
                    chain = (Call(back.site, at, back.width, back.handed), *calls)
                    heapq.heappush(queue, (more + near[back.caller], more, back.caller, file, chain))
        return None

    def _walk(self, route: Route) -> tuple[Confirmed | None, int]:
        """Runs the functions on the way, each with the constants that it is passed there: what the last one does, or
        None and the number of the call that none of them makes."""
        program, deepest = self._engine.program, 0
        owned = frozenset((route.entry.owns,)) if route.entry.owns >= 0 else frozenset[int]()
        stack: list[tuple[int, str, Consts, frozenset[int]]] = [(0, route.entry.key, (), owned)]
        while stack:
            depth, key, consts, owned = stack.pop()
            found = self._engine.explore(key, consts)
            params = program.functions[key].params
            owners: frozenset[Expr] = frozenset(Var(params[n].name, "p") for n in owned if n < len(params))
            if depth == len(route.calls):
                return Confirmed(route, found, owners), depth
            deepest = max(deepest, depth)
            call = route.calls[depth]
            for at, arguments in found.calls:
                if at.site == call.site and at.callee == call.callee:
                    fixed = at.consts if any(number is not None for number in at.consts) else ()
                    passed = frozenset(n for n, argument in enumerate(arguments) if same_object(argument, owners))
                    stack.append((depth + 1, at.callee, fixed, passed))
        return None, deepest


def _named(engine: Engine, caller: str) -> dict[Site, tuple[str, ...]]:
    """The functions that a function calls by name, by place."""
    func = engine.program.functions[caller]
    found: dict[Site, tuple[str, ...]] = {}
    for _, _, call in engine.program.calls(func):
        if isinstance(call.callee, Var) and call.callee.kind == "f":
            site = Site(func.file, func.name, *call.loc)
            found[site] = (*found.get(site, ()), call.callee.name)
    return found


def _entries(engine: Engine) -> Iterator[Entry]:
    program, models = engine.program, engine.effects.models
    for point in models.entry_points:
        for key in program.pointers.held((point.record, point.member)):
            how = f"{point.record.removeprefix('struct ')}.{point.member}"
            yield Entry(key, point.kind, how, point.through, point.owns)
    for key, func in program.functions.items():
        for prefix in models.system_calls:
            if func.name.startswith(prefix):
                yield Entry(key, "syscall", f"the system call {func.name.removeprefix(prefix)}()")
        contexts = engine.contexts(key)
        if "thread" in contexts:
            yield Entry(key, "thread", "the main function of a kernel thread")
        elif "work" in contexts:
            yield Entry(key, "work", "a work item's function")
