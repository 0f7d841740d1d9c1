"""What is believed of locks when the analysis cannot tell."""

from gfpcheck.analysis import values
from gfpcheck.analysis.balance import Ledger, consistent, plausible
from gfpcheck.analysis.state import LOST, WAITING, ClosedScope, HeldLock, OpenScope, Release, Site, anonymous
from gfpcheck.analysis.summary import RETURNED, Outcome
from gfpcheck.ir import Deref, Var

SITE = Site("a.c", "f", 1, 1)
FLAG = Var("flag", "p")


def lock(name: str, may: bool = False) -> HeldLock:
    return HeldLock(Var(name, "g"), name, "spin", "exclusive", SITE, name, may=may)


def release(name: str) -> Release:
    return Release(Var(name, "g"), name, "spin")


def ledger(held: str = "", taken: str = "", owed: str = "") -> Ledger:
    return Ledger(
        lambda r: r.cls in held.split(),
        lambda r: r.cls in taken.split(),
        lambda h: h.cls in owed.split(),
    )


def test_a_lock_that_callers_cannot_know_of_is_not_left_held() -> None:
    held, not_held = Outcome(acquired=(lock("a"),)), Outcome()
    assert consistent((held, not_held), frozenset()) == (not_held,)


def test_outcomes_that_callers_can_tell_apart_keep_their_locks() -> None:
    by_value = (Outcome(values.ONE, acquired=(lock("a"),)), Outcome(values.ZERO))
    assert consistent(by_value, frozenset()) == by_value
    by_flag = (
        Outcome(acquired=(lock("a"),), when=((FLAG, values.NONZERO),)),
        Outcome(when=((FLAG, values.ZERO),)),
    )
    assert consistent(by_flag, frozenset()) == by_flag


def test_one_of_two_locks_stays() -> None:
    either = (Outcome(acquired=(lock("a"),)), Outcome(acquired=(lock("b"),)))
    assert consistent(either, frozenset()) == either


def test_a_lock_held_on_some_of_the_paths_is_not_told_of() -> None:
    assert consistent((Outcome(acquired=(lock("a"), lock("b", may=True))),), frozenset()) == (
        Outcome(acquired=(lock("a"),)),
    )


def test_a_release_of_what_the_function_takes_itself_is_not_believed_if_another_path_does_without() -> None:
    released, kept = Outcome(released=(release("a"),)), Outcome()
    assert consistent((released, kept), frozenset({"a"})) == (kept,)
    assert consistent((released, kept), frozenset()) == (released, kept)
    vague = Outcome(released=(Release(anonymous("a"), "a", "spin"),))
    assert consistent((vague, kept), frozenset()) == (kept,)


def test_a_scope_that_callers_cannot_close_is_not_left_to_them_if_another_outcome_lacks_it() -> None:
    lost, nothing = Outcome(opened=(OpenScope("nofs", LOST, SITE),)), Outcome()
    assert consistent((lost, nothing), frozenset()) == (nothing,)
    known = Outcome(opened=(OpenScope("nofs", RETURNED, SITE),))
    assert consistent((known, nothing), frozenset()) == (known, nothing)
    by_value = (lost._replace(value=values.ONE), nothing._replace(value=values.ZERO))
    assert consistent(by_value, frozenset()) == by_value


def test_a_scope_of_the_caller_is_not_closed_by_what_only_some_outcomes_do() -> None:
    lost, nothing = Outcome(closed=(ClosedScope("nofs", LOST),)), Outcome()
    assert consistent((lost, nothing), frozenset()) == (nothing,)
    both = (lost, lost._replace(released=(release("a"),)))
    assert consistent(both, frozenset()) == both
    waiting = Outcome(closed=(ClosedScope(WAITING, LOST),))
    assert consistent((waiting, nothing), frozenset()) == (waiting, nothing)


def test_what_is_stored_tells_outcomes_apart() -> None:
    place = Deref(Var("out", "p"))
    found = Outcome(acquired=(lock("a"),), stored=((place, values.ONE, None),))
    nothing = Outcome(stored=((place, values.ZERO, None),))
    assert consistent((found, nothing), frozenset()) == (found, nothing)


def test_an_unlock_means_the_lock_that_is_held() -> None:
    a, b = Outcome(released=(release("a"),)), Outcome(released=(release("b"),))
    assert plausible([a, b], ledger(held="a")) == [a]
    assert plausible([a, b], ledger(held="b")) == [b]
    assert plausible([a, b], ledger()) == [a, b]


def test_a_lock_function_takes_back_what_was_released() -> None:
    a, b = Outcome(acquired=(lock("a"),)), Outcome(acquired=(lock("b"),))
    assert plausible([a, b], ledger(owed="b")) == [b]
    assert plausible([a, b], ledger()) == [a, b]


def test_what_is_taken_on_another_path_only_is_not_released() -> None:
    released, kept = Outcome(released=(release("a"),)), Outcome()
    assert plausible([released, kept], ledger(taken="a")) == [kept]
    assert plausible([released, kept], ledger()) == [released, kept]


def test_a_put_is_not_given_nothing_while_the_lock_is_held() -> None:
    released = Outcome(released=(release("a"),), when=((FLAG, values.NONZERO),))
    nothing = Outcome(when=((FLAG, values.ZERO),))
    assert plausible([released, nothing], ledger(held="a")) == [released]
    always = Outcome(when=((FLAG, values.const(3)),))
    assert plausible([released, always], ledger(held="a")) == [released, always]


def test_what_the_value_tells_is_left_alone() -> None:
    released = Outcome(values.ERRNO, released=(release("a"),))
    kept = Outcome(values.ZERO)
    assert plausible([released, kept], ledger(held="a")) == [released, kept]
    assert plausible([released, kept], ledger(taken="a")) == [released, kept]
