"""The ways in which a function comes to be called, with what its callers hold."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from gfpcheck.analysis.callgraph import CallGraph
from gfpcheck.analysis.engine import Engine, Held
from gfpcheck.analysis.program import callee_name
from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.ir import Call, Func

MAX_DEPTH = 5
"""Calls that are followed upwards."""
MAX_WAYS = 24
"""Ways that are told of one function."""


class Way(NamedTuple):
    """`chain` leads from the call in the outermost function down to that of the function asked for. `locks` are held
    and `scopes` open in the outermost one; nothing at all where nobody calls it, or the way up was not followed."""

    chain: tuple[Site, ...]
    locks: tuple[HeldLock, ...]
    scopes: tuple[str, ...]


class Callers:
    """Finds callers. One object serves a whole program; what was found out about one caller is kept."""

    def __init__(self, engine: Engine, graph: CallGraph) -> None:
        self._engine = engine
        self._graph = graph.graph
        self._calls: dict[tuple[str, str], tuple[tuple[Site, tuple[Held, ...]], ...]] = {}

    def ways(self, key: str) -> tuple[Way, ...]:
        """The ways to `key`, shortest first: each caller that holds something, and those who hold nothing up to where
        somebody does. No more than `MAX_WAYS`."""
        found: dict[Way, None] = {}
        pending: deque[tuple[str, tuple[Site, ...], frozenset[str]]] = deque([(key, (), frozenset({key}))])
        while pending and len(found) < MAX_WAYS:
            callee, chain, seen = pending.popleft()
            for caller in sorted(self._graph.predecessors(callee)):
                for site, states in self._calls_of(caller, callee):
                    here = (site, *chain)
                    bare = not states
                    for held in states:
                        if held.locks or held.scopes:
                            found.setdefault(Way(here, held.locks, held.scopes))
                        else:
                            bare = True
                    if not bare:
                        continue
                    above = not seen.issuperset(self._graph.predecessors(caller))
                    if above and len(here) < MAX_DEPTH and caller not in seen:
                        pending.append((caller, here, seen | {caller}))
                    else:
                        found.setdefault(Way(here, (), ()))
        return tuple(found)[:MAX_WAYS]

    def _calls_of(self, caller: str, callee: str) -> tuple[tuple[Site, tuple[Held, ...]], ...]:
        """Where `caller` calls `callee` or hands it on as an argument, with what it holds there."""
        known = self._calls.get((caller, callee))
        if known is None:
            known = self._calls[caller, callee] = tuple(self._find(caller, callee))
        return known

    def _find(self, caller: str, callee: str) -> Iterator[tuple[Site, tuple[Held, ...]]]:
        func = self._engine.program.functions[caller]
        every = self._engine.program.calls(func)
        calls = {(block, index): call for block, index, call in every if self._leads_to(call, func, callee)}
        for point, held in self._engine.watch(caller, calls).items():
            loc = calls[point].loc
            without_values = dict.fromkeys(each._replace(values=()) for each in held)
            yield Site(func.file, func.name, loc.line, loc.col), tuple(without_values)

    def _leads_to(self, call: Call, func: Func, callee: str) -> bool:
        """True if `call` calls `callee`, or hands it to a function that may call it before it returns."""
        program, models = self._engine.program, self._engine.effects.models
        if callee in program.callees(call, func):
            return True
        return callee in program.passed_functions(call, func.file) and not models.defers(callee_name(call))
