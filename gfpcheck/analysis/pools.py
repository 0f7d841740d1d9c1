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
from gfpcheck.analysis.loops import cycles
from gfpcheck.analysis.paths import names_in, parts
from gfpcheck.analysis.program import callee_name
from gfpcheck.analysis.reserves import Pool, Reserves
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.analysis.state import Site, State
from gfpcheck.ir import (
    Addr,
    Assign,
    Bin,
    Branch,
    Call,
    Const,
    Expr,
    Func,
    Instr,
    Loc,
    Temp,
    Un,
    Var,
    positions,
    successors,
)

MAX_ROUNDS = 4
"""Rounds of a loop that are told apart by its counter: one that cannot go round again has no second element."""
MAX_BLOCKS = 16
"""Blocks in which an element is looked for that is given back."""


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
_Round = tuple[int, frozenset[tuple[Expr, int]]]
"""A block, and the numbers that the counters of loops have when it is come to."""
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
        counters = _counters(func, frozenset(number for number, _ in pooled))
        start: _Round = (0, frozenset())
        arriving: dict[_Round, _Held] = {start: {}}
        pending = {start}
        found: dict[Nesting, None] = {}
        while pending:
            round_ = min(pending, key=lambda each: (order.index(each[0]), sorted(map(str, each[1]))))
            pending.discard(round_)
            number, counts = round_
            held = dict(arriving[round_])
            state = State(binds={name: Const(count) for name, count in counts})
            for index, instr in enumerate(func.blocks[number].instrs):
                if isinstance(instr, Assign):
                    _assigned(held, instr)
                    if isinstance(instr.dst, Var | Temp):
                        state.assign(instr.dst, instr.src)
                else:
                    self._called(func, instr, pooled.get((number, index), []), held, found, (number, index + 1))
            term = func.blocks[number].term
            targets = successors(term)
            truth = state.eval(term.cond).truth if isinstance(term, Branch) else None
            if isinstance(term, Branch) and truth is not None:
                targets = (term.then if truth else term.other,)
            after = frozenset((c, n) for c in counters if (n := state.eval(c).constant) is not None)
            for target in targets:
                there = held
                if isinstance(term, Branch) and term.then != term.other:
                    there = _without(held, _null(term.cond, target == term.then))
                entered: _Round = (target, after)
                if entered not in arriving and sum(each[0] == target for each in arriving) >= MAX_ROUNDS:
                    entered = (target, frozenset())
                old = arriving.get(entered)
                new = _joined(old, there) if old is not None else dict(there)
                if new != old:
                    arriving[entered] = new
                    pending.add(entered)
        known = positions(func) if found else {}
        return sorted(found, key=lambda nesting: (known[nesting.site.call.loc], known[nesting.first]))

    def _called(
        self,
        func: Func,
        call: Call,
        pooled: list[tuple[AllocationSite, Pool]],
        held: _Held,
        found: dict[Nesting, None],
        after: tuple[int, int],
    ) -> None:
        for site, pool in pooled:
            for element in held.values():
                if element.pool.path == pool.path:
                    exchanged = self._is_returned_below(func, element, call, site.via) or self._is_returned(
                        func, element._replace(names=element.names - {Temp(call.dst)}), after
                    )
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

    def _is_returned(self, func: Func, element: _Element, after: tuple[int, int]) -> bool:
        """True if `element` is given back on all paths that begin at the instruction `after`, before anything is done
        again and before `func` returns."""
        pending = [(*after, element)]
        seen = {after[0]}
        while pending:
            number, index, element = pending.pop()
            held: _Held = {element.loc: element}
            if self._returned_by(func.blocks[number].instrs[index:], held):
                continue
            term = func.blocks[number].term
            targets = successors(term)
            if not held or not targets or len(seen) > MAX_BLOCKS:
                return False
            for target in targets:
                there = held
                if isinstance(term, Branch) and term.then != term.other:
                    there = _without(held, _null(term.cond, target == term.then))
                if there and target in seen:
                    return False
                pending += [(target, 0, each) for each in there.values()]
                seen.add(target)
        return True

    def _returned_by(self, instrs: tuple[Instr, ...], held: _Held) -> bool:
        """True if one of `instrs` gives back the element in `held`, which loses it if it has no name any more."""
        for instr in instrs:
            if isinstance(instr, Assign):
                _assigned(held, instr)
            elif callee_name(instr) in self._models.pool_returns and any(
                not element.names.isdisjoint(names_in(argument)) for element in held.values() for argument in instr.args
            ):
                return True
        if not any(element.names for element in held.values()):
            held.clear()
        return False

    def _is_returned_below(self, func: Func, element: _Element, call: Call, via: tuple[Site, ...]) -> bool:
        """True if the function called is handed `element` and gives it back as soon as it has the other, to which
        `via` leads."""
        key = f"{via[0].file}:{via[0].function}" if via else ""
        if key not in self._engine.program.callees(call, func):
            return False
        below = self._engine.program.functions[key]
        names = frozenset[Expr](
            Var(param.name, "p")
            for param, argument in zip(below.params, call.args, strict=False)
            if not element.names.isdisjoint(names_in(argument))
        )
        handed = element._replace(names=names)
        calls = [found for found in self._engine.program.calls(below) if found[2].loc == via[0].loc]
        return bool(names and calls) and all(
            self._is_returned_below(below, handed, inner, via[1:])
            or self._is_returned(below, handed, (number, index + 1))
            for number, index, inner in calls
        )

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


def _counters(func: Func, blocks: frozenset[int]) -> frozenset[Expr]:
    """The local variables that the loops around `blocks` assign, and that nobody else can."""
    assigned: set[Expr] = set()
    for loop in cycles(func):
        if not loop.isdisjoint(blocks):
            instrs = [instr for number in loop for instr in func.blocks[number].instrs]
            assigned |= {
                i.dst for i in instrs if isinstance(i, Assign) and isinstance(i.dst, Var) and i.dst.kind == "l"
            }
    for block in func.blocks:
        for instr in block.instrs:
            for argument in (instr.src,) if isinstance(instr, Assign) else instr.args:
                assigned -= {part.base for part in parts(argument) if isinstance(part, Addr)}
    return frozenset(assigned)


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
