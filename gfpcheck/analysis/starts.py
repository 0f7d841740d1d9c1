"""What is known of the state in which a function is entered, before any of its callers is looked at.

Annotations name locks that the caller holds; a place where the function is registered says in which atomic context
it is called.
"""

from __future__ import annotations

from gfpcheck.analysis.annotations import annotated_locks
from gfpcheck.analysis.callbacks import Registration, registrations
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.state import NO_OBJECT, HeldLock
from gfpcheck.models import Models

_STRENGTH = ("irq", "bh", "preempt", "rcu")
"""Atomic contexts: of several that a function is registered for, the first one counts."""


class Starts:
    """The locks held at entry, by function. One object serves a whole program."""

    def __init__(self, program: Program, models: Models) -> None:
        self._program = program
        self._models = models
        self._registered = registrations(program, models)

    def held(self, key: str) -> tuple[HeldLock, ...]:
        """The locks and contexts that function `key` is entered with."""
        locks = annotated_locks(self._program.functions[key], self._program, self._models)
        registered = [r for r in self.registered(key) if r.context in _STRENGTH]
        if registered:
            locks = (*locks, _context(min(registered, key=lambda r: _STRENGTH.index(r.context))))
        return locks

    def registered(self, key: str) -> tuple[Registration, ...]:
        """The places where function `key` is registered."""
        return self._registered.get(key, ())


def _context(registration: Registration) -> HeldLock:
    kind = registration.context
    return HeldLock(
        NO_OBJECT,
        kind,
        kind,
        "exclusive",
        registration.site,
        "",
        registration.via,
        origin="callback",
        because=registration.how,
    )
