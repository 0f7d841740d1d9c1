"""Calls that bring memory without fail though nothing at the call says so: because of a function below.

Such a function is one outside of the files asked for that allocates with __GFP_NOFAIL by itself, or one of these files
that hands what it allocates to its caller and never says that it has failed: it adds the flag, or tries until it has
some. None is known by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.loops import RetryLoop
from gfpcheck.analysis.program import callee_name
from gfpcheck.ir import Assign, Call, Expr, Func, Return, Temp


class Helpers:
    """Answers for one program. `asked` are the functions of the files asked for, `loops` the loops of each function
    that has some."""

    def __init__(self, engine: Engine, asked: Set[str], loops: Mapping[str, list[RetryLoop]]) -> None:
        self._engine = engine
        self._program = engine.program
        self._asked = asked
        self._handing = self._find(loops)

    def brings(self, func: Func, block: int, position: int) -> str:
        """The function of the files asked for by which this call brings memory without fail; empty for any other."""
        call = func.blocks[block].instrs[position]
        assert isinstance(call, Call)
        callees = self._program.callees(call, func)
        if len(callees) != 1 or callees[0] not in self._handing or callees[0] == f"{func.file}:{func.name}":
            return ""
        (held,) = self._engine.watch(f"{func.file}:{func.name}", [(block, position)]).values()
        params = self._program.functions[callees[0]].params
        for each in held:
            values = (*each.values, *(None for _ in params))[: len(params)]
            outcomes = self._engine.summary(callees[0], tuple(values)).outcomes
            if outcomes and all(outcome.value.truth is True and not outcome.value.is_error for outcome in outcomes):
                return callees[0]
        return ""

    def _find(self, loops: Mapping[str, list[RetryLoop]]) -> frozenset[str]:
        """The functions that return what they allocate without fail: by themselves, or through others of these."""
        sources: dict[str, set[tuple[int, int]]] = {}
        nofail = self._engine.effects.gfp.nofail
        for key in sorted(self._asked):
            facts = self._engine.facts[key]
            for site in facts.sites:
                if not site.via and any(c.flags.ones & nofail and not c.given.ones & nofail for c in site.contexts):
                    sources.setdefault(key, set()).add((site.block, site.position))
            for loop in loops.get(key, ()):
                sources.setdefault(key, set()).update((site.block, site.position) for site in loop.sites)
        found: set[str] = set()
        pending = {key for key, points in sources.items() if _returns(self._program.functions[key], points)}
        callers = self._callers()
        while pending:
            found |= pending
            new: set[str] = set()
            for callee in pending:
                for caller, points in callers.get(callee, {}).items():
                    if caller not in found and _returns(self._program.functions[caller], points):
                        new.add(caller)
            pending = new
        return frozenset(found)

    def _callers(self) -> dict[str, dict[str, set[tuple[int, int]]]]:
        """Which functions call which directly, and where."""
        found: dict[str, dict[str, set[tuple[int, int]]]] = {}
        for key in sorted(self._asked):
            func = self._program.functions[key]
            if not func.ret.endswith("*"):
                continue
            for block, index, call in self._program.calls(func):
                if callee_name(call):
                    for callee in self._program.callees(call, func):
                        found.setdefault(callee, {}).setdefault(key, set()).add((block, index))
        return found


def _returns(func: Func, points: Set[tuple[int, int]]) -> bool:
    """True if `func` returns what one of these calls returned, whatever path leads there."""
    if not func.ret.endswith("*"):
        return False
    names: set[Expr] = set()
    for block, index in points:
        call = func.blocks[block].instrs[index]
        if isinstance(call, Call):
            names.add(Temp(call.dst))
    assigns = [instr for block in func.blocks for instr in block.instrs if isinstance(instr, Assign)]
    while True:
        new = {assign.dst for assign in assigns if assign.src in names} - names
        if not new:
            break
        names |= new
    return any(isinstance(block.term, Return) and block.term.value in names for block in func.blocks)
