"""What a call does to a state: by the models, as an expression, or by its callee's summary."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Set

from gfpcheck.analysis import values
from gfpcheck.analysis.amounts import NOBODY_KNOWS, amount_of
from gfpcheck.analysis.balance import Ledger, plausible, plausible_ways
from gfpcheck.analysis.conditions import learn_condition
from gfpcheck.analysis.effects import Effects, class_here
from gfpcheck.analysis.inline import Inliner
from gfpcheck.analysis.nonnull import learn_locked
from gfpcheck.analysis.paths import members_in, replace, root, show
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.queries import Queries
from gfpcheck.analysis.state import WAITING, HeldLock, Release, Site, State, chain
from gfpcheck.analysis.stores import WHOLE, Stores
from gfpcheck.analysis.summary import ORIGIN, RETURNED, Outcome, Reached, Summary, origin_of
from gfpcheck.analysis.targets import Targets, either
from gfpcheck.analysis.tokens import hand_out
from gfpcheck.analysis.trace import Consts, Context, Place, Trace, opened_in, scopes_of
from gfpcheck.analysis.values import Value
from gfpcheck.ir import Addr, Bin, Call, Const, Expr, Func, Temp, Var

MAX_EXACT = 8
"""A call through a pointer that may mean more functions does nothing to the locks held: what one of so many does is
not believed."""
SummaryOf = Callable[[str, Consts], Summary]


class Calls:
    def __init__(
        self,
        program: Program,
        effects: Effects,
        inliner: Inliner,
        summary: SummaryOf,
        rounds: Set[tuple[str, str]],
    ) -> None:
        self._rounds = rounds
        self._program = program
        self._effects = effects
        self._inliner = inliner
        self._summary = summary
        self._queries = Queries(effects.models)
        self._targets = Targets(program)
        self._stores = Stores(program)

    def run(self, trace: Trace, where: tuple[int, int], call: Call, state: State) -> list[State]:
        """The states after `call`, made in `state` (which is changed) at block and position `where`."""
        func = trace.func
        result = Temp(call.dst)
        if where[0] in trace.repeated:
            state.forget(result)
            state.forget(origin_of(result))
        if callee_name(call) in self._effects.models.waits:
            state.forget_own(trace.names.stored)
        if self._does_nothing(trace, where, call):
            if state.scopes:
                hand_out(state, tuple(state.resolve(argument) for argument in call.args))
            for argument in call.args:
                if isinstance(argument, Addr) and isinstance(argument.base, Var):
                    state.forget(argument.base)
            return [state]
        arguments = tuple(state.resolve(argument) for argument in call.args)
        site = Site(func.file, func.name, *call.loc)
        trace.reach(site, state)
        flags = self._effects.allocation_flags(func, call, arguments, state)
        if flags is not None:
            during = self._effects.during(call, arguments, state, func.name)
            place = Place(*where, self._effects.display_name(call), (), 0)
            entry = self._effects.allocator(call)
            amount = amount_of(entry, arguments, state) if entry is not None else NOBODY_KNOWS
            trace.allocation(
                place,
                Context(during.locks, scopes_of(state), flags, amount, opened_in(state), trace.given(state)),
                site,
                during,
            )
        lock_ops = self._effects.lock_ops(func, call)
        if lock_ops:
            self._enter(trace, call, site, state)
            learn_locked(state, call)
            after = self._effects.apply_locks(lock_ops, call, arguments, state, site, trace.acquired)
            new = (lock for current in after for lock in current.locks if lock.site == site)
            trace.names.taken |= {lock.cls for lock in new if not lock.asserted}
            return after
        if self._effects.scopes.concerns(call):
            self._look_below(trace, where, call, arguments, state, site)
            return self._effects.scopes.apply(call, arguments, state, site, trace.scopes)
        if state.scopes:
            hand_out(state, arguments)
        if flags is not None and self._effects.never_fails(flags):
            state.learn(result, values.VALID_POINTER)
        answer = self._queries.asked(call)
        if answer is not None:
            self._queries.tell(state, answer)
            state.binds[result] = answer
            return [state]
        if arguments and callee_name(call) in self._effects.models.steady:
            state.binds[result] = Bin(callee_name(call), arguments[0], Const(0))
            return [state]
        inlined = self._inliner.value(call, func.file)
        if inlined is not None:
            self._enter(trace, call, site, state)
            value = replace(inlined[1], dict(zip(inlined[0], arguments, strict=False)))
            if where[0] in trace.repeated:
                trace.reads(where[0], members_in(value))
            state.assign(result, value)
            return [state]
        return self._callees(trace, where, call, arguments, state, site, flags is not None)

    def _forget_changed(
        self, func: Func, call: Call, arguments: tuple[Expr, ...], state: State, told: Container[Expr] | None = None
    ) -> None:
        """Locals whose address is passed may be changed by the callee. `told`: those that it stores into as a whole, if
        that is known."""
        if call.cleanup:
            return
        for number, argument in enumerate(arguments):
            if isinstance(argument, Addr) and isinstance(argument.base, Var):
                changed = self._stores.by_call(call, func, number)
                if changed is None or (WHOLE in changed and (told is None or argument.base in told)):
                    state.forget(argument.base)
                else:
                    state.forget_members(argument.base, changed)

    def _does_nothing(self, trace: Trace, where: tuple[int, int], call: Call) -> bool:
        """True for a call of which nothing is known: no model, no body."""
        known = trace.nothing.get(where)
        if known is None:
            func = trace.func
            known = trace.nothing[where] = not (
                self._effects.concerns(func, call)
                or callee_name(call) in self._effects.models.steady
                or self._queries.asked(call) is not None
                or self._program.callees(call, func)
                or self._program.passed_functions(call, func.file)
                or self._inliner.value(call, func.file) is not None
            )
        return known

    def _enter(self, trace: Trace, call: Call, site: Site, state: State) -> None:
        """The functions called, what they do being known without a look at them."""
        for callee in self._program.callees(call, trace.func):
            trace.enter(callee, site, state)

    def _callees(
        self,
        trace: Trace,
        where: tuple[int, int],
        call: Call,
        arguments: tuple[Expr, ...],
        state: State,
        site: Site,
        known_allocator: bool,
    ) -> list[State]:
        """The effect of the functions called: their allocations, and what a single one does to the state."""
        direct = isinstance(call.callee, Var) and call.callee.kind == "f"
        callees = self._targets.of(trace, state, call)
        if not (direct and self._effects.models.defers(callee_name(call))):
            for callee in self._program.passed_functions(call, trace.func.file):
                trace.call(callee, (), (), site, state, handed=bool(callees))
        if not callees:
            if trace.exploring and not direct:
                many = self._targets.pointed(trace, state, call.callee)
                for callee in many:
                    trace.call(callee, (), arguments, site, state, len(many))
            self._forget_changed(trace.func, call, arguments, state)
            return [state]
        argument_values = tuple(state.value(argument) for argument in arguments)
        effects: list[tuple[Summary, dict[Expr, Expr]]] = []
        width = 0 if direct else len(callees)
        for callee in callees:
            if (trace.key, callee) in self._rounds:
                trace.call(callee, (), arguments, site, state, width)
                continue
            summary, mapping = self._called(trace, call, callee, arguments, argument_values, state, site, width)
            effects.append((summary, mapping))
            if not known_allocator:
                self._allocations(trace, where, callee, summary, mapping, argument_values, state, site, width)
        if len(callees) > MAX_EXACT or not any(summary.says_something for summary, _ in effects):
            self._forget_changed(trace.func, call, arguments, state)
            return [state]
        before = state.locks
        doubted = frozenset[str]().union(*(summary.doubted for summary, _ in effects))
        after: list[State]
        if len(effects) == 1:
            after = self._apply(trace, *effects[0], arguments, argument_values, call, state, site)
        elif any(o.has_effect for summary, _ in effects for o in summary.outcomes):
            after = []
            for summary, mapping in effects:
                after += self._apply(trace, summary, mapping, arguments, argument_values, call, state.copy(), site)
            after = either(after, call)
        else:
            self._forget_changed(trace.func, call, arguments, state)
            after = [state]
        if doubted:
            self._doubt(trace, doubted, before, after)
        return after

    def _look_below(
        self,
        trace: Trace,
        where: tuple[int, int],
        call: Call,
        arguments: tuple[Expr, ...],
        state: State,
        site: Site,
    ) -> None:
        """The allocations of a function whose other effects a model tells."""
        argument_values = tuple(state.value(argument) for argument in arguments)
        for callee in self._program.callees(call, trace.func):
            summary, mapping = self._called(trace, call, callee, arguments, argument_values, state, site, 0)
            self._allocations(trace, where, callee, summary, mapping, argument_values, state, site, 0)

    def _called(
        self,
        trace: Trace,
        call: Call,
        callee: str,
        arguments: tuple[Expr, ...],
        argument_values: tuple[Value, ...],
        state: State,
        site: Site,
        width: int,
    ) -> tuple[Summary, dict[Expr, Expr]]:
        """The summary of a function that is called, and what its parameters are here."""
        params = self._program.functions[callee].params
        consts = self._targets.constants(trace, state, callee, arguments, argument_values)
        trace.call(callee, consts, arguments, site, state, width)
        summary = self._summary(callee, consts)
        if self._effects.models.rolls(callee_name(call)):
            summary = summary.rolling
        if summary.blurred and any(value.param >= 0 for value in argument_values):
            trace.names.blurred = True
        if summary.says_something:
            trace.names.taken |= summary.taken
        return summary, {Var(param.name, "p"): argument for param, argument in zip(params, arguments, strict=False)}

    def _allocations(
        self,
        trace: Trace,
        where: tuple[int, int],
        callee: str,
        summary: Summary,
        mapping: dict[Expr, Expr],
        argument_values: tuple[Value, ...],
        state: State,
        site: Site,
        width: int,
    ) -> None:
        """Records the allocations that a function which is called makes."""
        situation = (where, callee, state.locks, state.released, state.scopes, argument_values)
        if not summary.says_something or not summary.reached or situation in trace.reached_in:
            return
        parts = (mapping, argument_values, state, site, width)
        reachable = plausible_ways(summary.reached, self._ledger(trace, mapping, state))
        possible = [self._reach(trace, where, reached, *parts) for reached in reachable]
        if all(possible):
            trace.reached_in.add(situation)

    def _doubt(self, trace: Trace, doubted: frozenset[str], before: tuple[HeldLock, ...], after: list[State]) -> None:
        """What was held before the call and may have been released in it, is held perhaps; if it was not held here, a
        caller may hold it."""
        trace.names.doubted |= doubted - {lock.cls for lock in before}
        kept = {lock for lock in before if lock.cls in doubted and not lock.may}
        for state in after if kept else ():
            state.locks = tuple(lock._replace(may=True) if lock in kept else lock for lock in state.locks)

    def _reach(
        self,
        trace: Trace,
        where: tuple[int, int],
        reached: Reached,
        mapping: dict[Expr, Expr],
        argument_values: tuple[Value, ...],
        state: State,
        site: Site,
        width: int,
    ) -> bool:
        """Record an allocation that the callee makes; False if it cannot be reached from here."""
        during = state.copy()
        for expr, value in reached.when:
            self._queries.tell(during, expr)
            if not learn_condition(during, during.resolve(replace(expr, mapping)), value):
                return False
        for release in reached.released:
            instance = during.resolve(replace(release.instance, mapping))
            self._effects.release_with_contexts(during, release._replace(instance=instance), trace.func.name)
        flags = values.substitute(reached.flags, argument_values)
        during = _without_scopes(during, reached.ended)
        scopes = tuple(dict.fromkeys((*scopes_of(during), *reached.scopes)))
        place = Place(*where, reached.name, reached.path, max(width, reached.width))
        amount = reached.amount.substitute(argument_values)
        trace.allocation(
            place, Context(during.locks, scopes, flags, amount, opened_in(during), trace.given(state)), site, during
        )
        return True

    def _apply(
        self,
        trace: Trace,
        summary: Summary,
        mapping: dict[Expr, Expr],
        arguments: tuple[Expr, ...],
        argument_values: tuple[Value, ...],
        call: Call,
        state: State,
        site: Site,
    ) -> list[State]:
        """The states after a call with this summary: one for each outcome that is possible here."""
        found: list[tuple[Outcome, State]] = []
        for outcome in summary.outcomes:
            current = state.copy()
            if self._possible(outcome, mapping, argument_values, Temp(call.dst), current):
                found.append((outcome, current))
        kept = plausible([outcome for outcome, _ in found], self._ledger(trace, mapping, state))
        after = []
        for outcome, current in found:
            if outcome in kept:
                named = {**mapping, RETURNED: Temp(call.dst), ORIGIN: origin_of(Temp(call.dst))}
                self._end(trace, outcome, named, current, site)
                self._forget_changed(trace.func, call, arguments, current, self._told(summary, outcome, named))
                self._store(trace, outcome, named, argument_values, current)
                self._begin(trace, outcome, named, current, site)
                self._assert_held(summary, mapping, current, site)
                after.append(current)
        return after

    def _assert_held(self, summary: Summary, mapping: dict[Expr, Expr], state: State, site: Site) -> None:
        """The callee's word on what the caller holds."""
        for lock in summary.asserted:
            if not lock.may:
                instance = state.resolve(replace(lock.instance, mapping))
                cls = class_here(lock.cls, instance, site.function)
                via = chain(lock.site, lock.via)
                self._effects.assert_held(
                    state, lock._replace(instance=instance, cls=cls, site=site, via=via, text=show(instance))
                )

    def _ledger(self, trace: Trace, mapping: dict[Expr, Expr], state: State) -> Ledger:
        def find(lock: Release | HeldLock, among: Iterable[HeldLock]) -> bool:
            instance = state.resolve(replace(lock.instance, mapping))
            return self._effects.holds(among, instance, lock.cls, lock.kind, trace.func.name)

        def owed(lock: HeldLock) -> bool:
            instance = state.resolve(replace(lock.instance, mapping))
            return any(r.instance == instance and r.kind == lock.kind for r in state.released)

        def taken(release: Release) -> bool:
            return release.cls in trace.names.taken or find(release, trace.acquired)

        return Ledger(lambda release: find(release, state.locks), taken, owed)

    def _possible(
        self,
        outcome: Outcome,
        mapping: dict[Expr, Expr],
        argument_values: tuple[Value, ...],
        result: Temp,
        state: State,
    ) -> bool:
        """Add what one outcome implies of values to `state`; False if it is not possible here."""
        for expr, value in outcome.when:
            self._queries.tell(state, expr)
            if not learn_condition(state, state.resolve(replace(expr, mapping)), value):
                return False
        return state.learn(result, values.substitute(outcome.value, argument_values))

    def _end(self, trace: Trace, outcome: Outcome, mapping: dict[Expr, Expr], state: State, site: Site) -> None:
        """What one outcome returns, and what it releases and closes: all that has names from before the call."""
        if outcome.path is not None:
            result = mapping[RETURNED]
            known = state.value(result)
            state.binds[result] = path = state.resolve(replace(outcome.path, mapping))
            if not state.learn(path, known):
                state.facts[path] = known  # memory that has changed since it was last looked at
        for member, bound in outcome.members:
            state.binds[replace(member, mapping)] = state.resolve(replace(bound, mapping))
        for release in outcome.released:
            instance = state.resolve(replace(release.instance, mapping))
            self._effects.release(state, instance, release.cls, release.kind, trace.func.name)
        scopes = self._effects.scopes
        for kind, token in outcome.closed:
            if kind == WAITING:
                scopes.run(state)
            else:
                given = state.resolve(replace(token, mapping))
                trace.scopes.end(scopes.close(state, kind, given, site, trace.scopes))

    def _told(self, summary: Summary, outcome: Outcome, mapping: dict[Expr, Expr]) -> frozenset[Expr] | None:
        """What is stored into by this outcome; None if the summary does not say."""
        if not any(each.stored for each in summary.outcomes):
            return None
        return frozenset(replace(place, mapping) for place, _, _ in outcome.stored)

    def _store(
        self,
        trace: Trace,
        outcome: Outcome,
        mapping: dict[Expr, Expr],
        argument_values: tuple[Value, ...],
        state: State,
    ) -> None:
        """What one outcome has put where its parameters point."""
        for place, value, named in outcome.stored:
            target = state.place(replace(place, mapping))
            if not isinstance(root(target), Const):
                path = None if named is None else state.resolve(replace(named, mapping))
                state.store(target, values.substitute(value, argument_values), path)
                trace.names.store(target)

    def _begin(self, trace: Trace, outcome: Outcome, mapping: dict[Expr, Expr], state: State, site: Site) -> None:
        """What one outcome leaves held and open."""
        for lock in outcome.acquired:
            instance = state.resolve(replace(lock.instance, mapping))
            cls = class_here(lock.cls, instance, trace.func.name)
            via = chain(lock.site, lock.via)
            held = lock._replace(instance=instance, cls=cls, site=site, via=via, text=show(instance))
            trace.acquired.setdefault(held._replace(may=False), not lock.tried)
            self._effects.acquire(state, held)
        for scope in outcome.opened:
            via = chain(scope.site, scope.via)
            token = replace(scope.token, mapping)
            kept = state.resolve(replace(scope.kept, mapping)) if scope.kept is not None else None
            opened = scope._replace(token=token, site=site, via=via, kept=kept)
            self._effects.scopes.open(state, opened, trace.scopes)


def _without_scopes(state: State, ended: tuple[str, ...]) -> State:
    """`state`, in which the callee has closed scopes of the kinds `ended`."""
    scopes = list(state.scopes)
    for kind in ended:
        number = next((n for n in range(len(scopes) - 1, -1, -1) if scopes[n].kind == kind), None)
        if number is not None:
            del scopes[number]
    if len(scopes) == len(state.scopes):
        return state
    changed = state.copy()
    changed.scopes = tuple(scopes)
    return changed
