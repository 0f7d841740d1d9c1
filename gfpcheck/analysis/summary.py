"""What a function does to its caller's locks, scopes and values, in terms of its parameters."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis.amounts import NOBODY_KNOWS, Amount
from gfpcheck.analysis.state import WAITING, ClosedScope, HeldLock, OpenScope, Release, Site
from gfpcheck.analysis.values import TOP, Value
from gfpcheck.ir import Expr, Temp

RETURNED = Temp(-2)
"""Stands for the returned value in the paths of a summary."""

ORIGIN = Temp(-3)
"""Stands for the object that a returned pointer leads into, if callers cannot name it: `&ORIGIN->lock`."""
_ORIGINS = -16

Stored = tuple[tuple[Expr, Value, Expr | None], ...]
"""What lies in memory that parameters point at: (`*parameter`, its value, the same as an expression over parameters
and globals if it has that form)."""

Facts = tuple[tuple[Expr, Value], ...]
"""What must hold of the arguments: (expression over parameters, value)."""


def origin_of(result: Temp) -> Temp:
    """A caller's name of the object that the pointer in `result` leads into."""
    return Temp(_ORIGINS - result.id)


class Outcome(NamedTuple):
    """One way in which the function may return.

    `value` is what it returns then; `path` the same as an expression over parameters and globals, if
    it has that form; `members` are the members of a structure that it returns, as (member of RETURNED,
    expression); `stored` is what it has put where its parameters point. `acquired` are the locks that it leaves held
    and that a caller can name, `released` the caller's locks that it released, `opened` and `closed` the same for
    scopes. `when` is what must hold at entry.
    """

    value: Value = TOP
    path: Expr | None = None
    members: tuple[tuple[Expr, Expr], ...] = ()
    acquired: tuple[HeldLock, ...] = ()
    released: tuple[Release, ...] = ()
    opened: tuple[OpenScope, ...] = ()
    closed: tuple[ClosedScope, ...] = ()
    when: Facts = ()
    stored: Stored = ()

    @property
    def has_effect(self) -> bool:
        return bool(self.acquired or self.released or self.opened or self.closed)


class Reached(NamedTuple):
    """An allocation that the function, or something that it calls, makes.

    `flags` are those asked for, `scopes` what is opened on the way, `released` the caller's locks that are
    not held then, `when` what must hold at entry. `path` leads from the first call in the function to the
    allocation's own place; `width` is the number of functions that the widest function pointer on the way may mean.
    `amount` is what the nearest one asks for. `ended` are the kinds of the caller's scopes that are closed by then.
    """

    name: str
    flags: Value
    scopes: tuple[str, ...]
    released: tuple[Release, ...]
    when: Facts
    path: tuple[Site, ...]
    width: int = 0
    amount: Amount = NOBODY_KNOWS
    ended: tuple[str, ...] = ()


class Summary(NamedTuple):
    """All outcomes and allocations. No outcome: the function never returns. `taken` are the classes of all locks that
    it takes, whether it still holds them afterwards or not. `asserted` are the caller's locks that a function which
    does nothing else asserts are held. `doubted` are the classes of which it may release a caller's lock, as a
    transaction does with what was handed to it: by a name that callers do not know, and not on every path. `blurred`:
    there was too much to keep apart, here or in a callee that is told by a parameter; for constants there may be less.
    """

    outcomes: tuple[Outcome, ...]
    reached: tuple[Reached, ...] = ()
    taken: frozenset[str] = frozenset()
    asserted: tuple[HeldLock, ...] = ()
    doubted: frozenset[str] = frozenset()
    blurred: bool = False

    @property
    def has_effect(self) -> bool:
        return bool(self.reached or self.asserted or self.doubted) or any(o.has_effect for o in self.outcomes)

    @property
    def rolling(self) -> Summary:
        """The same for a transaction that is ended and followed by the next: its caller's scopes stay open."""
        stay = (o._replace(closed=tuple(c for c in o.closed if c.kind == WAITING)) for o in self.outcomes)
        return self._replace(outcomes=tuple(stay))

    @property
    def says_something(self) -> bool:
        """False if a caller may treat the call as one that changes nothing and returns anything."""
        known = self.reached or self.asserted or self.doubted
        return bool(known) or len(self.outcomes) != 1 or self.outcomes[0] != Outcome()


NOTHING = Summary((Outcome(),))
"""The summary of a function about which nothing is known: no effect, any value."""
