"""Tokens of allocation scopes: which scope a call ends that is given one, and what is wrong with that.

A scope is opened by a call whose result must be given to the call that closes it. Tokens are followed as values:
through locals, members, parameters and what functions return. Where nothing is known of one, nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from gfpcheck.analysis.paths import root
from gfpcheck.analysis.state import LOST, WAITING, OpenScope, Site, State
from gfpcheck.ir import Addr, Const, Expr, Loc, Return, Temp, Var

Verdict = Literal["right", "unknown", "constant", "kind", "order", "twice"]
"""What a call that closes a scope is given: the token of the innermost open scope of its kind; nobody knows what; a
constant; the token of another kind of scope; that of a scope in which another of its kind is still open; that of one
which is closed already."""

Opened = tuple[Site, str]
"""A scope, by where it was opened and its kind."""


class Ending(NamedTuple):
    """A call at `site` that closes a scope of `kind`, in one state. `scope` is the scope that its token belongs to,
    `inner` one that is still open in it, `saved` the kind that the token was made for: each as far as it is known."""

    site: Site
    kind: str
    verdict: Verdict
    scope: OpenScope | None = None
    inner: OpenScope | None = None
    saved: str = ""


def find(scopes: tuple[OpenScope, ...], token: Expr) -> int | None:
    """The innermost open scope that `token` belongs to."""
    if token == LOST:
        return None
    return next((n for n in range(len(scopes) - 1, -1, -1) if token in (scopes[n].token, scopes[n].kept)), None)


def judge(scopes: tuple[OpenScope, ...], kind: str, token: Expr, log: ScopeLog, site: Site) -> Ending:
    """What is to be said of closing a scope of `kind` with `token` while `scopes` are open, after what `log` has seen.

    Where some call has closed a scope of that kind with a token that nobody knows, it may have been any of them, and
    nothing is said of order and of closing twice."""
    if isinstance(token, Const):
        return Ending(site, kind, "constant")
    certain = kind not in log.vague
    number = find(scopes, token)
    if number is not None:
        scope = scopes[number]
        if scope.kind != kind:
            return Ending(site, kind, "kind", scope, saved=scope.kind)
        within = [other for other in scopes[number + 1 :] if other.kind == kind and other.is_own]
        inner = within[-1] if within and certain and scope.is_own else None
        return Ending(site, kind, "order" if inner else "right", scope, inner, kind)
    made = log.saved.get(token, "")
    if made and made != kind:
        return Ending(site, kind, "kind", saved=made)
    if made and certain and not any(scope.kind == kind and not scope.is_own for scope in scopes):
        return Ending(site, kind, "twice", saved=made)
    return Ending(site, kind, "unknown")


def hand_out(state: State, arguments: tuple[Expr, ...]) -> None:
    """A call that may do anything is given `arguments`: it may keep the tokens that are among them, or in what they
    point at."""
    given = set(arguments)
    for argument in arguments:
        if isinstance(argument, Addr):
            start = root(argument)
            given |= {start, *(bound for name, bound in state.binds.items() if root(name) == start)}
    if any(scope.token in given and scope.kept is None for scope in state.scopes):
        state.scopes = tuple(
            scope._replace(kept=LOST) if scope.token in given and scope.kept is None else scope
            for scope in state.scopes
        )


@dataclass
class ScopeLog:
    """What a run over one function has seen of scopes. `saved` are the tokens made, with their kinds; `opened` the
    scopes opened, `closed` those of them that were closed with their own token, `left` those that were still open
    where the function returns, with nobody having the token; `endings` are the calls that close one, in every
    state."""

    saved: dict[Expr, str] = field(default_factory=dict)
    opened: dict[Opened, OpenScope] = field(default_factory=dict)
    closed: set[Opened] = field(default_factory=set)
    left: dict[Opened, dict[Loc, None]] = field(default_factory=dict)
    vague: set[str] = field(default_factory=set)
    endings: dict[Site, dict[Ending, None]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.left or self.endings)

    def open(self, scope: OpenScope, here: bool) -> None:
        """A scope has been opened; `here`: by this function's own call of what returns the token."""
        self.opened.setdefault((scope.site, scope.kind), scope)
        if here and isinstance(scope.token, Temp) and not scope.of_object:
            self.saved[scope.token] = scope.kind

    def end(self, ending: Ending) -> None:
        """A call closes a scope."""
        self.endings.setdefault(ending.site, {})[ending] = None
        if ending.verdict == "unknown":
            self.vague.add(ending.kind)
        if ending.scope is not None and ending.verdict in ("right", "order"):
            self.closed.add((ending.scope.site, ending.scope.kind))

    def leave(self, state: State, term: Return) -> None:
        """The function returns in `state`."""
        for scope in state.scopes:
            if scope.is_own and scope.kind != WAITING and not _returns(state, term.value, scope.token):
                self.left.setdefault((scope.site, scope.kind), {})[term.loc] = None


def _returns(state: State, value: Expr | None, token: Expr) -> bool:
    """True if `value` is the token, or a structure that holds it."""
    if value is None:
        return False
    returned = state.resolve(value)
    if returned == token:
        return True
    return isinstance(returned, Var | Temp) and any(bound == token for _, bound in state.members_of(returned))
