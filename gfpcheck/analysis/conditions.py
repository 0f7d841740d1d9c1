"""What a branch that is taken says of the values that its condition asks about."""

from __future__ import annotations

from gfpcheck.analysis import values
from gfpcheck.analysis.state import State
from gfpcheck.analysis.values import Value
from gfpcheck.ir import Bin, Const, Expr, Un

_INVERSE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_INVERSE |= {f"{op}u": f"{inverse}u" for op, inverse in _INVERSE.items() if op[0] in "<>"}


def assume(state: State, condition: Expr, truth: bool) -> State | None:
    """`state` where `condition` is true (or false); None if that is impossible. `state` is unchanged."""
    resolved = state.resolve(condition)
    known = state.value(resolved).truth
    if known is not None:
        return state if known == truth else None
    result = state.copy()
    return result if _refine(result, resolved, truth) else None


def learn_condition(state: State, expr: Expr, value: Value) -> bool:
    """Add that resolved `expr`, which somebody has asked for, is `value`, and what follows for its parts: `!p` is not
    zero only for a `p` that is. False if that cannot be."""
    truth = value.truth
    if truth is not None and not isinstance(expr, Const) and not _refine(state, expr, truth):
        return False
    return state.learn(expr, value)


def _refine(state: State, expr: Expr, truth: bool) -> bool:
    if isinstance(expr, Un) and expr.op == "!":
        return _refine(state, expr.operand, not truth)
    if isinstance(expr, Bin):
        if isinstance(expr.left, Const) and not isinstance(expr.right, Const) and expr.op in ("==", "!=", "&"):
            expr = Bin(expr.op, expr.right, expr.left)
        if expr.op in _INVERSE and not _compare(state, expr, truth):
            return False
        if expr.op == "&" and not _mask(state, expr, truth):
            return False
    if truth:
        return state.learn(expr, values.ONE if _is_boolean(expr) else values.NONZERO)
    return state.learn(expr, values.ZERO)


def _is_boolean(expr: Expr) -> bool:
    return (isinstance(expr, Bin) and expr.op in _INVERSE) or (isinstance(expr, Un) and expr.op == "!")


def _compare(state: State, expr: Bin, truth: bool) -> bool:
    """Facts about the left side of `left op constant`."""
    op = expr.op if truth else _INVERSE[expr.op]
    number = state.value(expr.right).constant
    if number is None:
        return True
    left = expr.left
    if (op, number) in ((">u", 0), (">=u", 1)):
        op, number = "!=", 0
    elif (op, number) in (("<=u", 0), ("<u", 1)):
        op, number = "==", 0
    if op == "==":
        if number == 0 and not _refine(state, left, False):
            return False
        return _bits_are(state, left, number) and state.learn(left, values.const(number))
    if op == "!=":
        if number == 0:
            return _refine(state, left, True)
        return state.value(left).constant != number
    negative = values.Value(ones=values.SIGN, nonzero=True)
    positive = values.Value(zeros=values.SIGN)
    if (op, number) in (("<", 0), ("<=", -1)):
        return state.learn(left, negative)
    if (op, number) in ((">=", 0), (">", -1)):
        return state.learn(left, positive)
    if (op, number) in ((">", 0), (">=", 1)):
        return state.learn(left, positive._replace(nonzero=True))
    if op in (">=u", ">u") and number & values.ERRNO_BITS == values.ERRNO_BITS and number & values.ALL > values.SIGN:
        return state.learn(left, values.ERRNO)
    if op in ("<u", "<=u") and number & values.ERRNO_BITS == values.ERRNO_BITS and number & values.ALL > values.SIGN:
        return state.learn(left, values.Value(not_error=True))
    return True


def _bits_are(state: State, left: Expr, number: int) -> bool:
    """Facts about `x` of `x & mask`, which is `number`."""
    mask = state.value(left.right).constant if isinstance(left, Bin) and left.op == "&" else None
    if mask is None:
        return True
    assert isinstance(left, Bin)
    bits = values.const(number)
    return state.learn(left.left, values.normal(values.Value(bits.ones & mask, bits.zeros & mask & values.ALL)))


def _mask(state: State, expr: Bin, truth: bool) -> bool:
    """Facts about `left` of `left & mask`."""
    mask = state.value(expr.right).constant
    if mask is None:
        return True
    mask &= values.ALL
    if not truth:
        return state.learn(expr.left, values.Value(zeros=mask))
    if mask & (mask - 1) == 0:
        return state.learn(expr.left, values.Value(ones=mask, nonzero=True))
    return state.learn(expr.left, values.NONZERO)
