"""What a function does to its caller's locks, scopes and values, in terms of its parameters."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis.state import HeldLock, OpenScope, Release
from gfpcheck.analysis.values import TOP, Value
from gfpcheck.ir import Expr


class Outcome(NamedTuple):
    """One way in which the function may return.

    `value` is what it returns then; `path` the same as an expression over parameters and globals, if
    it has that form. `acquired` are the locks that it leaves held, `released` the caller's locks that it
    released, `opened` and `closed` the same for scopes.
    """

    value: Value = TOP
    path: Expr | None = None
    acquired: tuple[HeldLock, ...] = ()
    released: tuple[Release, ...] = ()
    opened: tuple[OpenScope, ...] = ()
    closed: tuple[str, ...] = ()

    @property
    def has_effect(self) -> bool:
        return bool(self.acquired or self.released or self.opened or self.closed)


class Summary(NamedTuple):
    """All outcomes. No outcome: the function never returns."""

    outcomes: tuple[Outcome, ...]

    @property
    def has_effect(self) -> bool:
        return any(outcome.has_effect for outcome in self.outcomes)

    @property
    def says_something(self) -> bool:
        """False if a caller may treat the call as one that changes nothing and returns anything."""
        return len(self.outcomes) != 1 or self.outcomes[0] != Outcome()


NOTHING = Summary((Outcome(),))
"""The summary of a function about which nothing is known: no effect, any value."""
