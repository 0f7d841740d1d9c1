"""The value domain: integers and pointers as known bits.

Each of 64 bits is 0, 1 or unknown, as in the `tnum` of the kernel's BPF verifier; unknown bits may
be tied to the same bits of a parameter, so that a summary can say "the caller's flags, plus
__GFP_ZERO". Two facts that bits cannot carry stand beside them: "not zero" and "not an ERR_PTR".
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

WIDTH = 64
ALL = (1 << WIDTH) - 1
SIGN = 1 << (WIDTH - 1)
MAX_ERRNO = 4095
"""include/linux/err.h"""
ERRNO_BITS = ALL & ~0xFFF
"""Bits that are all set in every ERR_PTR and negative errno."""
_CACHED = 1 << 16
"""The same few values meet again and again."""


class Value(NamedTuple):
    """A set of 64-bit values: every one that agrees with `ones`, `zeros` and the flags.

    `param` is the index of the parameter whose bits in `tied` are also this value's bits, or -1.
    """

    ones: int = 0
    zeros: int = 0
    nonzero: bool = False
    not_error: bool = False
    param: int = -1
    tied: int = 0

    @property
    def constant(self) -> int | None:
        """The one value, as a signed number, if there is only one."""
        if self.ones | self.zeros != ALL:
            return None
        return self.ones - (1 << WIDTH) if self.ones & SIGN else self.ones

    @property
    def known(self) -> int:
        return self.ones | self.zeros

    @property
    def truth(self) -> bool | None:
        """Whether it is non-zero; None when that is not known."""
        if self.ones or self.nonzero:
            return True
        if self.zeros == ALL:
            return False
        return None

    @property
    def negative(self) -> bool | None:
        if self.ones & SIGN:
            return True
        if self.zeros & SIGN:
            return False
        return None

    @property
    def is_error(self) -> bool | None:
        """Whether it is an ERR_PTR or a small negative number; None when not known."""
        if self.ones & ERRNO_BITS == ERRNO_BITS:
            return True
        if self.not_error or self.zeros & ERRNO_BITS:
            return False
        return None


TOP = Value()
ZERO = Value(0, ALL, False, True)
ONE = Value(1, ALL & ~1, True, True)
NONZERO = Value(nonzero=True)
VALID_POINTER = Value(nonzero=True, not_error=True)
ERRNO = Value(ones=ERRNO_BITS, nonzero=True)


@lru_cache(maxsize=_CACHED)
def const(number: int) -> Value:
    """The value `number`, taken modulo 2**64."""
    bits = number & ALL
    return Value(bits, ALL & ~bits, bits != 0, bits & ERRNO_BITS != ERRNO_BITS)


def of_param(index: int) -> Value:
    """An unknown value: whatever the caller passes as parameter `index`."""
    return Value(param=index, tied=ALL)


def boolean(truth: bool | None) -> Value:
    if truth is None:
        return Value(0, ALL & ~1)
    return ONE if truth else ZERO


def normal(value: Value) -> Value:
    """The same set of values with the implied facts filled in."""
    ones, zeros, nonzero, not_error, param, tied = value
    tied &= ~(ones | zeros)
    if not tied:
        param = -1
    if zeros & ERRNO_BITS:
        not_error = True
    return Value(ones, zeros, nonzero or ones != 0, not_error, param, tied)


@lru_cache(maxsize=_CACHED)
def join(a: Value, b: Value) -> Value:
    """The smallest value that holds both (least upper bound, but for bits tied to two parameters)."""
    if a == b:
        return a
    ones = a.ones & b.ones
    zeros = a.zeros & b.zeros
    same = a.param == b.param and a.param >= 0
    tied = a.tied & b.tied & ~(ones | zeros) if same else 0
    return Value(
        ones,
        zeros,
        a.truth is True and b.truth is True,
        a.is_error is False and b.is_error is False,
        a.param if tied else -1,
        tied,
    )


def widen(a: Value, b: Value) -> Value:
    """A value that holds both; if they differ, one that says no more than whether it is zero, negative or an error."""
    if a == b:
        return a
    both = join(a, b)
    return Value(both.ones & SIGN, both.zeros & SIGN, both.nonzero, both.not_error)


@lru_cache(maxsize=_CACHED)
def meet(a: Value, b: Value) -> Value | None:
    """The values in both, or None if there is none."""
    ones = a.ones | b.ones
    zeros = a.zeros | b.zeros
    if ones & zeros:
        return None
    source = a if a.tied else b
    result = normal(Value(ones, zeros, a.nonzero or b.nonzero, a.not_error or b.not_error, source.param, source.tied))
    if result.nonzero and result.zeros == ALL:
        return None
    if result.not_error and result.ones & ERRNO_BITS == ERRNO_BITS:
        return None
    return result


def bit_and(a: Value, b: Value) -> Value:
    ones = a.ones & b.ones
    zeros = a.zeros | b.zeros
    tied_a = a.tied & b.ones
    tied_b = b.tied & a.ones
    param, tied = (a.param, tied_a) if tied_a else (b.param, tied_b)
    return normal(Value(ones, zeros & ALL, False, False, param, tied))


def bit_or(a: Value, b: Value) -> Value:
    ones = a.ones | b.ones
    zeros = a.zeros & b.zeros
    tied_a = a.tied & b.zeros
    tied_b = b.tied & a.zeros
    param, tied = (a.param, tied_a) if tied_a else (b.param, tied_b)
    return normal(Value(ones, zeros, a.nonzero or b.nonzero, False, param, tied))


def bit_xor(a: Value, b: Value) -> Value:
    known = a.known & b.known
    ones = (a.ones ^ b.ones) & known
    tied_a = a.tied & b.zeros
    tied_b = b.tied & a.zeros
    param, tied = (a.param, tied_a) if tied_a else (b.param, tied_b)
    return normal(Value(ones, known & ~ones, False, False, param, tied))


def bit_not(a: Value) -> Value:
    return Value(a.zeros, a.ones, a.ones != ALL and a.zeros != 0)


def logical_not(a: Value) -> Value:
    truth = a.truth
    return boolean(None if truth is None else not truth)


def _constants(a: Value, b: Value) -> tuple[int, int] | None:
    x, y = a.constant, b.constant
    return None if x is None or y is None else (x, y)


def _compare(op: str, x: int, y: int) -> bool:
    if op.endswith("u"):
        x, y, op = x & ALL, y & ALL, op[:-1]
    if op == "<":
        return x < y
    if op == "<=":
        return x <= y
    if op == ">":
        return x > y
    return x >= y


def _sign_compare(op: str, a: Value, b: Value) -> bool | None:
    """A signed comparison with zero that the sign alone decides."""
    if b.constant != 0 or op.endswith("u"):
        return None
    if op == "<":
        return a.negative
    if op == ">=":
        return None if a.negative is None else not a.negative
    if op == ">" and a.negative:
        return False
    if op == "<=" and a.negative:
        return True
    if op == ">" and a.negative is False and a.truth is True:
        return True
    return None


@lru_cache(maxsize=_CACHED)
def binary(op: str, a: Value, b: Value) -> Value:
    """The value of `a op b` (the IR's operator spelling)."""
    if op == "&":
        return bit_and(a, b)
    if op == "|":
        return bit_or(a, b)
    if op == "^":
        return bit_xor(a, b)
    pair = _constants(a, b)
    if op in ("==", "!="):
        equal: bool | None = None
        if pair:
            equal = pair[0] & ALL == pair[1] & ALL
        elif meet(a, b) is None:
            equal = False
        return boolean(equal if op == "==" or equal is None else not equal)
    if op[0] in "<>" and op not in ("<<", ">>"):
        if pair:
            return boolean(_compare(op, *pair))
        if op in (">=u", ">u") and b.ones & ERRNO_BITS == ERRNO_BITS and a.is_error is not None:
            first = -MAX_ERRNO if op == ">=u" else -MAX_ERRNO - 1
            return boolean(True if a.is_error and b.constant == first else None if a.is_error else False)
        return boolean(_sign_compare(op, a, b))
    if pair:
        return _arithmetic(op, *pair)
    if op == "<<" and b.constant is not None and 0 <= b.constant < WIDTH:
        shift = b.constant
        return normal(Value((a.ones << shift) & ALL, ((a.zeros << shift) | ((1 << shift) - 1)) & ALL))
    if op == ">>" and b.constant is not None and 0 <= b.constant < WIDTH and a.zeros & SIGN:
        shift = b.constant
        return normal(Value(a.ones >> shift, (a.zeros >> shift) | (ALL & ~(ALL >> shift))))
    return TOP


def _arithmetic(op: str, x: int, y: int) -> Value:
    if op == "+":
        return const(x + y)
    if op == "-":
        return const(x - y)
    if op == "*":
        return const(x * y)
    if op in ("/", "%") and y:
        quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
        return const(quotient if op == "/" else x - quotient * y)
    if op == "<<" and 0 <= y < WIDTH:
        return const(x << y)
    if op == ">>" and 0 <= y < WIDTH:
        return const(x >> y)
    return TOP


@lru_cache(maxsize=_CACHED)
def unary(op: str, a: Value) -> Value:
    if op == "~":
        return bit_not(a)
    if op == "!":
        return logical_not(a)
    number = a.constant
    return TOP if number is None else const(-number)


@lru_cache(maxsize=_CACHED)
def substitute(value: Value, arguments: tuple[Value, ...]) -> Value:
    """`value` in the caller's terms: tied bits take what the caller passes for the parameter."""
    if value.param < 0:
        return value
    if value.param >= len(arguments):
        return value._replace(param=-1, tied=0)
    argument = arguments[value.param]
    return normal(
        Value(
            value.ones | (argument.ones & value.tied),
            value.zeros | (argument.zeros & value.tied),
            value.nonzero or (value.tied == ALL and argument.nonzero),
            value.not_error or (value.tied == ALL and argument.not_error),
            argument.param,
            argument.tied & value.tied,
        )
    )


OUTCOMES: dict[str, tuple[Value, Value]] = {
    "nonzero": (NONZERO, ZERO),
    "zero": (ZERO, NONZERO),
    "nonnull": (NONZERO, ZERO),
    "not_error": (Value(not_error=True), ERRNO),
    "error": (ERRNO, Value(not_error=True)),
}
"""What the call returns when the operation happened, and when it did not: by the `when` of a model entry."""
