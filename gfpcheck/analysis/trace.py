"""What a run over one function has seen on the way: allocations, locks taken, functions entered."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis import values
from gfpcheck.analysis.amounts import NOBODY_KNOWS, Amount
from gfpcheck.analysis.balance import distinct_ways
from gfpcheck.analysis.liveness import Flow
from gfpcheck.analysis.outcomes import Names
from gfpcheck.analysis.state import ClosedScope, HeldLock, OpenScope, Release, Site, State
from gfpcheck.analysis.summary import Facts, Reached
from gfpcheck.analysis.tokens import ScopeLog
from gfpcheck.analysis.values import Value
from gfpcheck.ir import Expr, Func, Var
from gfpcheck.models import ATOMIC_KINDS

MAX_REACHED = 12
"""Distinct allocations that a summary keeps, nearest first."""
_SHIELDS = frozenset(("noio", "noreclaim"))
MAX_DEPTH = 8
"""Calls between a function and an allocation that it is told of."""

Consts = tuple[int | tuple[str, ...] | None, ...]
"""What a call passes, by parameter: a number, or the functions that a pointer which the callee calls may mean."""
Known = dict[tuple[int, int], bool]


_Way = tuple[Value, tuple[str, ...], tuple[Release, ...], tuple[str, ...], tuple[tuple[Expr, bool | None], ...]]
"""The flags asked for, the scopes opened on the way, the locks released and the kinds of scopes closed, and which of
the numbers that the function is passed must be zero and which not."""


class Context(NamedTuple):
    """One situation in which an allocation is reached. `opened`: those of the scopes that are in force in the
    function itself, each with the place where it opened them, or None if a parameter carries the scope. `given`:
    what is known there of the flags that the function itself was given as a parameter."""

    locks: tuple[HeldLock, ...]
    scopes: tuple[str, ...]
    flags: Value
    amount: Amount = NOBODY_KNOWS
    opened: tuple[tuple[str, Site | None], ...] = ()
    given: Value = values.TOP


class Calling(NamedTuple):
    """What is held where a function is called. `released` are the locks of the caller's own callers that are not held
    any more, `closed` their scopes."""

    locks: tuple[HeldLock, ...]
    released: tuple[Release, ...]
    scopes: tuple[OpenScope, ...]
    closed: tuple[ClosedScope, ...]


NOTHING_HELD = (Calling((), (), (), ()),)


class CalledAt(NamedTuple):
    """A function called at a place. `pointed`: it is one of those that a pointer may mean there; `shielded`: its
    allocations do not wait for I/O, because of the scopes open there, or may not sleep at all; `handed`: it is not
    called there but handed to a function that is looked into itself, which may call it or keep it for later."""

    callee: str
    consts: Consts
    site: Site
    pointed: bool
    shielded: bool
    handed: bool = False


class Place(NamedTuple):
    """An allocation as one function sees it: at which of its calls, and what lies between. `width` as in `Reached`."""

    block: int
    position: int
    name: str
    via: tuple[Site, ...]
    width: int


class Trace:
    """What a run over one function has seen on the way. `pointing` are the functions that it has been passed, by
    parameter; `nothing` remembers from run to run which calls do nothing; `calls` are noted only when `exploring`, and
    then `demanded`: the bits of `mask`, an expression over parameters, that are set whenever a place is reached."""

    def __init__(
        self,
        func: Func,
        names: Names,
        flow: Flow,
        calls: Known,
        pointing: dict[int, tuple[str, ...]],
        exploring: bool,
        mask: Expr | None = None,
    ) -> None:
        self.func = func
        self.key = f"{func.file}:{func.name}"
        self.pointing = pointing
        self.names = names
        self.repeated = flow.repeated
        self._loops = flow.loops
        self._reads = {block: set(members) for block, members in flow.reads.items()}
        self.nothing = calls
        self.exploring = exploring
        self._mask = mask
        self.demanded: dict[Site, int] = {}
        self.sites: dict[Place, dict[Context, None]] = {}
        self.acquired: dict[HeldLock, bool] = {}
        self._made: dict[tuple[str, Site, int], list[Calling]] = {}
        self._flags = next((Var(param.name, "p") for param in func.params if param.type == "gfp_t"), None)
        self.scopes = ScopeLog()
        self.reached_in: set[object] = set()
        self.calls: dict[CalledAt, tuple[Expr, ...]] = {}
        self._numbers = frozenset(Var(param.name, "p") for param in func.params if not param.type.endswith("*"))
        self._reached: dict[_Way, Reached] = {}

    def allocation(self, place: Place, context: Context, site: Site, state: State) -> None:
        """An allocation in `state`, for this function's rules and for its callers."""
        self.sites.setdefault(place, {})[context] = None
        if not context.flags.known and context.flags.param < 0:
            return
        released = self.names.releases(state)
        path = (site, *place.via)
        if len(path) > MAX_DEPTH:
            return
        ended = tuple(closed.kind for closed in state.closed)
        way = (context.flags, context.scopes, released, ended)
        always = self._reached.get((*way, ()))
        if always is not None and not always.when and len(always.path) <= len(path):
            return
        when = self.names.facts(state, simple=True)
        # What is reached with `atomic` set must not be taken for what is reached without.
        key = (*way, tuple((expr, value.truth) for expr, value in when if expr in self._numbers))
        old = self._reached.get(key)
        new = Reached(
            place.name, context.flags, context.scopes, released, when, path, place.width, context.amount, ended
        )
        if old is not None:
            nearest = new if len(new.path) < len(old.path) else old
            new = nearest._replace(when=_common(old.when, when))
        self._reached[key] = new

    def reads(self, block: int, members: frozenset[tuple[str, str]]) -> None:
        """A function called in `block`, which is in a loop, reads these members."""
        self._reads[block] |= members

    def rechecked(self, last: int, head: int) -> set[tuple[str, str]]:
        """What the loop that the edge from block `last` to block `head` closes reads again."""
        return set().union(*(self._reads[block] for block in self._loops[last, head]))

    def given(self, state: State) -> Value:
        """What is known of the function's own `gfp_t` parameter; nothing if it has none."""
        if self._flags is None:
            return values.TOP
        return state.eval(self._flags)._replace(param=-1, tied=0)

    def reach(self, site: Site, state: State) -> None:
        """The call at `site` is made in `state`."""
        if self._mask is not None:
            ones = state.value(self._mask).ones
            self.demanded[site] = self.demanded.get(site, ones) & ones

    def call(
        self,
        callee: str,
        consts: Consts,
        arguments: tuple[Expr, ...],
        site: Site,
        state: State,
        width: int = 0,
        handed: bool = False,
    ) -> None:
        """`callee` is called in `state`, by a pointer that may mean `width` functions or, if that is 0, directly;
        `handed` as in `CalledAt`."""
        self.enter(callee, site, state, width)
        if self.exploring:
            shielded = not _SHIELDS.isdisjoint(scopes_of(state)) or any(_is_atomic(lock) for lock in state.locks)
            self.calls.setdefault(CalledAt(callee, consts, site, width > 0, shielded, handed), arguments)

    def enter(self, callee: str, site: Site, state: State, width: int = 0) -> None:
        """`callee` is called in `state`, whether its body matters here or is known otherwise."""
        made = self._made.setdefault((callee, site, width), [])
        for calling in made:
            if (
                calling.locks is state.locks
                and calling.scopes is state.scopes
                and calling.released is state.released
                and calling.closed is state.closed
            ):
                return
        made.append(Calling(state.locks, state.released, state.scopes, state.closed))

    def made(self) -> dict[tuple[str, Site, int], tuple[Calling, ...]]:
        """What is held at each call: (function called, place, width as in `call`)."""
        return {call: tuple(dict.fromkeys(callings)) for call, callings in self._made.items()}

    def reached(self) -> tuple[Reached, ...]:
        """The allocations that callers should know of."""
        return tuple(sorted(distinct_ways(self._reached.values(), self.names.taken), key=_length)[:MAX_REACHED])


def _length(reached: Reached) -> int:
    return len(reached.path)


def _common(a: Facts, b: Facts) -> Facts:
    """What both sets of facts imply."""
    other = dict(b)
    joined = ((expr, values.join(value, other[expr])) for expr, value in a if expr in other)
    return tuple((expr, value) for expr, value in joined if value != values.TOP)


def opened_in(state: State) -> tuple[tuple[str, Site | None], ...]:
    """The scopes that are open, each with the place where the function opened it."""
    return tuple((scope.kind, None if scope.inherited else scope.site) for scope in state.scopes)


def scopes_of(state: State) -> tuple[str, ...]:
    """The kinds of the scopes that are open."""
    return tuple(dict.fromkeys(scope.kind for scope in state.scopes))


def _is_atomic(lock: HeldLock) -> bool:
    """True if a task surely may not sleep with `lock` held."""
    return lock.kind in ATOMIC_KINDS and not lock.may
