"""The ways through a function: the one that takes most, and the least that one without an error takes."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.values import MAX_ERRNO
from gfpcheck.ir import Assign, Bin, Branch, Call, Const, Expr, Func, Return, Temp, Un, Var, successors
from gfpcheck.overview.demand.amount import NOTHING, Amount
from gfpcheck.overview.rounds import Loop

_TOP = 1 << 64


class Shape(NamedTuple):
    """A function, or one round of a loop, without its cycles: `order` are its blocks, with one block, the head, for
    each of `loops`; `after` are the blocks that follow each."""

    order: tuple[int, ...]
    after: Mapping[int, tuple[int, ...]]
    loops: Mapping[int, tuple[Loop, Shape]]


def shape_of(func: Func, loops: Sequence[Loop], without: Set[tuple[int, int]]) -> Shape:
    """The shape of `func`, which has these outermost loops, without some edges."""
    edges = {
        number: tuple(target for target in successors(block.term) if (number, target) not in without)
        for number, block in enumerate(func.blocks)
    }
    return _shape(edges, 0, loops)


def _shape(edges: Mapping[int, tuple[int, ...]], begin: int, loops: Sequence[Loop]) -> Shape:
    home = {block: loop.head for loop in loops for block in loop.blocks}
    after: dict[int, dict[int, None]] = {}
    for block, targets in edges.items():
        here = home.get(block, block)
        for target in targets:
            if target in edges and home.get(target, target) != here:
                after.setdefault(here, {})[home.get(target, target)] = None
    order: list[int] = []
    seen = {home.get(begin, begin)}
    waiting = [(home.get(begin, begin), iter(after.get(home.get(begin, begin), ())))]
    while waiting:
        block, targets_left = waiting[-1]
        following = next((each for each in targets_left if each not in seen), None)
        if following is None:
            order.append(block)
            waiting.pop()
        else:
            seen.add(following)
            waiting.append((following, iter(after.get(following, ()))))
    inner = {}
    for loop in loops:
        inside = {
            block: tuple(target for target in edges[block] if target in loop.blocks and target != loop.head)
            for block in loop.blocks
        }
        inner[loop.head] = (loop, _shape(inside, loop.head, loop.inner))
    return Shape(tuple(reversed(order)), {block: tuple(targets) for block, targets in after.items()}, inner)


def most(shape: Shape, weights: Mapping[int, Amount], often: Mapping[int, int], page: int) -> Amount:
    """The most that a way through `shape` takes, whose blocks take `weights`; each loop, by its head, goes round as
    `often` as that says, or once."""
    if not weights:
        return NOTHING
    best = NOTHING
    arriving: dict[int, Amount] = {}
    for block in shape.order:
        here = arriving.pop(block, NOTHING)
        inside = shape.loops.get(block)
        if inside is None:
            here += weights.get(block, NOTHING)
        elif not inside[0].blocks.isdisjoint(weights):
            here += most(inside[1], weights, often, page).times(often.get(block, 1))
        best = _heavier(best, here, page)
        for target in shape.after.get(block, ()):
            arriving[target] = _heavier(arriving.get(target, NOTHING), here, page)
    return best


def _heavier(a: Amount, b: Amount, page: int) -> Amount:
    return a if a.weight(page) >= b.weight(page) else b


class Errors:
    """Which ways out of a branch are taken only when something has failed, each as (block, target)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._program = engine.program
        self._known: dict[str, tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]]]] = {}

    def of(self, func: Func) -> frozenset[tuple[int, int]]:
        """The edges of `func` to what is done after an error."""
        return self._find(func)[0]

    def any(self, func: Func) -> frozenset[tuple[int, int]]:
        """Those of them that any error leads to, rather than a certain one: that may be what is hoped for."""
        return self._find(func)[1]

    def _find(self, func: Func) -> tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]]]:
        key = f"{func.file}:{func.name}"
        if key not in self._known:
            names = self._names(func)
            found: set[tuple[int, int]] = set()
            certain: set[tuple[int, int]] = set()
            for number, block in enumerate(func.blocks):
                if isinstance(block.term, Branch):
                    failed = _fails(block.term.cond, True, *names)
                    if failed is not None:
                        edge = (number, block.term.then if failed else block.term.other)
                        (certain if _is_certain(block.term.cond) else found).add(edge)
            self._known[key] = frozenset(found | certain), frozenset(found)
        return self._known[key]

    def _names(self, func: Func) -> tuple[Set[Expr], Set[Expr], Set[Expr]]:
        """The names of error codes, of pointers that are NULL when an allocation has failed, and of questions whether
        something is an error."""
        codes: set[Expr] = set()
        pointers: set[Expr] = set()
        tests: set[Expr] = set()
        for _, _, call in self._program.calls(func):
            inlined = self._engine.inliner.value(call, func.file)
            if inlined is not None:
                if _is_error_range(inlined[1]):
                    tests.add(Temp(call.dst))
            elif self._engine.effects.allocates(func, call) and self._returns(call).endswith("*"):
                pointers.add(Temp(call.dst))
            elif self._returns(call) == "int" and self._gives_code(func, call):
                codes.add(Temp(call.dst))
        given: dict[Expr, list[Expr]] = {}
        for block in func.blocks:
            for instr in block.instrs:
                if isinstance(instr, Assign) and isinstance(instr.dst, Var | Temp):
                    given.setdefault(instr.dst, []).append(instr.src)
        for _ in range(2):
            for name, sources in given.items():
                if all(source in tests for source in sources):
                    tests.add(name)
                if all(source in pointers for source in sources):
                    pointers.add(name)
                constant = [isinstance(source, Const) and -MAX_ERRNO <= source.value <= 0 for source in sources]
                all_codes = all(source in codes or ok for source, ok in zip(sources, constant, strict=True))
                if all_codes and not codes.isdisjoint(sources):
                    codes.add(name)
        return codes, pointers, tests

    def _returns(self, call: Call) -> str:
        proto = self._program.protos.get(call.callee.name) if isinstance(call.callee, Var) else None
        return proto.ret if proto is not None else ""

    def _gives_code(self, func: Func, call: Call) -> bool:
        """True for a function that returns 0 or an error code, as far as is known; not for a lock that is taken if it
        returns something else than zero."""
        if any(op.does == "acquire" and op.when != "zero" for op in self._engine.effects.lock_ops(func, call)):
            return False
        callees = self._program.callees(call, func)
        values = [outcome.value for callee in callees for outcome in self._engine.summary(callee).outcomes]
        return all(value.is_error is not False or value.truth is False for value in values)


def _fails(cond: Expr, truth: bool, codes: Set[Expr], pointers: Set[Expr], tests: Set[Expr]) -> bool | None:
    """The truth of a condition by which it says that something has failed; None if it says nothing of that."""
    while isinstance(cond, Un) and cond.op == "!":
        cond, truth = cond.operand, not truth
    if cond in codes or cond in tests:
        return truth
    if cond in pointers:
        return not truth
    if not isinstance(cond, Bin) or not isinstance(cond.right, Const):
        return None
    op, number = cond.op.removesuffix("u"), cond.right.value
    if cond.left in codes:
        if number == 0 and op in ("<", "!=", "=="):
            return truth if op != "==" else not truth
        if -MAX_ERRNO <= number < 0 and op == "==":
            return truth
    if cond.left in pointers and number == 0 and op in ("==", "!="):
        return truth if op == "==" else not truth
    return truth if _is_error_range(cond) else None


def _is_certain(cond: Expr) -> bool:
    """True for a question for one error code."""
    while isinstance(cond, Un):
        cond = cond.operand
    return isinstance(cond, Bin) and cond.op in ("==", "!=") and isinstance(cond.right, Const) and cond.right.value < 0


def _is_error_range(expr: Expr) -> bool:
    """True for what IS_ERR_VALUE() of include/linux/err.h leaves."""
    return (
        isinstance(expr, Bin)
        and expr.op.removesuffix("u") in (">", ">=")
        and isinstance(expr.right, Const)
        and -MAX_ERRNO - 1 <= (expr.right.value - _TOP if expr.right.value > 0 else expr.right.value) < 0
    )


def least(
    func: Func,
    weights: Mapping[int, Amount],
    begin: int,
    ends: Set[int],
    errors: Set[tuple[int, int]],
    page: int,
) -> Amount | None:
    """The least that a way takes from block `begin` to one of `ends`, or if there are none to where the function
    returns, by none of the edges `errors`; None if there is no such way."""
    found: dict[int, Amount] = {begin: weights.get(begin, NOTHING)}
    queue = [(found[begin].weight(page), begin)]
    done: set[int] = set()
    while queue:
        _, number = heapq.heappop(queue)
        if number in done:
            continue
        done.add(number)
        term = func.blocks[number].term
        if number in ends or (not ends and isinstance(term, Return)):
            return found[number]
        for target in successors(term):
            if (number, target) not in errors and target not in done:
                new = found[number] + weights.get(target, NOTHING)
                if target not in found or new.weight(page) < found[target].weight(page):
                    found[target] = new
                    heapq.heappush(queue, (new.weight(page), target))
    return None
