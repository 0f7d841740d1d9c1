"""What is known of the state in which a function is entered, before any of its callers is looked at.

Annotations name locks that the caller holds; a place where the function is registered says in which atomic context
it is called; the documentation of an operations table, with which locks its methods are called.
"""

from __future__ import annotations

from collections.abc import Iterator

from gfpcheck.analysis.annotations import annotated_locks
from gfpcheck.analysis.callbacks import Registration, registrations
from gfpcheck.analysis.paths import show
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.state import NO_OBJECT, HeldLock, Site
from gfpcheck.ir import Deref, Expr, Field, Func, Var, stored_at
from gfpcheck.models import Contract, Models

_STRENGTH = ("irq", "bh", "preempt", "rcu")
"""Atomic contexts: of several that a function is registered for, the first one counts."""


class Starts:
    """The locks held at entry, by function. One object serves a whole program."""

    def __init__(self, program: Program, models: Models) -> None:
        self._program = program
        self._models = models
        self._registered = registrations(program, models)
        self._contracts: dict[str, list[tuple[Contract | None, Site]]] = {}
        for store in program.stores:
            key = program.find(store.function, store.file)
            if key is not None:
                contract = models.contracts.get(f"{store.record}.{store.member}")
                self._contracts.setdefault(key, []).append((contract, Site(store.file, "", *stored_at(store))))

    def held(self, key: str) -> tuple[HeldLock, ...]:
        """The locks and contexts that function `key` is entered with."""
        locks = annotated_locks(self._program.functions[key], self._program, self._models)
        registered = [r for r in self.registered(key) if r.context in _STRENGTH]
        if registered:
            locks = (*locks, _context(min(registered, key=lambda r: _STRENGTH.index(r.context))))
        known = {lock.cls for lock in locks}
        return (*(lock for lock in self._promised(key) if lock.cls not in known), *locks)

    def _promised(self, key: str) -> tuple[HeldLock, ...]:
        """The locks that all the tables promise which function `key` stands in."""
        held: list[dict[tuple[Expr, str], HeldLock]] = []
        for contract, site in self._contracts.get(key, ()):
            locks = _contracted(contract, self._program.functions[key], site) if contract is not None else ()
            held.append({(lock.instance, lock.mode): lock for lock in locks})
        return tuple(lock for which, lock in held[0].items() if all(which in each for each in held)) if held else ()

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


def _contracted(contract: Contract, func: Func, site: Site) -> Iterator[HeldLock]:
    """The locks that `func` is called with as a method that the contract is about."""
    because = f"stored in {contract.record}.{contract.member}"
    for number, path, mode in contract.held():
        if number >= len(func.params):
            continue
        lock: Expr = Var(func.params[number].name, "p")
        for record, member in path:
            lock = Field(Deref(lock), record, member)
        cls = ".".join(path[-1])
        yield HeldLock(lock, cls, "rwsem", mode, site, show(lock), origin="contract", because=because)
