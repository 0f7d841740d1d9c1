"""Upper bounds of unsigned values, found along the paths of one function: what sizes of allocations can be at most.

A bound comes from constants, from the widths of narrow types, and from comparisons on the way: `if (n > MAX) return`.
It says what the code says, not what memory holds: a member of a narrow type is as large as the type lets it be.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import NamedTuple

from gfpcheck.analysis.inline import Inliner
from gfpcheck.analysis.liveness import reverse_postorder
from gfpcheck.analysis.paths import reads_memory, replace, show
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.ir import (
    Addr,
    Assign,
    Bin,
    Block,
    Branch,
    Call,
    Const,
    Expr,
    Field,
    Func,
    Index,
    Temp,
    Un,
    Var,
    successors,
)

_WIDTHS = {
    "bool": 1,
    "_Bool": 1,
    "char": 127,
    "unsigned char": 255,
    "u8": 255,
    "__u8": 255,
    "uint8_t": 255,
    "unsigned short": 65535,
    "short": 32767,
    "u16": 65535,
    "__u16": 65535,
    "uint16_t": 65535,
    "umode_t": 65535,
}
"""The largest value of each type that is narrow enough to say something about an amount of memory."""
_COMPARISONS: Mapping[str, tuple[str, bool]] = {
    "<": ("<", True),
    "<=": ("<=", True),
    ">": ("<=", False),
    ">=": ("<", False),
    "==": ("<=", True),
    "!=": ("<=", False),
}
"""For each operator, how the left side compares with the right one when the comparison has that truth."""
_SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_ROUNDS = 4
"""Visits of a block after which what still grows has no bound."""
_MOST = 1 << 62


class Bound(NamedTuple):
    """The most that a value can be; None if nothing was found that limits it, because of what `why` names. `by_type`:
    it comes from what a type can hold, which is true, and far from what there ever is."""

    most: int | None
    why: tuple[str, ...] = ()
    by_type: bool = False


_Env = dict[Expr, Bound]
_GROWS = Bound(None, ("a value that grows in a loop",))


class Bounds:
    """Bounds in the functions of one program."""

    def __init__(self, program: Program, inliner: Inliner) -> None:
        self._program = program
        self._inliner = inliner
        self._known: dict[str, dict[int, _Env]] = {}

    def at(self, func: Func, block: int, position: int, expr: Expr) -> Bound:
        """The bound of `expr` before instruction `position` of `block`."""
        key = f"{func.file}:{func.name}"
        if key not in self._known:
            self._known[key] = self._arriving(func)
        env = dict(self._known[key].get(block, {}))
        for instr in func.blocks[block].instrs[:position]:
            self._step(func, instr, env)
        return self._eval(func, expr, env)

    def _arriving(self, func: Func) -> dict[int, _Env]:
        """What is known where each block begins, whichever way led there."""
        order = {block: number for number, block in enumerate(reverse_postorder(func))}
        arriving: dict[int, _Env] = {0: {}}
        visits: dict[int, int] = {}
        pending = {0}
        while pending:
            number = min(pending, key=lambda block: order.get(block, 0))
            pending.discard(number)
            visits[number] = visits.get(number, 0) + 1
            block = func.blocks[number]
            env = dict(arriving[number])
            for instr in block.instrs:
                self._step(func, instr, env)
            for target in successors(block.term):
                new = self._taken(func, block, target, env)
                old = arriving.get(target)
                joined = new if old is None else _join(old, new, visits.get(target, 0) > _ROUNDS)
                if joined != old:
                    arriving[target] = joined
                    pending.add(target)
        return arriving

    def _step(self, func: Func, instr: Assign | Call, env: _Env) -> None:
        if isinstance(instr, Assign):
            value = self._eval(func, instr.src, env)
            _forget(env, instr.dst)
            env[instr.dst] = value
            return
        inlined = self._inliner.value(instr, func.file)
        if inlined is not None:
            expr = replace(inlined[1], dict(zip(inlined[0], instr.args, strict=False)))
            env[Temp(instr.dst)] = self._eval(func, expr, env)
            return
        for expr in [expr for expr in env if reads_memory(expr)]:
            del env[expr]
        for argument in instr.args:
            if isinstance(argument, Addr):
                _forget(env, argument.base)
        name = callee_name(instr)
        proto = self._program.protos.get(name)
        called = f"{name}()" if name else "a function pointer"
        env[Temp(instr.dst)] = _of_type(proto.ret if proto is not None else "", f"what {called} returns")

    def _taken(self, func: Func, block: Block, target: int, env: _Env) -> _Env:
        """What is known on the way to `target`: the branch that leads there says more."""
        term = block.term
        if not isinstance(term, Branch) or term.then == term.other:
            return env
        found = dict(env)
        self._learn(func, term.cond, target == term.then, found)
        return found

    def _learn(self, func: Func, cond: Expr, truth: bool, env: _Env) -> None:
        while isinstance(cond, Un) and cond.op == "!":
            cond, truth = cond.operand, not truth
        if not isinstance(cond, Bin):
            return
        op = cond.op.removesuffix("u")
        if op not in _COMPARISONS:
            return
        for left, right, how in ((cond.left, cond.right, op), (cond.right, cond.left, _SWAPPED[op])):
            sense, when = _COMPARISONS[how]
            limit, _, by_type = self._eval(func, right, env)
            if limit is None or when != truth or isinstance(left, Const):
                continue
            limit -= sense == "<"
            old = self._eval(func, left, env).most
            # What a counter has reached so far is no bound of what it is counted to.
            if old is None or (limit < old and isinstance(right, Const)):
                env[left] = Bound(max(limit, 0), (), by_type)

    def _eval(self, func: Func, expr: Expr, env: _Env) -> Bound:
        known = env.get(expr)
        if known is not None:
            return known
        if isinstance(expr, Const):
            return Bound(expr.value) if 0 <= expr.value < _MOST else Bound(None, ("a negative number",))
        if isinstance(expr, Bin):
            return _operation(expr, self._eval(func, expr.left, env), self._eval(func, expr.right, env))
        if isinstance(expr, Un) and expr.op == "!":
            return Bound(1)
        if isinstance(expr, Var):
            kinds = {"p": "parameter", "g": "global"}
            return _of_type(func.types.get(expr.name, ""), f"{kinds.get(expr.kind, 'variable')} {expr.name}")
        if isinstance(expr, Field):
            member = f"{expr.record}.{expr.member}"
            type_ = self._program.members.get(member, "")
            return _of_type(type_, f"{member} ({type_})" if type_ else member)
        if isinstance(expr, Index):
            return Bound(None, (show(expr),))
        return Bound(None, ("a value that is computed here",))


def _of_type(type_: str, what: str) -> Bound:
    """The bound of `what`, of which nothing is known but its type."""
    width = _WIDTHS.get(type_)
    return Bound(None, (what,)) if width is None else Bound(width, (), width > 1)


def _operation(expr: Bin, left: Bound, right: Bound) -> Bound:
    op, a, b = expr.op.removesuffix("u"), left.most, right.most
    if op in _COMPARISONS:
        return Bound(1)
    if op == "&" and (a is not None or b is not None):
        # A mask of high bits, as for rounding down, says nothing.
        return min((bound for bound in (left, right) if bound.most is not None), key=lambda bound: bound.most or 0)
    if op == "%" and b:
        return Bound(b - 1, (), right.by_type)
    if op in ("-", ">>", "/") and a is not None:
        return Bound(_shrunk(op, a, expr.right), (), left.by_type)
    if a is not None and b is not None:
        compute: Mapping[str, Callable[[int, int], int]] = {"+": operator.add, "*": operator.mul, "|": operator.add}
        if op in compute:
            most = compute[op](a, b)
        elif op == "<<" and b < 48:
            most = a << b
        else:
            return Bound(None, (show(expr),))
        return (
            Bound(most, (), left.by_type or right.by_type)
            if most < _MOST
            else Bound(None, ("a product that is too large",))
        )
    return Bound(None, tuple(dict.fromkeys((*left.why, *right.why))))


def _shrunk(op: str, most: int, by: Expr) -> int:
    if not isinstance(by, Const) or by.value <= 0:
        return most
    if op == "-":
        return max(most - by.value, 0)
    return most >> by.value if op == ">>" else most // by.value


def _forget(env: _Env, lvalue: Expr) -> None:
    """`lvalue` is written."""
    for expr in [expr for expr in env if expr == lvalue or _mentions(expr, lvalue)]:
        del env[expr]


def _mentions(expr: Expr, lvalue: Expr) -> bool:
    if isinstance(lvalue, Var | Temp):
        return replace(expr, {lvalue: Const(0)}) != expr
    if isinstance(lvalue, Field):
        return isinstance(expr, Field) and (expr.record, expr.member) == (lvalue.record, lvalue.member)
    return reads_memory(expr)


def _join(old: _Env, new: _Env, widen: bool) -> _Env:
    found: _Env = {}
    for expr in old.keys() & new.keys():
        a, b = old[expr], new[expr]
        if a == b:
            found[expr] = a
        elif a.most is None or b.most is None:
            found[expr] = Bound(None, tuple(dict.fromkeys((*a.why, *b.why))))
        else:
            most = a if a.most > b.most else Bound(b.most, (), b.by_type or (a.by_type and a.most == b.most))
            found[expr] = _GROWS if widen and b.most > a.most else most
    return found
