"""Loops of a function, one in another, and how often each goes round at most.

A bound comes from a variable that is counted towards a limit on every round, or from a local flag that a round sets and
the next one asks for. What else keeps a loop going (a list, a cursor, what a function returns) has none: its condition
is named. That a limit is of a narrow type is no bound that would help: nothing has 65535 levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import networkx as nx

from gfpcheck.analysis.paths import names_in, show
from gfpcheck.analysis.program import callee_name
from gfpcheck.ir import Addr, Assign, Bin, Branch, Call, Const, Expr, Func, Loc, Temp, Un, Var, first_of, successors
from gfpcheck.overview.bounds import Bounds

_SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_MASKS = frozenset(Const((1 << bits) - 1) for bits in (32, 64))
_USEFUL = 1024
"""Rounds beyond which a bound says nothing: it is one of numbers, not of what there may be in memory."""
_ONCE_MORE = 2
"""Rounds of a loop that is gone round again once, by a flag."""


class Loop(NamedTuple):
    """A loop of `blocks`, entered at block `head`, with the loops `inner`. It goes round `least` times at least, 0 or
    1, and `most` times at most; None if nothing was found that bounds it. `condition` is what it goes on by, as the
    source says it."""

    head: int
    loc: Loc
    blocks: frozenset[int]
    inner: tuple[Loop, ...]
    least: int
    most: int | None
    condition: str


class Rounds:
    """The loops in the functions of one program."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._known: dict[str, tuple[Loop, ...]] = {}

    def of(self, func: Func) -> tuple[Loop, ...]:
        """The outermost loops of `func`."""
        key = f"{func.file}:{func.name}"
        if key not in self._known:
            graph: nx.DiGraph[int] = nx.DiGraph()
            if any(t <= n for n, block in enumerate(func.blocks) for t in successors(block.term)):
                graph.add_edges_from((n, t) for n, block in enumerate(func.blocks) for t in successors(block.term))
            self._known[key] = tuple(self._loops(func, graph))
        return self._known[key]

    def _loops(self, func: Func, graph: nx.DiGraph[int]) -> Iterator[Loop]:
        for component in sorted(nx.strongly_connected_components(graph), key=min):
            head = min(component)
            if len(component) == 1 and not graph.has_edge(head, head):
                continue
            entries = [node for node in component if any(p not in component for p in graph.predecessors(node))]
            head = min(entries, default=head)
            inside = graph.subgraph(component).copy()
            most, condition = self._most(func, inside, head)
            rounds = [(node, head) for node in list(inside.predecessors(head))]
            inside.remove_edges_from(rounds)
            inner = tuple(self._loops(func, inside))
            least = 0 if any(t not in component for t in successors(func.blocks[head].term)) else 1
            yield Loop(head, _first(func, component), frozenset(component), inner, least, most, condition)

    def _most(self, func: Func, inside: nx.DiGraph[int], head: int) -> tuple[int | None, str]:
        """The least bound of those that the ways out of a loop give; else what the first of these asks for."""
        conditions: list[str] = []
        found: list[int] = []
        for number in sorted(inside):
            term = func.blocks[number].term
            if not isinstance(term, Branch) or (term.then in inside) == (term.other in inside):
                continue
            conditions.append(_said(func, term.cond, term.then in inside))
            if _on_every_round(inside, head, number):
                most = self._bound(func, frozenset(inside), number, term.cond, term.then in inside)
                if most is not None:
                    found.append(most)
        return min(found, default=None), next(iter(conditions), "for ever")

    def _bound(self, func: Func, blocks: frozenset[int], number: int, cond: Expr, stays: bool) -> int | None:
        """How often the loop goes on by the branch that ends block `number`: while `cond` is `stays`."""
        while isinstance(cond, Un) and cond.op == "!":
            cond, stays = cond.operand, not stays
        if not isinstance(cond, Bin) or (op := cond.op.removesuffix("u")) not in _SWAPPED:
            return self._flag(func, blocks, cond, stays)
        op = op if stays else _NEGATED[op]
        left, right = _uncast(cond.left), _uncast(cond.right)
        for counter, limit, how in ((left, right, op), (right, left, _SWAPPED[op])):
            most = self._counted(func, blocks, number, counter, limit, how)
            if most is not None:
                return most
        return None

    def _counted(
        self, func: Func, blocks: frozenset[int], number: int, counter: Expr, limit: Expr, op: str
    ) -> int | None:
        more, counter = _behind(func, blocks, counter)
        steps = _steps(func, blocks, counter)
        if not steps or not names_in(limit).isdisjoint(_changed(func, blocks)):
            return None
        if all(step > 0 for step in steps) and op in ("<", "<=", "!="):
            end, _, by_type = self._bounds.at(func, number, len(func.blocks[number].instrs), limit)
            if end is None or by_type:
                return None
            begin = self._begin(func, blocks, counter)
            rounds = -(-max(end - begin + (op == "<="), 0) // min(steps))
            return rounds + more if rounds <= _USEFUL else None
        if all(step < 0 for step in steps) and op in (">", ">=", "!="):
            ends = [self._bounds.at(func, *where, src) for where, src in _given(func, blocks, counter)]
            if isinstance(counter, Var) and counter.kind == "p":
                ends.append(self._bounds.at(func, 0, 0, counter))
            known = [end.most for end in ends if end.most is not None and not end.by_type]
            if known and len(known) == len(ends) and max(known) <= _USEFUL:
                return max(known) // -max(steps) + (op == ">=") + more
        return None

    def _begin(self, func: Func, blocks: frozenset[int], counter: Expr) -> int:
        """The least that a counter begins with; counters begin with nothing negative."""
        given = [src for _, src in _given(func, blocks, counter)]
        values = [src.value for src in given if isinstance(src, Const)]
        return max(min(values), 0) if values and len(values) == len(given) else 0

    def _flag(self, func: Func, blocks: frozenset[int], flag: Expr, stays: bool) -> int | None:
        """Of a loop that goes on while `flag`, which may be a counter, is true or false (`stays`)."""
        more, name = _behind(func, blocks, flag)
        if not isinstance(name, Var | Temp):
            return None
        if stays and _steps(func, blocks, name):
            return self._counted(func, blocks, min(blocks), flag, Const(0), "!=")
        given = [i for b in blocks for i in func.blocks[b].instrs if isinstance(i, Assign) and i.dst == name]
        constants = [i.src for i in given if isinstance(i.src, Const)]
        if more or not given or len(constants) < len(given) or name in _handed_out(func, blocks):
            return None
        if any(bool(constant.value) == stays for constant in constants):
            return None
        setting = {b for b in blocks for i in func.blocks[b].instrs if isinstance(i, Assign) and i.dst == name}
        graph: nx.DiGraph[int] = nx.DiGraph()
        graph.add_edges_from((b, t) for b in blocks - setting for t in successors(func.blocks[b].term) if t in blocks)
        graph.remove_nodes_from(setting & set(graph))
        return _ONCE_MORE if nx.is_directed_acyclic_graph(graph) else None


def _said(func: Func, cond: Expr, stays: bool) -> str:
    """A condition, or its opposite, as the source says it: what is called rather than what that has returned."""
    while isinstance(cond, Un) and cond.op == "!":
        cond, stays = cond.operand, not stays
    if isinstance(cond, Bin) and (op := cond.op.removesuffix("u")) in _NEGATED:
        left, right = _operand(func, cond.left), _operand(func, cond.right)
        return f"{left} {op if stays else _NEGATED[op]} {right}"
    return f"{'' if stays else '!'}{_operand(func, cond)}"


def _operand(func: Func, expr: Expr) -> str:
    for instr in (instr for block in func.blocks for instr in block.instrs) if isinstance(expr, Temp) else ():
        if isinstance(instr, Call) and Temp(instr.dst) == expr:
            called = instr.macro or callee_name(instr) or show(instr.callee)
            return f"{called}({', '.join(_operand(func, argument) for argument in instr.args)})"
        if isinstance(instr, Assign) and instr.dst == expr and not isinstance(instr.src, Temp):
            return show(instr.src)
    return show(expr)


def _on_every_round(inside: nx.DiGraph[int], head: int, block: int) -> bool:
    """True if no way round leads past `block`."""
    if block == head:
        return True
    rest = inside.copy()
    rest.remove_node(block)
    return not any(nx.has_path(rest, head, node) for node in inside.predecessors(head) if node in rest)


def _first(func: Func, blocks: Iterable[int]) -> Loc:
    """The first line of a loop."""
    places = [instr.loc for block in blocks for instr in func.blocks[block].instrs]
    places += [term.loc for block in blocks if isinstance(term := func.blocks[block].term, Branch)]
    return first_of(func, places)


def _uncast(expr: Expr) -> Expr:
    """`expr` without a cast to an unsigned type, which changes no number that is counted."""
    while isinstance(expr, Bin) and expr.op == "&" and expr.right in _MASKS:
        expr = expr.left
    return expr


def _behind(func: Func, blocks: frozenset[int], name: Expr) -> tuple[int, Expr]:
    """The counter whose old value `name` holds (`n--` as a condition), with the round that it is more; else itself."""
    if isinstance(name, Temp | Var):
        given = [i.src for b in blocks for i in func.blocks[b].instrs if isinstance(i, Assign) and i.dst == name]
        if len(given) == 1 and isinstance(given[0], Var) and given[0] != name:
            return 1, given[0]
    return 0, name


def _steps(func: Func, blocks: frozenset[int], counter: Expr) -> list[int]:
    """By how much a loop changes a local counter, each time; empty if it does so in another way, or not at all."""
    if not isinstance(counter, Var) or counter.kind not in "lp" or counter in _handed_out(func, blocks):
        return []
    steps = []
    for block in blocks:
        for instr in func.blocks[block].instrs:
            if isinstance(instr, Assign) and instr.dst == counter:
                src = instr.src
                if not isinstance(src, Bin) or src.left != counter or not isinstance(src.right, Const):
                    return []
                if src.op not in "+-" or not src.right.value:
                    return []
                steps.append(src.right.value if src.op == "+" else -src.right.value)
    return steps


def _given(func: Func, blocks: frozenset[int], name: Expr) -> Iterator[tuple[tuple[int, int], Expr]]:
    """What `name` is assigned outside of the loop, and where."""
    for number, block in enumerate(func.blocks):
        if number not in blocks:
            for index, instr in enumerate(block.instrs):
                if isinstance(instr, Assign) and instr.dst == name:
                    yield (number, index), instr.src


def _handed_out(func: Func, blocks: Iterable[int]) -> frozenset[Expr]:
    """The variables whose address a call in the loop is given."""
    calls = (instr for block in blocks for instr in func.blocks[block].instrs if isinstance(instr, Call))
    return frozenset(arg.base for call in calls for arg in call.args if isinstance(arg, Addr))


def _changed(func: Func, blocks: frozenset[int]) -> frozenset[Expr]:
    """The variables and results that a loop gives new values."""
    found = set(_handed_out(func, blocks))
    for block in blocks:
        for instr in func.blocks[block].instrs:
            found.add(instr.dst if isinstance(instr, Assign) else Temp(instr.dst))
    return frozenset(found)
