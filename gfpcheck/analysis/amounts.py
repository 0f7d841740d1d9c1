"""How much an allocation asks for: bytes, or pages as a power of two."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis import values
from gfpcheck.analysis.state import State
from gfpcheck.analysis.values import TOP, Value
from gfpcheck.ir import Expr
from gfpcheck.models import Allocator


class Amount(NamedTuple):
    """`size` in bytes, `order` of pages: TOP where nobody knows, or where the allocator has no such argument."""

    size: Value = TOP
    order: Value = TOP

    def substitute(self, arguments: tuple[Value, ...]) -> Amount:
        """The same in the caller's terms."""
        return Amount(values.substitute(self.size, arguments), values.substitute(self.order, arguments))


NOBODY_KNOWS = Amount()


def amount_of(entry: Allocator, arguments: tuple[Expr, ...], state: State) -> Amount:
    """What a call of `entry` with these resolved arguments asks for in `state`."""
    if entry.size_arg < 0 and entry.order_arg < 0:
        return NOBODY_KNOWS
    size = _argument(entry.size_arg, arguments, state)
    if entry.count_arg >= 0:
        size = values.binary("*", _argument(entry.count_arg, arguments, state), size)
    return Amount(size, _argument(entry.order_arg, arguments, state))


def _argument(number: int, arguments: tuple[Expr, ...], state: State) -> Value:
    """The argument's value if it is a constant or a parameter: less would tell situations apart for nothing."""
    value = state.value(arguments[number]) if 0 <= number < len(arguments) else TOP
    return value if value.constant is not None or value.tied == values.ALL else TOP
