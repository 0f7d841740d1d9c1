"""Allocation scopes of the task: opened and closed by functions, or by its flags directly. And its state, which
functions change: a task that is about to wait is in a scope of the kind `WAITING`."""

from __future__ import annotations

from gfpcheck.analysis import values
from gfpcheck.analysis.paths import is_member_of_variable
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.state import LOST, WAITING, ClosedScope, OpenScope, Site, State
from gfpcheck.analysis.tokens import Ending, ScopeLog, find, judge
from gfpcheck.analysis.values import Value
from gfpcheck.ir import Assign, Call, Deref, Expr, Field, Index, Temp, Var
from gfpcheck.models import GfpFlags, Models, Scope, ScopeKind

MAX_CLOSED = 4
BY_FLAG = Var("<task flags>", "g")
"""The token of a scope that is a bit of the task's flags, set by the code itself."""
BY_STATE = Var("<task state>", "g")
"""The token of the state of a task that is about to wait."""


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

    def concerns(self, call: Call) -> bool:
        """True if `call` opens or closes a scope, or changes the state of the task."""
        return self.operation(call) is not None or callee_name(call) in self._models.task_states

    def apply(self, call: Call, arguments: tuple[Expr, ...], state: State, site: Site, log: ScopeLog) -> list[State]:
        """The states after a call that this is concerned with.

        One that returns a pointer, rather than the old flags, has opened nothing when that is an ERR_PTR.
        """
        scope = self.operation(call)
        if scope is None:
            return self._change_state(call, arguments, state, site)
        if scope.mask_arg >= 0:
            mask = state.value(arguments[scope.mask_arg]) if scope.mask_arg < len(arguments) else values.TOP
            kinds = tuple(kind for bits in self._bits.values() for bit, kind in bits if mask.ones & bit)
            self._clear(state, kinds, log)
            return [state]
        assert scope.kind
        if scope.does == "close":
            token = arguments[scope.arg] if scope.arg < len(arguments) else LOST
            log.end(self.close(state, scope.kind, token, site, log))
            return [state]
        result = Temp(call.dst)
        opened = state.copy()
        proto = self._program.protos.get(callee_name(call))
        of_object = proto is not None and proto.ret.endswith("*")
        new = OpenScope(scope.kind, result, site, of_object=of_object)
        log.open(new, here=True)
        opened.scopes = (*state.scopes, new)
        if not of_object:
            return [opened]
        failed = state.copy()
        return [
            after
            for after, value in ((opened, Value(not_error=True)), (failed, values.ERRNO))
            if after.learn(result, value)
        ]

    def assign(self, assign: Assign, state: State, site: Site, log: ScopeLog) -> None:
        """An assignment that is about to be made: to the task's flags, it opens the scopes whose bits it sets. What
        it closes are scopes opened so: it may restore what was there before."""
        dst = assign.dst
        bits = self._bits.get((dst.record, dst.member)) if isinstance(dst, Field) else None
        if not bits:
            return
        value = state.eval(assign.src)
        self._clear(state, tuple(kind for bit, kind in bits if not value.ones & bit), log)
        for bit, kind in bits:
            if value.ones & bit and not any((s.kind, s.token) == (kind, BY_FLAG) for s in state.scopes):
                new = OpenScope(kind, BY_FLAG, site)
                log.open(new, here=True)
                state.scopes = (*state.scopes, new)

    def keep(self, assign: Assign, state: State) -> None:
        """An assignment that was made: if it puts a token into memory that others may see, they may have it."""
        dst = assign.dst
        if not state.scopes or isinstance(dst, Temp):
            return
        place = state.place(dst) if isinstance(dst, Field | Deref | Index) else dst
        if is_member_of_variable(place) or (isinstance(place, Var) and place.kind != "g"):
            return
        value = state.resolve(assign.src)
        if any(scope.token == value for scope in state.scopes):
            state.scopes = tuple(s._replace(kept=place) if s.token == value else s for s in state.scopes)

    def _clear(self, state: State, kinds: tuple[str, ...], log: ScopeLog) -> None:
        gone = [scope for scope in state.scopes if scope.token == BY_FLAG and scope.kind in kinds]
        if gone:
            log.closed.update((scope.site, scope.kind) for scope in gone)
            state.scopes = tuple(scope for scope in state.scopes if scope not in gone)

    def open(self, state: State, scope: OpenScope, log: ScopeLog) -> None:
        """A function called has opened `scope`."""
        if scope.kind == WAITING:
            state.scopes = tuple(other for other in state.scopes if other.kind != WAITING)
        else:
            log.open(scope, here=False)
        state.scopes = (*state.scopes, scope)

    def close(self, state: State, kind: str, token: Expr, site: Site, log: ScopeLog) -> Ending:
        """Close the scope of `kind` that `token` belongs to, else the innermost of that kind; if none was opened here,
        it was the caller's. Says what is to be said of it."""
        ending = judge(state.scopes, kind, token, log, site)
        number = find(state.scopes, token)
        if number is None or state.scopes[number].kind != kind:
            inner = [n for n, scope in enumerate(state.scopes) if scope.kind == kind]
            number = inner[-1] if inner else None
        if number is not None:
            inherited = state.scopes[number].inherited
            state.scopes = (*state.scopes[:number], *state.scopes[number + 1 :])
            if not inherited:
                return ending
        if len(state.closed) < MAX_CLOSED:
            state.closed = (*state.closed, ClosedScope(kind, token))
        return ending

    def run(self, state: State) -> None:
        """The task runs; if it was about to wait, its caller's doing is over, too."""
        if any(scope.kind == WAITING for scope in state.scopes):
            state.scopes = tuple(scope for scope in state.scopes if scope.kind != WAITING)
        elif all(closed.kind != WAITING for closed in state.closed):
            state.closed = (*state.closed, ClosedScope(WAITING, LOST))

    def _change_state(self, call: Call, arguments: tuple[Expr, ...], state: State, site: Site) -> list[State]:
        """The states after a call that changes the state of the task. One that is not known is taken to be the one in
        which it runs."""
        entry = self._models.task_states[callee_name(call)]
        after = [(state, values.TOP)]
        if entry.when != "always":
            done, undone = values.OUTCOMES[entry.when]
            after = [(state.copy(), done), (state, undone)]
        changed = after[0][0]
        waits = 0 <= entry.arg < len(arguments) and state.value(arguments[entry.arg]).truth is True
        self.run(changed)
        if waits:
            changed.scopes = (*changed.scopes, OpenScope(WAITING, BY_STATE, site))
        return [each for each, value in after if each.learn(Temp(call.dst), value)]
