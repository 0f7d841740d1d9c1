"""Allocations from one reserve, one after the other, with the first element still in hand.

A forward analysis of one function. An element is in hand from its allocation until a call after which it may be back
in the pool, or on its way there: by the models, because a function with a body leads to one of those, or because a
function without a body is given it.
"""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis.callgraph import CallGraph
from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.liveness import reverse_postorder
from gfpcheck.analysis.paths import names_in
from gfpcheck.analysis.program import callee_name
from gfpcheck.analysis.reserves import Pool, Reserves
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.ir import Assign, Bin, Branch, Call, Const, Expr, Func, Instr, Loc, Temp, Un, Var, positions, successors


class Nesting(NamedTuple):
    """The allocation at `site` waits for an element of the pool `text` while the one allocated at `first` is in
    hand. `exchanged`: that one is given back as soon as this one is there, so there are never more than two. `unseen`:
    a function called has kept that one somewhere, so that it has no name here, and when it is gone is not known."""

    site: AllocationSite
    first: Loc
    text: str
    exchanged: bool = False
    unseen: bool = False


class _Element(NamedTuple):
    """An element in hand: its pool, the call that allocated it, and the names that it has. `unseen` as in `Nesting`."""

    pool: Pool
    loc: Loc
    names: frozenset[Expr]
    unseen: bool = False


_Held = dict[Loc, _Element]
_Sites = dict[tuple[int, int], list[tuple[AllocationSite, Pool]]]


class Pools:
    """Finds nested allocations. One object serves a whole program."""

    def __init__(self, engine: Engine, graph: CallGraph) -> None:
        self._engine = engine
        self._graph = graph
        self._models = engine.effects.models
        self._reserves = Reserves(engine.program, self._models)
        self._returning: set[str] | None = None

    def nestings(self, func: Func, sites: list[AllocationSite]) -> tuple[Nesting, ...]:
        """Those of `sites`, allocations of `func`, that wait while an element of the same pool is in hand."""
        pooled: _Sites = {}
        for site in sites:
            pool = self._reserves.of(func, site)
            if pool is not None and self._waits(site):
                pooled.setdefault((site.block, site.position), []).append((site, pool))
        return tuple(self._find(func, pooled)) if pooled else ()

    def _waits(self, site: AllocationSite) -> bool:
        waits = self._engine.effects.gfp.direct_reclaim
        return all(context.flags.ones & waits == waits for context in site.contexts)

    def _find(self, func: Func, pooled: _Sites) -> list[Nesting]:
        order = reverse_postorder(func)
        arriving: dict[int, _Held] = {0: {}}
        pending = {0}
        found: dict[Nesting, None] = {}
        while pending:
            number = min(pending, key=order.index)
            pending.discard(number)
            held = dict(arriving[number])
            for index, instr in enumerate(func.blocks[number].instrs):
                if isinstance(instr, Assign):
                    _assigned(held, instr)
                else:
                    after = func.blocks[number].instrs[index + 1 :]
                    self._called(func, instr, pooled.get((number, index), []), held, found, after)
            term = func.blocks[number].term
            for target in successors(term):
                there = held
                if isinstance(term, Branch) and term.then != term.other:
                    there = _without(held, _null(term.cond, target == term.then))
                old = arriving.get(target)
                new = _joined(old, there) if old is not None else dict(there)
                if new != old:
                    arriving[target] = new
                    pending.add(target)
        known = positions(func) if found else {}
        return sorted(found, key=lambda nesting: (known[nesting.site.call.loc], known[nesting.first]))

    def _called(
        self,
        func: Func,
        call: Call,
        pooled: list[tuple[AllocationSite, Pool]],
        held: _Held,
        found: dict[Nesting, None],
        after: tuple[Instr, ...],
    ) -> None:
        for site, pool in pooled:
            for element in held.values():
                if element.pool.path == pool.path:
                    exchanged = self._is_returned(element, call, after)
                    found[Nesting(site, element.loc, pool.text, exchanged, element.unseen)] = None
        for loc in [loc for loc, element in held.items() if self._may_return(func, call, element)]:
            del held[loc]
        for loc in [loc for loc, element in held.items() if Temp(call.dst) in names_in(element.pool.path)]:
            del held[loc]
        for site, pool in pooled:
            if not (site.via and self._leads_to_return(func, call)):
                unseen = bool(site.via) and not self._returns_pointer(func, call)
                held[call.loc] = _Element(pool, call.loc, frozenset({Temp(call.dst)}), unseen)

    def _returns_pointer(self, func: Func, call: Call) -> bool:
        program = self._engine.program
        return any(program.functions[key].ret.rstrip().endswith("*") for key in program.callees(call, func))

    def _is_returned(self, element: _Element, call: Call, after: tuple[Instr, ...]) -> bool:
        """True if `element` is given back after `call` by one of the instructions that surely follow."""
        held: _Held = {element.loc: element._replace(names=element.names - {Temp(call.dst)})}
        for instr in after:
            if isinstance(instr, Assign):
                _assigned(held, instr)
                if not held:
                    return False
            elif callee_name(instr) in self._models.pool_returns:
                names = held[element.loc].names
                if any(not names.isdisjoint(names_in(argument)) for argument in instr.args):
                    return True
        return False

    def _may_return(self, func: Func, call: Call, element: _Element) -> bool:
        """True if `element` may be back in its pool after `call`."""
        name = callee_name(call)
        if name in self._models.pool_keeps:
            return False
        if name in self._models.pool_returns or self._leads_to_return(func, call):
            return True
        direct = isinstance(call.callee, Var) and call.callee.kind == "f"
        if not direct and not self._engine.program.callees(call, func):
            return True
        known = self._engine.program.callees(call, func) or self._engine.effects.concerns(func, call)
        return not known and any(not element.names.isdisjoint(names_in(argument)) for argument in call.args)

    def _leads_to_return(self, func: Func, call: Call) -> bool:
        """True if a function called has a call, however far below, that returns elements, or that nobody knows."""
        callees = self._engine.program.callees(call, func)
        if not callees:
            return False
        if self._returning is None:
            returning = [key for key in self._engine.program.functions if self._returns(key)]
            self._returning = self._graph.leading_to(returning)
        return not self._returning.isdisjoint(callees)

    def _returns(self, key: str) -> bool:
        program = self._engine.program
        func = program.functions[key]
        for _, _, call in program.calls(func):
            name = callee_name(call)
            if name in self._models.pool_returns or (not name and not program.callees(call, func)):
                return True
        return False


def _assigned(held: _Held, assign: Assign) -> None:
    """Names of elements come and go; a pool that is found by another path now is another one."""
    for loc, element in list(held.items()):
        dst = assign.dst
        if isinstance(dst, Var | Temp) and dst in names_in(element.pool.path):
            del held[loc]
        elif not element.names.isdisjoint(names_in(assign.src)):
            held[loc] = element._replace(names=element.names | names_in(dst))
        elif isinstance(dst, Var | Temp) and dst in element.names:
            held[loc] = element._replace(names=element.names - {dst})


def _without(held: _Held, null: Expr | None) -> _Held:
    """What is in hand where `null` is: not the element of that name."""
    return {loc: element for loc, element in held.items() if null not in element.names}


def _null(condition: Expr, truth: bool) -> Expr | None:
    """What is known to be NULL where `condition` is `truth`."""
    if isinstance(condition, Un) and condition.op == "!":
        return _null(condition.operand, not truth)
    if isinstance(condition, Bin) and condition.op in ("==", "!=") and condition.right == Const(0):
        return _null(condition.left, truth == (condition.op == "!="))
    return None if truth else condition


def _joined(a: _Held, b: _Held) -> _Held:
    """What is in hand on one path or the other."""
    joined = dict(a)
    for loc, element in b.items():
        old = joined.get(loc)
        joined[loc] = element if old is None else old._replace(names=old.names | element.names)
    return joined
