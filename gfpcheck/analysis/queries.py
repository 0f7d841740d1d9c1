"""Functions that tell in which context they are called: preempt_count(), behind in_interrupt() and in_atomic().

What such a function returns is an expression of its own, so that a callee's condition on it is decided by the locks
of each caller.
"""

from __future__ import annotations

from gfpcheck.analysis import values
from gfpcheck.analysis.paths import names_in
from gfpcheck.analysis.state import HeldLock, State
from gfpcheck.ir import Call, Expr, Var
from gfpcheck.models import ATOMIC_KINDS, Models, Query, base_name


class Queries:
    """Answers the questions that the models know. One object serves a whole program."""

    def __init__(self, models: Models) -> None:
        self._by_name = models.queries
        self._by_answer: dict[Expr, Query] = {_answer(name): query for name, query in models.queries.items()}

    def asked(self, call: Call) -> Expr | None:
        """What stands for the value of `call`, if it asks for the context."""
        if isinstance(call.callee, Var) and call.callee.kind == "f":
            name = base_name(call.callee.name)
            return _answer(name) if name in self._by_name else None
        return None

    def tell(self, state: State, expr: Expr) -> None:
        """Note in `state` what the locks held there say of the answers that `expr` mentions."""
        for name in names_in(expr):
            query = self._by_answer.get(name)
            if query is not None:
                state.forget(name)
                bits = 0
                for lock in state.locks:
                    bits |= _bits(query, lock)
                if bits:
                    state.learn(name, values.Value(ones=bits, nonzero=True))


def asks(expr: Expr) -> bool:
    """True if `expr` is about the context in which the function is called."""
    return any(isinstance(name, Var) and name.name.endswith("()") for name in names_in(expr))


def _answer(name: str) -> Expr:
    return Var(f"{name}()", "g")


def _bits(query: Query, lock: HeldLock) -> int:
    """The bits that are set because of `lock`."""
    if lock.may or lock.kind == "rcu" or lock.kind not in ATOMIC_KINDS:
        return 0
    called = lock.origin == "callback"
    if lock.kind == "irq":
        return query.hardirq if called else query.irq
    if lock.kind == "bh":
        return query.softirq if called else query.bh
    return query.preempt
