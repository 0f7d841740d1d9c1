"""What is said of calls that close an allocation scope, by the token that they are given."""

import pytest

from gfpcheck.analysis.state import LOST, WAITING, OpenScope, Site, State
from gfpcheck.analysis.tokens import Ending, ScopeLog, hand_out, judge
from gfpcheck.ir import Addr, Const, Expr, Field, Loc, Return, Temp, Var

SITE = Site("a.c", "f", 1, 1)
OTHER = Site("a.c", "f", 2, 1)
FIRST, SECOND = Temp(1), Temp(2)
PLACE = Field(Var("tree", "g"), "struct tree", "saved")


def scope(token: Expr, kind: str = "nofs", site: Site = SITE, kept: Expr | None = None) -> OpenScope:
    return OpenScope(kind, token, site, kept=kept)


def log(*saved: OpenScope) -> ScopeLog:
    seen = ScopeLog()
    for each in saved:
        seen.open(each, here=True)
    return seen


def verdict(scopes: tuple[OpenScope, ...], token: Expr, seen: ScopeLog, kind: str = "nofs") -> str:
    return judge(scopes, kind, token, seen, SITE).verdict


def test_its_own_token() -> None:
    assert verdict((scope(FIRST),), FIRST, log()) == "right"


def test_where_the_token_was_put() -> None:
    assert verdict((scope(FIRST, kept=PLACE),), PLACE, log()) == "right"


def test_the_token_of_another_kind() -> None:
    open_scopes = (scope(FIRST), scope(SECOND, "noio", OTHER))
    assert verdict(open_scopes, SECOND, log(*open_scopes)) == "kind"
    assert verdict((), SECOND, log(*open_scopes)) == "kind", "it is closed, and still the token of another kind"


def test_an_outer_scope_first() -> None:
    ending = judge((scope(FIRST), scope(SECOND, site=OTHER)), "nofs", FIRST, log(), SITE)
    assert (ending.verdict, ending.inner) == ("order", scope(SECOND, site=OTHER))


def test_kinds_are_bits_of_their_own() -> None:
    assert verdict((scope(FIRST), scope(SECOND, "noio")), FIRST, log()) == "right"


@pytest.mark.parametrize("inner", [scope(LOST, kept=LOST), scope(SECOND, kept=PLACE)])
def test_a_scope_that_somebody_else_may_close_has_no_order(inner: OpenScope) -> None:
    assert verdict((scope(FIRST), inner), FIRST, log()) == "right"


def test_twice() -> None:
    seen = log(scope(FIRST))
    assert verdict((), FIRST, seen) == "twice"
    assert verdict((), SECOND, seen) == "unknown"


def test_after_a_token_that_nobody_knows_anything_may_be_closed() -> None:
    seen = log(scope(FIRST))
    seen.end(Ending(OTHER, "nofs", "unknown"))
    assert verdict((), FIRST, seen) == "unknown"
    assert verdict((scope(FIRST), scope(SECOND)), FIRST, seen) == "right"


def test_a_constant_is_no_token() -> None:
    assert verdict((scope(FIRST),), Const(0), log()) == "constant"


def left(state: State, value: Expr | None = None) -> list[tuple[Site, str]]:
    seen = ScopeLog()
    seen.leave(state, Return(value, Loc(3, 1)))
    return list(seen.left)


def test_a_scope_left_open() -> None:
    assert left(State(scopes=(scope(FIRST),))) == [(SITE, "nofs")]


@pytest.mark.parametrize(
    "kept",
    [scope(FIRST, kept=PLACE), scope(LOST, kept=LOST), scope(FIRST, WAITING), scope(FIRST)._replace(of_object=True)],
)
def test_a_scope_that_is_somebody_elses(kept: OpenScope) -> None:
    assert left(State(scopes=(kept,))) == []


def test_a_token_that_is_returned() -> None:
    state = State(scopes=(scope(FIRST),), binds={Var("token", "l"): FIRST})
    assert left(state, Var("token", "l")) == []


def test_what_is_handed_out_may_be_kept() -> None:
    local = Var("token", "l")
    for arguments in ((FIRST,), (Addr(local),)):
        state = State(scopes=(scope(FIRST), scope(SECOND)), binds={local: FIRST})
        hand_out(state, arguments)
        assert state.scopes == (scope(FIRST, kept=LOST), scope(SECOND))
