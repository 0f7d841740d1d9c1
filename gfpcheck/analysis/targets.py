"""Which functions a call means in a state, what it passes them, and what several of them do together."""

from __future__ import annotations

from gfpcheck.analysis.pointers import WIDE, function_named
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.state import State, blur
from gfpcheck.analysis.trace import Consts, Trace
from gfpcheck.analysis.values import Value
from gfpcheck.ir import Call, Deref, Expr, Temp, Var


class Targets:
    """Answers for one program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def of(self, trace: Trace, state: State, call: Call) -> tuple[str, ...]:
        """The functions with a body that `call` may reach from `state`; empty when none is known, or too many to be
        believed."""
        if isinstance(call.callee, Var) and call.callee.kind == "f":
            return self._program.callees(call, trace.func)
        found = self.pointed(trace, state, call.callee)
        return found if len(found) <= WIDE else ()

    def pointed(self, trace: Trace, state: State, pointer: Expr) -> tuple[str, ...]:
        """The functions that `pointer` means in `state`: the one that it was last assigned, else all that it may have
        been assigned. A parameter means what this run over the function was told."""
        resolved = state.resolve(pointer)
        name = function_named(resolved.base if isinstance(resolved, Deref) else resolved)
        if name is not None:
            key = self._program.find(name, trace.func.file)
            return () if key is None else (key,)
        pointers = self._program.pointers
        found: set[str] = set()
        for expr in {pointer, resolved}:
            found.update(self._program.pointed(trace.key, expr, by_callers=False))
            for number in pointers.parameters(trace.key, expr):
                found.update(trace.pointing.get(number, ()))
        return tuple(sorted(found))

    def constants(
        self, trace: Trace, state: State, callee: str, arguments: tuple[Expr, ...], argument_values: tuple[Value, ...]
    ) -> Consts:
        """What is passed to `callee` that its summary may depend on."""
        params = self._program.functions[callee].params
        consts: list[int | tuple[str, ...] | None] = [value.constant for value in argument_values[: len(params)]]
        for number in self._program.pointers.called_parameters(callee):
            if number < len(consts) and consts[number] is None:
                consts[number] = self.pointed(trace, state, arguments[number]) or None
        return tuple(consts)


def either(after: list[State], call: Call) -> list[State]:
    """The states after a call of one of several functions, which leave those in `after`: what not all of them do to the
    locks held is uncertain. They are kept apart by what comes back."""
    found: dict[bool | None, State] = {}
    for state in after:
        truth = state.value(Temp(call.dst)).truth
        known = found.get(truth)
        found[truth] = state if known is None else blur(known, state)
    return list(found.values())
