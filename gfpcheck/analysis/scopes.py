"""Allocation scopes of the task: opened and closed by functions, or by its flags directly."""

from __future__ import annotations

from gfpcheck.analysis import values
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.state import OpenScope, Site, State
from gfpcheck.analysis.values import Value
from gfpcheck.ir import Assign, Call, Expr, Field, Temp, Var
from gfpcheck.models import GfpFlags, Models, Scope, ScopeKind

MAX_CLOSED = 4
BY_FLAG = Var("<task flags>", "g")
"""The token of a scope that is a bit of the task's flags, set by the code itself."""


class Scopes:
    """Applies scope operations to states. One object serves a whole program."""

    def __init__(self, program: Program, models: Models, gfp: GfpFlags) -> None:
        self._program = program
        self._models = models
        self._bits: dict[tuple[str, str], tuple[tuple[int, ScopeKind], ...]] = {}
        for member, flags in models.task_flags.items():
            record, _, name = member.rpartition(".")
            known = tuple((gfp.constants[flag], kind) for flag, kind in flags.items() if flag in gfp.constants)
            self._bits[record, name] = known

    def operation(self, call: Call) -> Scope | None:
        """What `call` does to a scope, if it is known to do anything."""
        name = callee_name(call)
        return self._models.scopes.get(name) if name else None

    def apply(self, call: Call, arguments: tuple[Expr, ...], state: State, site: Site) -> list[State] | None:
        """The states after a call that opens or closes a scope; None for one that does neither.

        One that returns a pointer, rather than the old flags, has opened nothing when that is an ERR_PTR.
        """
        scope = self.operation(call)
        if scope is None:
            return None
        if scope.mask_arg >= 0:
            mask = state.value(arguments[scope.mask_arg]) if scope.mask_arg < len(arguments) else values.TOP
            self._clear(state, tuple(kind for bits in self._bits.values() for bit, kind in bits if mask.ones & bit))
            return [state]
        assert scope.kind
        if scope.does == "close":
            self.close(state, scope.kind)
            return [state]
        result = Temp(call.dst)
        opened = state.copy()
        opened.scopes = (*state.scopes, OpenScope(scope.kind, result, site))
        proto = self._program.protos.get(callee_name(call))
        if proto is None or not proto.ret.endswith("*"):
            return [opened]
        failed = state.copy()
        return [
            after
            for after, value in ((opened, Value(not_error=True)), (failed, values.ERRNO))
            if after.learn(result, value)
        ]

    def assign(self, assign: Assign, state: State, site: Site) -> None:
        """An assignment that is about to be made: to the task's flags, it opens the scopes whose bits it sets. What
        it closes are scopes opened so: it may restore what was there before."""
        bits = self._bits.get((assign.dst.record, assign.dst.member)) if isinstance(assign.dst, Field) else None
        if not bits:
            return
        value = state.eval(assign.src)
        self._clear(state, tuple(kind for bit, kind in bits if not value.ones & bit))
        for bit, kind in bits:
            if value.ones & bit and not any((s.kind, s.token) == (kind, BY_FLAG) for s in state.scopes):
                state.scopes = (*state.scopes, OpenScope(kind, BY_FLAG, site))

    def _clear(self, state: State, kinds: tuple[str, ...]) -> None:
        state.scopes = tuple(s for s in state.scopes if s.token != BY_FLAG or s.kind not in kinds)

    def close(self, state: State, kind: str) -> None:
        """Close the innermost scope of `kind`; if none was opened here, it was the caller's."""
        for number in range(len(state.scopes) - 1, -1, -1):
            if state.scopes[number].kind == kind:
                inherited = state.scopes[number].inherited
                state.scopes = (*state.scopes[:number], *state.scopes[number + 1 :])
                if not inherited:
                    return
                break
        if len(state.closed) < MAX_CLOSED:
            state.closed = (*state.closed, kind)
