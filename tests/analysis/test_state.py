"""Abstract states: assignments, conditions, joins."""

from gfpcheck.analysis import values
from gfpcheck.analysis.conditions import assume, learn_condition
from gfpcheck.analysis.state import CHANGED, NO_OBJECT, HeldLock, Site, State, blur, join
from gfpcheck.ir import Bin, Const, Deref, Field, Temp, Un, Var

X = Var("x", "l")
Y = Var("y", "l")
P = Var("p", "p")
FLAGS = Field(Deref(P), "struct thing", "flags")
SITE = Site("a.c", "f", 1, 1)


def lock(name: str) -> HeldLock:
    return HeldLock(Var(name, "g"), name, "mutex", "exclusive", SITE, name)


def test_a_copy_keeps_what_is_learnt_of_the_original() -> None:
    state = State()
    state.assign(X, Temp(1))
    after = assume(state, X, True)
    assert after is not None
    assert after.eval(Temp(1)).truth is True
    assert assume(after, Un("!", X), True) is None


def test_conditions_on_bits() -> None:
    state = assume(State(), Bin("&", FLAGS, Const(4)), True)
    assert state is not None
    assert assume(state, Bin("&", FLAGS, Const(4)), False) is None
    assert assume(state, Bin("&", FLAGS, Const(8)), False) is not None
    cleared = assume(State(), Bin("&", FLAGS, Const(12)), False)
    assert cleared is not None
    assert assume(cleared, Bin("&", FLAGS, Const(8)), True) is None


def test_a_repeated_condition_on_memory_is_remembered() -> None:
    condition = Bin("<", FLAGS, Var("limit", "g"))
    state = assume(State(), condition, True)
    assert state is not None
    assert assume(state, condition, False) is None


def test_a_store_to_the_member_forgets_it() -> None:
    state = assume(State(), FLAGS, True)
    assert state is not None
    state = state.copy()
    state.assign(Field(Deref(Var("q", "p")), "struct thing", "flags"), Temp(9))
    assert assume(state, FLAGS, False) is not None


def test_an_old_value_survives_the_change_of_its_source() -> None:
    state = State()
    state.assign(X, Const(3))
    state.assign(Y, X)
    state.assign(X, Const(4))
    assert state.eval(Y).constant == 3
    assert state.eval(X).constant == 4


def test_masked_bits_that_are_compared_are_known() -> None:
    state = assume(State(), Bin("==", Bin("&", FLAGS, Const(6)), Const(4)), True)
    assert state is not None
    assert (state.eval(FLAGS).ones, state.eval(FLAGS).zeros) == (4, 2)
    assert assume(state, Bin("&", FLAGS, Const(2)), True) is None
    assert assume(State(), Bin("==", Bin("&", FLAGS, Const(6)), Const(8)), True) is None


def test_a_variable_changed_in_terms_of_itself() -> None:
    state = State()
    state.assign(X, Const(3))
    state.assign(X, Bin("|", X, Const(4)))
    assert state.eval(X).constant == 7
    state.assign(X, Temp(5))
    state.assign(X, Bin("|", X, Const(4)))
    assert state.eval(X).ones == 4


def test_errno_conventions() -> None:
    below = assume(State(), Bin("<", Temp(1), Const(0)), True)
    assert below is not None
    assert assume(below, Temp(1), False) is None
    zero = assume(State(), Bin("==", Temp(1), Const(0)), True)
    assert zero is not None
    assert zero.eval(Temp(1)).constant == 0


def test_a_lock_path_is_not_confused_with_a_new_value_of_its_variable() -> None:
    state = State()
    instance = Field(Deref(X), "struct thing", "lock")
    state.locks = (HeldLock(instance, "struct thing.lock", "spin", "exclusive", SITE, "x->lock"),)
    state.assign(X, Temp(2))
    assert state.locks[0].instance != instance


def test_join_keeps_what_both_know() -> None:
    a, b = State(), State()
    a.assign(X, Const(4))
    b.assign(X, Const(6))
    a.assign(Y, Temp(1))
    b.assign(Y, Temp(1))
    joined = join(a, b)
    assert joined.eval(X).ones == 4
    assert joined.eval(X).constant is None
    assert joined.resolve(Y) == Temp(1)
    widened = join(a, b, widen=True).eval(X)
    assert widened.ones == 0
    assert widened.truth is True


def test_what_is_put_where_a_parameter_points_is_known_or_known_to_be_changed() -> None:
    place = Deref(P)
    a, b, c = State(), State(), State()
    a.assign(place, Temp(1))
    b.assign(place, Temp(1))
    c.assign(place, Temp(2))
    for widen in (False, True):
        assert join(a, b, widen).binds == {place: Temp(1)}
        assert join(a, c, widen).binds == {place: CHANGED}
        assert join(State(), a, widen).binds == {place: CHANGED}
    a.forget(Temp(1))
    assert a.binds == {place: CHANGED}


def test_join_of_different_copies_keeps_the_value() -> None:
    a, b = State(), State()
    a.assign(X, Temp(1))
    assert a.learn(Temp(1), values.ZERO)
    b.assign(X, Const(0))
    assert join(a, b).eval(X).constant == 0


def test_blurring_turns_what_only_one_holds_into_may() -> None:
    a = State(locks=(lock("m"), lock("n")))
    b = State(locks=(lock("n"),))
    blurred = blur(a, b)
    assert {(held.cls, held.may) for held in blurred.locks} == {("m", True), ("n", False)}


def test_another_round_forgets_memory_but_not_locals() -> None:
    state = assume(State(), FLAGS, True)
    assert state is not None
    state = state.copy()
    state.assign(X, Const(1))
    state.forget_memory({("struct thing", "other")})
    assert assume(state, FLAGS, False) is None
    state.forget_memory({("struct thing", "flags")})
    assert assume(state, FLAGS, False) is not None
    assert state.eval(X).constant == 1


def test_dead_variables_make_states_equal() -> None:
    state = State()
    state.assign(X, Const(1))
    state.assign(Y, Temp(3))
    state.keep_only(frozenset({Y}))
    assert X not in state.facts
    assert state.resolve(Y) == Temp(3)
    assert Const(0) == NO_OBJECT


def test_what_is_known_behind_a_pointer_survives_where_that_is_null() -> None:
    member = Field(Deref(X), "struct s", "m")
    there, missing = State(), State()
    there.learn(X, values.NONZERO)
    there.learn(member, values.NONZERO)
    missing.learn(X, values.ZERO)
    assert join(there, missing).eval(member).truth is True
    assert join(missing, there).eval(member).truth is True
    missing.learn(X, values.ZERO)
    assert join(there, State()).eval(member).truth is None


def test_a_condition_says_what_its_parts_are() -> None:
    state = State()
    assert learn_condition(state, Un("!", X), values.NONZERO)
    assert state.eval(X).truth is False
    assert not learn_condition(state, X, values.NONZERO)
