"""The value domain is sound: whatever the concrete values, the abstract result holds the concrete one."""

from collections.abc import Callable

from hypothesis import assume, given
from hypothesis import strategies as st

from gfpcheck.analysis import values
from gfpcheck.analysis.values import ALL, ERRNO_BITS, Value

NUMBERS = st.one_of(
    st.integers(0, ALL),
    st.integers(0, 300),
    st.integers(ALL - 300, ALL),
    st.sampled_from([0, 1, ALL, 1 << 63, (1 << 63) - 1, 0xFFFFFFFF]),
)


def holds(value: Value, number: int, parameter: int | None = None) -> bool:
    """Whether `number` is one of the values in `value`, for the given value of the tied parameter."""
    if number & value.ones != value.ones or number & value.zeros:
        return False
    if value.nonzero and number == 0:
        return False
    if value.not_error and number & ERRNO_BITS == ERRNO_BITS:
        return False
    return parameter is None or (number ^ parameter) & value.tied == 0


@st.composite
def members(draw: st.DrawFn) -> tuple[Value, int]:
    """An abstract value and a concrete one in it."""
    number = draw(NUMBERS)
    known = draw(st.one_of(st.just(0), st.just(ALL), st.integers(0, ALL)))
    value = Value(number & known, ~number & known & ALL)
    if number and draw(st.booleans()):
        value = value._replace(nonzero=True)
    if number & ERRNO_BITS != ERRNO_BITS and draw(st.booleans()):
        value = value._replace(not_error=True)
    return values.normal(value), number


def signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


CONCRETE: dict[str, Callable[[int, int], int]] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "&": lambda x, y: x & y,
    "|": lambda x, y: x | y,
    "^": lambda x, y: x ^ y,
    "==": lambda x, y: int(x == y),
    "!=": lambda x, y: int(x != y),
    "<": lambda x, y: int(signed(x) < signed(y)),
    "<=": lambda x, y: int(signed(x) <= signed(y)),
    ">": lambda x, y: int(signed(x) > signed(y)),
    ">=": lambda x, y: int(signed(x) >= signed(y)),
    "<u": lambda x, y: int(x < y),
    "<=u": lambda x, y: int(x <= y),
    ">u": lambda x, y: int(x > y),
    ">=u": lambda x, y: int(x >= y),
}


@given(st.sampled_from(sorted(CONCRETE)), members(), members())
def test_binary_operators_are_sound(op: str, a: tuple[Value, int], b: tuple[Value, int]) -> None:
    assume(a[1] != ERRNO_BITS)  # taken for an error, which it is not: nobody returns -4096
    result = values.binary(op, a[0], b[0])
    assert holds(result, CONCRETE[op](a[1], b[1]) & ALL)


def test_a_value_that_may_be_the_smaller_error_decides_nothing() -> None:
    error, limit = Value(ones=ERRNO_BITS, zeros=0xFFF), Value(ones=ERRNO_BITS)
    assert values.binary(">u", error, limit).constant is None
    assert values.binary(">=u", values.ERRNO, values.const(-4095)).constant == 1
    assert values.binary(">u", values.VALID_POINTER, limit).constant == 0


@given(members(), members())
def test_widening_holds_both(a: tuple[Value, int], b: tuple[Value, int]) -> None:
    widened = values.widen(a[0], b[0])
    assert holds(widened, a[1])
    assert holds(widened, b[1])
    assert values.widen(widened, a[0]) == widened


@given(members(), st.integers(0, 63))
def test_shifts_are_sound(a: tuple[Value, int], shift: int) -> None:
    assert holds(values.binary("<<", a[0], values.const(shift)), (a[1] << shift) & ALL)
    assert holds(values.binary(">>", a[0], values.const(shift)), (signed(a[1]) >> shift) & ALL)


@given(members())
def test_unary_operators_are_sound(a: tuple[Value, int]) -> None:
    value, number = a
    assert holds(values.unary("~", value), ~number & ALL)
    assert holds(values.unary("!", value), int(number == 0))
    assert holds(values.unary("-", value), -number & ALL)


@given(members(), members())
def test_join_holds_both_and_is_commutative(a: tuple[Value, int], b: tuple[Value, int]) -> None:
    joined = values.join(a[0], b[0])
    assert holds(joined, a[1])
    assert holds(joined, b[1])
    assert joined == values.join(b[0], a[0])
    assert values.join(a[0], a[0]) == a[0]


@given(members(), members(), members())
def test_join_is_associative(a: tuple[Value, int], b: tuple[Value, int], c: tuple[Value, int]) -> None:
    left = values.join(values.join(a[0], b[0]), c[0])
    right = values.join(a[0], values.join(b[0], c[0]))
    assert (left.ones, left.zeros) == (right.ones, right.zeros)


@given(members(), members())
def test_meet_keeps_what_is_in_both(a: tuple[Value, int], b: tuple[Value, int]) -> None:
    met = values.meet(a[0], b[0])
    if holds(b[0], a[1]):
        assert met is not None
        assert holds(met, a[1])
    if met is not None:
        assert met.ones & met.zeros == 0


@given(members())
def test_questions_about_a_value_are_answered_truly(a: tuple[Value, int]) -> None:
    value, number = a
    assert value.constant in (None, signed(number))
    assert value.truth in (None, number != 0)
    assert value.negative in (None, signed(number) < 0)
    assert value.is_error in (None, number & ERRNO_BITS == ERRNO_BITS)


@given(NUMBERS, NUMBERS, st.sampled_from(["&", "|", "^"]), members())
def test_bits_tied_to_a_parameter_follow_the_callers_value(
    mask: int, other: int, op: str, argument: tuple[Value, int]
) -> None:
    """(parameter op mask), made in the callee and put into the caller's terms, holds what the caller gets."""
    symbolic = values.binary(op, values.of_param(0), values.const(mask))
    concrete = CONCRETE[op](argument[1], mask)
    assert holds(values.substitute(symbolic, (argument[0],)), concrete)
    assert holds(symbolic, concrete, argument[1])


def test_flags_added_and_cleared_on_a_parameter() -> None:
    flags = values.bit_and(values.bit_or(values.of_param(0), values.const(0x100)), values.const(~0x80))
    assert flags.ones == 0x100
    assert flags.zeros == 0x80
    assert values.substitute(flags, (values.const(0xC0),)).constant == 0x140


def test_an_errno_is_recognised() -> None:
    assert values.const(-12).is_error is True
    assert values.ZERO.is_error is False
    assert values.meet(values.ERRNO, values.VALID_POINTER) is None
