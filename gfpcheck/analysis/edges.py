"""The calls of a program, each with what is held there: what contexts and scopes flow along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.pointers import place_of
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.state import Site
from gfpcheck.analysis.trace import NOTHING_HELD, Calling
from gfpcheck.ir import Var


class Edge(NamedTuple):
    """`callee` is called at `site`, or handed to a function that may call it before it returns: once for each of
    `callings`. `width` is the number of functions that a pointer may mean there, 0 for a direct call. `passed`: only if
    the caller's own caller passes it."""

    callee: str
    site: Site
    width: int
    callings: tuple[Calling, ...]
    passed: bool = False


class Edges:
    """The calls of all functions of a program, which have been run. `outside` are the functions that are stored in
    members which no function here calls through: others do."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._of: dict[str, tuple[Edge, ...]] = {}
        self.outside = _called_from_outside(engine.program)

    def of(self, caller: str) -> tuple[Edge, ...]:
        """The calls that function `caller` makes; not those that it never gets to."""
        known = self._of.get(caller)
        if known is None:
            facts = self._engine.facts[caller]
            if self._engine.relevant(caller) and not facts.given_up:
                found = [Edge(*call, callings) for call, callings in facts.calls.items()]
                found += [Edge(*call, callings, passed=True) for call, callings in facts.passed.items()]
            else:
                found = list(self._written(caller))
            known = self._of[caller] = tuple(found)
        return known

    def called(self) -> frozenset[str]:
        """The functions that are called by others."""
        edges = ((caller, edge) for caller in self._engine.program.functions for edge in self.of(caller))
        return frozenset(edge.callee for caller, edge in edges if edge.callee != caller)

    def _written(self, caller: str) -> Iterator[Edge]:
        """The calls as they are written, for a function that was not run: because it holds nothing, or for its size."""
        program, models = self._engine.program, self._engine.effects.models
        func = program.functions[caller]
        for _, _, call in program.calls(func):
            site = Site(func.file, func.name, *call.loc)
            direct = isinstance(call.callee, Var) and call.callee.kind == "f"
            callees = program.callees(call, func)
            for callee in callees:
                yield Edge(callee, site, 0 if direct else len(callees), NOTHING_HELD)
            if not (direct and models.defers(callee_name(call))):
                for callee in program.passed_functions(call, func.file):
                    yield Edge(callee, site, 0, NOTHING_HELD)


def _called_from_outside(program: Program) -> frozenset[str]:
    called = {
        place
        for func in program.functions.values()
        for _, _, call in program.calls(func)
        if not (isinstance(call.callee, Var) and call.callee.kind == "f") and (place := place_of(call.callee))
    }
    return frozenset(
        key for place in program.pointers.places() if place not in called for key in program.pointers.held(place)
    )
