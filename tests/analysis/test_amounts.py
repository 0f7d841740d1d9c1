"""How much an allocation asks for, as far as it is known."""

from gfpcheck.analysis import values
from gfpcheck.analysis.amounts import NOBODY_KNOWS, Amount, amount_of
from gfpcheck.analysis.state import State
from gfpcheck.ir import Const, Var
from gfpcheck.models import Allocator

N = Var("n", "p")


def state(value: values.Value) -> State:
    return State(facts={N: value})


def test_the_size_is_the_product_of_size_and_count() -> None:
    array = Allocator(count_arg=0, size_arg=1)
    assert amount_of(array, (Const(3), Const(100)), State()).size.constant == 300
    assert amount_of(array, (N, Const(100)), State()) == NOBODY_KNOWS


def test_what_the_caller_passes_is_filled_in() -> None:
    amount = amount_of(Allocator(order_arg=0), (N,), state(values.of_param(1)))
    assert amount.order.constant is None
    assert amount.substitute((values.TOP, values.const(4))) == Amount(order=values.const(4))


def test_half_known_sizes_are_none() -> None:
    aligned = values.Value(zeros=7)
    assert amount_of(Allocator(size_arg=0), (N,), state(aligned)) == NOBODY_KNOWS


def test_an_argument_that_is_not_there_is_not_known() -> None:
    assert amount_of(Allocator(size_arg=2), (N,), State()) == NOBODY_KNOWS
