"""The path-sensitive interpreter: runs one function over abstract states and summarises it.

Functions are run callees first, so a call applies its callee's summary. A summary that depends on
its parameters is made again for the constants passed at a call (`xfs_ilock(ip, XFS_ILOCK_EXCL)`), so
that lock wrappers with mode flags need no model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from gfpcheck.analysis import values
from gfpcheck.analysis.effects import Effects
from gfpcheck.analysis.inline import Inliner
from gfpcheck.analysis.liveness import Flow, flow_of
from gfpcheck.analysis.paths import class_of, has_class, names_in, replace, show
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.state import HeldLock, Key, Site, State, assume, blur, join
from gfpcheck.analysis.summary import NOTHING, Outcome, Summary
from gfpcheck.analysis.values import TOP, Value
from gfpcheck.ir import (
    Addr,
    Assign,
    Branch,
    Call,
    Expr,
    Func,
    Goto,
    Jump,
    Param,
    Return,
    Stop,
    Switch,
    Temp,
    Var,
)
from gfpcheck.models import Models

MAX_SITUATIONS = 24
"""Situations kept apart at one program point; more are blurred into one."""
MAX_OUTCOMES = 12
MAX_STEPS = 12_000
"""Block visits before a function is given up on (and counted)."""
WIDEN_AFTER = 3
MAX_SPECIALISATIONS = 40
MAX_CALL_DEPTH = 60
SMALL = 24
"""Blocks up to which a function without effects is still run for the value that it returns."""

Consts = tuple[int | None, ...]
Arrive = Callable[[int, State, bool], None]
"""Hands a state to a block; the last argument says that the edge goes backwards."""


class Context(NamedTuple):
    """One situation in which an allocation is reached."""

    locks: tuple[HeldLock, ...]
    scopes: tuple[str, ...]
    flags: Value


class AllocationSite(NamedTuple):
    """An allocating call, with every situation in which it is reached."""

    call: Call
    block: int
    position: int
    name: str
    contexts: tuple[Context, ...]


class Acquisition(NamedTuple):
    """A lock taken in a function, by itself or through a wrapper. `blocking`: not a trylock.
    `kept`: the function can return with it held, so that its callers account for it."""

    lock: HeldLock
    blocking: bool
    kept: bool


@dataclass
class FunctionFacts:
    """What one run over a function has found."""

    sites: list[AllocationSite] = field(default_factory=list)
    acquisitions: list[Acquisition] = field(default_factory=list)
    blurred: bool = False
    given_up: bool = False


@dataclass
class _Run:
    """The work list of one function."""

    func: Func
    key: str
    arriving: list[dict[Key, State]]
    visits: dict[tuple[int, Key], int] = field(default_factory=dict)
    returns: dict[Key, tuple[State, Value, Expr | None]] = field(default_factory=dict)
    contexts: dict[tuple[int, int], dict[Context, None]] = field(default_factory=dict)
    acquired: dict[HeldLock, bool] = field(default_factory=dict)
    blurred: bool = False
    given_up: bool = False


class Engine:
    """Summaries and facts of all functions of a program, on demand and remembered."""

    def __init__(self, program: Program, models: Models, effects: Effects) -> None:
        self.program = program
        self.models = models
        self.effects = effects
        self.inliner = Inliner(program, models)
        self.facts: dict[str, FunctionFacts] = {}
        self._summaries: dict[tuple[str, Consts], Summary] = {}
        self._specialised: dict[str, int] = {}
        self._active: list[str] = []
        self._relevant: dict[str, bool] = {}
        self._flows: dict[str, Flow] = {}

    # --- summaries -------------------------------------------------------------------------

    def summary(self, key: str, consts: Consts = ()) -> Summary:
        """The summary of function `key`, with the parameters in `consts` fixed."""
        func = self.program.functions[key]
        if not any(number is not None for number in consts):
            consts = ()
        memo = (key, consts)
        known = self._summaries.get(memo)
        if known is not None:
            return known
        if key in self._active or len(self._active) >= MAX_CALL_DEPTH:
            return NOTHING
        if consts:
            generic = self.summary(key)
            if not self._can_depend(key, generic):
                self._summaries[memo] = generic
                return generic
            if self._specialised.get(key, 0) >= MAX_SPECIALISATIONS:
                return generic
            self._specialised[key] = self._specialised.get(key, 0) + 1
        if not self.relevant(key):
            result = NOTHING
            if not consts:
                self.facts[key] = FunctionFacts()
        else:
            self._active.append(key)
            try:
                result = self._run(key, func, consts)
            finally:
                self._active.pop()
        self._summaries[memo] = result
        return result

    def _can_depend(self, key: str, generic: Summary) -> bool:
        """True if constants passed to `key` may give a sharper summary than the general one."""
        if generic.has_effect or len(generic.outcomes) > 1:
            return True
        small = len(self.program.functions[key].blocks) <= SMALL
        return small and generic.says_something and generic.outcomes[0].value.constant is None

    def relevant(self, key: str) -> bool:
        """True if running `key` can show anything: it touches locks or scopes, allocates, or calls
        something whose summary says something."""
        known = self._relevant.get(key)
        if known is None:
            self._relevant[key] = False
            known = self._relevant[key] = self._find_relevance(key)
        return known

    def _find_relevance(self, key: str) -> bool:
        func = self.program.functions[key]
        for _, _, call in self.program.calls(func):
            if self.effects.concerns(func, call):
                return True
            for callee in self.program.callees(call, func.file):
                if callee not in self._active and self.summary(callee).says_something:
                    return True
        return len(func.blocks) <= SMALL and func.ret != "void"

    # --- one function ----------------------------------------------------------------------

    def _run(self, key: str, func: Func, consts: Consts) -> Summary:
        flow = self._flows.get(key)
        if flow is None:
            flow = self._flows[key] = flow_of(func)
        position = flow.position
        split = tuple(
            Var(name, "p" if any(p.name == name for p in func.params) else "l")
            for name, type_ in func.types.items()
            if type_ == "gfp_t"
        )
        run = _Run(func, key, [{} for _ in func.blocks])
        start = State()
        for number, param in enumerate(func.params):
            fixed = consts[number] if number < len(consts) else None
            start.facts[Var(param.name, "p")] = values.of_param(number) if fixed is None else values.const(fixed)
        pending: set[int] = set()
        queue: dict[int, dict[Key, State]] = {}

        def arrive(target: int, state: State, back: bool) -> None:
            state = state.copy()
            if back:
                state.forget_memory()
            state.keep_only(flow.live[target])
            situation = state.key(split)
            here = run.arriving[target]
            old = here.get(situation)
            if old is None and len(here) >= MAX_SITUATIONS:
                run.blurred = True
                situation = next(reversed(here))
                state = blur(here[situation], state)
                old_blurred = here[situation]
                if _same(old_blurred, state):
                    return
                here[situation] = state
            elif old is not None:
                count = run.visits[target, situation] = run.visits.get((target, situation), 0) + 1
                merged = join(old, state, widen=count > WIDEN_AFTER)
                if _same(merged, old):
                    return
                here[situation] = state = merged
            else:
                here[situation] = state
            queue.setdefault(target, {})[situation] = state
            pending.add(target)

        arrive(0, start, False)
        steps = 0
        while pending:
            block = min(pending, key=lambda b: position[b])
            pending.discard(block)
            for state in queue.pop(block).values():
                steps += 1
                self._block(run, block, state, arrive, position)
            if steps > MAX_STEPS:
                run.given_up = True
                break
        summary = NOTHING if run.given_up else self._summarise(run)
        if not consts:
            self.facts[key] = self._collect(run, summary)
        return summary

    def _block(self, run: _Run, number: int, state: State, arrive: Arrive, position: dict[int, int]) -> None:
        block = run.func.blocks[number]
        states = [state.copy()]
        for index, instr in enumerate(block.instrs):
            if isinstance(instr, Assign):
                for current in states:
                    current.assign(instr.dst, instr.src)
            else:
                states = [after for current in states for after in self._call(run, number, index, instr, current)]
                if not states:
                    return
        term = block.term
        here = position[number]
        for current in states:
            if isinstance(term, Jump):
                arrive(term.target, current, position[term.target] <= here)
            elif isinstance(term, Branch):
                for target, truth in ((term.then, True), (term.other, False)):
                    taken = assume(current, term.cond, truth)
                    if taken is not None:
                        arrive(target, taken, position[target] <= here)
            elif isinstance(term, Switch):
                self._switch(term, current, arrive, position, here)
            elif isinstance(term, Goto):
                for target in term.targets:
                    arrive(target, current, position[target] <= here)
            elif isinstance(term, Return):
                self._return(run, term, current)
            else:
                assert isinstance(term, Stop)

    def _switch(self, term: Switch, state: State, arrive: Arrive, position: dict[int, int], here: int) -> None:
        value = state.resolve(term.value)
        number = state.value(value).constant
        matched = False
        for low, high, target in term.cases:
            if number is not None and not low <= number <= high:
                continue
            taken = state
            if low == high:
                taken = state.copy()
                if not taken.learn(value, values.const(low)):
                    continue
            matched = True
            arrive(target, taken, position[target] <= here)
        if number is None or not matched:
            arrive(term.default, state, position[term.default] <= here)

    def _return(self, run: _Run, term: Return, state: State) -> None:
        path: Expr | None = None
        value = TOP
        if term.value is not None:
            path = state.resolve(term.value)
            value = state.value(path)
            if value.constant is not None or not _over_params(path):
                path = None
        kind = value.constant if value.constant in (0, 1) else (value.truth, value.negative, value.is_error)
        situation = (*state.key(()), kind, path if state.locks or state.scopes else None)
        old = run.returns.get(situation)
        if old is not None:
            value = values.join(old[1], value)
            path = path if path == old[2] else None
        elif len(run.returns) >= MAX_OUTCOMES:
            run.blurred = True
            situation = next(reversed(run.returns))
            last, last_value, _ = run.returns[situation]
            state, value, path = blur(last, state), values.join(last_value, value), None
        run.returns[situation] = (state, value, path)

    def _summarise(self, run: _Run) -> Summary:
        outcomes: dict[Outcome, None] = {}
        for state, value, path in run.returns.values():
            locks = tuple(lock for lock in state.locks if not lock.asserted)
            outcomes[Outcome(value, path, locks, state.released, state.scopes, state.closed)] = None
        found = tuple(outcomes)
        if not any(outcome.has_effect for outcome in found) and len(found) > 1:
            value = found[0].value
            for outcome in found[1:]:
                value = values.join(value, outcome.value)
            if len(found) > 4 or not any(o.value.constant is not None or o.value.tied for o in found):
                paths = {outcome.path for outcome in found}
                found = (Outcome(value, paths.pop() if len(paths) == 1 else None),)
        return Summary(found)

    def _collect(self, run: _Run, summary: Summary) -> FunctionFacts:
        kept = {lock.identity[:3] for outcome in summary.outcomes for lock in outcome.acquired}
        sites = []
        for (block, index), contexts in sorted(run.contexts.items()):
            call = run.func.blocks[block].instrs[index]
            assert isinstance(call, Call)
            sites.append(AllocationSite(call, block, index, self.effects.display_name(call), tuple(contexts)))
        acquisitions = [
            Acquisition(lock, blocking, lock.identity[:3] in kept) for lock, blocking in run.acquired.items()
        ]
        return FunctionFacts(sites, acquisitions, run.blurred, run.given_up)

    # --- calls -----------------------------------------------------------------------------

    def _call(self, run: _Run, block: int, index: int, call: Call, state: State) -> list[State]:
        func = run.func
        arguments = tuple(state.resolve(argument) for argument in call.args)
        result = Temp(call.dst)
        state.forget(result)
        site = Site(func.file, func.name, call.loc.line, call.loc.col)
        flags = self.effects.allocation_flags(func, call, arguments, state)
        if flags is not None:
            context = Context(
                self.effects.locks_during(call, arguments, state),
                tuple(dict.fromkeys(scope.kind for scope in state.scopes)),
                flags,
            )
            run.contexts.setdefault((block, index), {})[context] = None
        lock_ops = self.effects.lock_ops(func, call)
        if lock_ops:
            return self.effects.apply_locks(lock_ops, call, arguments, state, site, run.acquired)
        if self.effects.apply_scope(call, arguments, state, site):
            return [state]
        for argument in arguments:
            if isinstance(argument, Addr) and isinstance(argument.base, Var):
                state.forget(argument.base)
        if flags is not None and self.effects.never_fails(flags):
            state.learn(result, values.VALID_POINTER)
        inlined = self.inliner.value(call, func.file)
        if inlined is not None:
            state.assign(result, replace(inlined[1], dict(zip(inlined[0], arguments, strict=False))))
            return [state]
        callees = self.program.callees(call, func.file)
        if len(callees) != 1:
            return [state]
        argument_values = tuple(state.value(argument) for argument in arguments)
        summary = self._summary_for(callees[0], argument_values)
        if not summary.says_something:
            return [state]
        return self._apply(summary, callees[0], arguments, argument_values, call, state, site, run)

    def _summary_for(self, callee: str, arguments: tuple[Value, ...]) -> Summary:
        count = len(self.program.functions[callee].params)
        return self.summary(callee, tuple(argument.constant for argument in arguments[:count]))

    def _apply(
        self,
        summary: Summary,
        callee: str,
        arguments: tuple[Expr, ...],
        argument_values: tuple[Value, ...],
        call: Call,
        state: State,
        site: Site,
        run: _Run,
    ) -> list[State]:
        """The states after a call with this summary: one for each outcome that is possible here."""
        func = self.program.functions[callee]
        mapping = _mapping(func.params, arguments)
        result = Temp(call.dst)
        after = []
        for outcome in summary.outcomes:
            current = state.copy() if len(summary.outcomes) > 1 else state
            value = values.substitute(outcome.value, argument_values)
            if not current.learn(result, value):
                continue
            if outcome.path is not None:
                current.binds[result] = replace(outcome.path, mapping)
            for release in outcome.released:
                instance = replace(release.instance, mapping)
                self.effects.release(current, instance, release.cls, release.kind, run.func.name)
            for lock in outcome.acquired:
                translated = self._translate(lock, mapping, site, run.func.name)
                run.acquired.setdefault(translated._replace(may=False), not lock.tried)
                self.effects.acquire(current, translated)
            for kind in outcome.closed:
                self.effects.close(current, kind)
            for scope in outcome.opened:
                token = replace(scope.token, mapping)
                via = (scope.site, *scope.via)
                current.scopes = (*current.scopes, scope._replace(token=token, site=site, via=via))
            after.append(current)
        return after

    def _translate(self, lock: HeldLock, mapping: dict[Expr, Expr], site: Site, function: str) -> HeldLock:
        instance = replace(lock.instance, mapping)
        cls = lock.cls if has_class(lock.cls) else class_of(instance, function)
        return lock._replace(instance=instance, cls=cls, site=site, via=(lock.site, *lock.via), text=show(instance))


def _mapping(params: tuple[Param, ...], arguments: tuple[Expr, ...]) -> dict[Expr, Expr]:
    return {Var(param.name, "p"): argument for param, argument in zip(params, arguments, strict=False)}


def _over_params(path: Expr) -> bool:
    return all(isinstance(name, Var) and name.kind in "pgf" for name in names_in(path))


def _same(a: State, b: State) -> bool:
    return (
        a.binds == b.binds
        and a.facts == b.facts
        and a.locks == b.locks
        and a.scopes == b.scopes
        and a.released == b.released
    )
