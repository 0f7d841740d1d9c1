"""The path-sensitive interpreter: runs one function over abstract states and summarises it.

Functions are run callees first, so a call applies its callee's summary. A summary that depends on
its parameters is made again for the constants passed at a call (`xfs_ilock(ip, XFS_ILOCK_EXCL)`), so
that lock wrappers with mode flags need no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import msgspec

from gfpcheck.analysis import nonnull, values
from gfpcheck.analysis.calls import Calls
from gfpcheck.analysis.carriers import Carriers
from gfpcheck.analysis.conditions import assume
from gfpcheck.analysis.effects import Effects
from gfpcheck.analysis.inline import Inliner
from gfpcheck.analysis.kept import Entry, Kept, Reader
from gfpcheck.analysis.liveness import Flow, flow_of
from gfpcheck.analysis.outcomes import Returns, stores_for_callers
from gfpcheck.analysis.pending import Pending
from gfpcheck.analysis.pointers import function_named
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.results import Acquisition, Found, FunctionFacts, Results, Shown, Which, site_at
from gfpcheck.analysis.starts import Starts
from gfpcheck.analysis.state import HeldLock, Key, OpenScope, Release, Site, State, blur, join
from gfpcheck.analysis.summary import NOTHING, Outcome, Summary
from gfpcheck.analysis.surroundings import Surroundings
from gfpcheck.analysis.trace import CalledAt, Consts, Context, Known, Trace
from gfpcheck.analysis.values import Value
from gfpcheck.ir import OWN, Addr, Assign, Branch, Call, Const, Expr, Func, Goto, Jump, Return, Stop, Switch, Temp, Var
from gfpcheck.models import Models
from gfpcheck.recursion import deep_recursion

MAX_SITUATIONS = 10
"""Situations kept apart at one program point; more are blurred into one."""
MAX_STEPS = 4_000
"""Block visits before a function is given up on (and counted)."""
MAX_SPECIAL_STEPS = 800
"""Block visits of the general run up to which a function is run again for the constants that it is called with."""
WIDEN_AFTER = 3
"""Rounds of a loop after which only what they agree on is still known."""
MAX_CHOICES = 4
"""Constants of one variable up to which each is a situation of its own."""
MAX_ROUNDS = 6
"""Times that functions which call each other are run again before their summaries are taken as they are."""
FEW = 6
"""Blocks up to which every path of a function is followed by itself: a wrapper that asks before it locks."""
SMALL = 8
"""Blocks up to which a function without effects is still run for the value that it returns."""
_RECURSION = 200_000
"""Depth of Python's stack: ten frames for each of the functions that call each other, which are thousands in fs/."""
_TOGETHER = "together"
"""Names what is known of functions that call each other, by the one that was looked into first."""
_UNKNOWN = Found(NOTHING, False, 0)
"""Stands for what the first run over a function that calls itself will find."""
T = TypeVar("T")

Point = tuple[int, int]
"""A place in a function: block, and instruction in it; the number of instructions is the block's end."""


class Held(NamedTuple):
    """The locks held at a point, the scopes open there, and if it is a call the values of its arguments; `released` are
    the callers' locks that are not held any more."""

    locks: tuple[HeldLock, ...]
    scopes: tuple[str, ...]
    values: tuple[int | None, ...]
    released: tuple[Release, ...] = ()


Given = tuple[tuple[Expr, Value], ...]
"""What is known of values that parameters lead to."""
Question = tuple[str, Consts, Expr | None, Given]
"""What is asked of `Engine.explore`."""


class Exploration(NamedTuple):
    """What one function does when some parameters are fixed. `calls` are those that can be reached, each with its
    arguments; `demanded` the bits of the mask asked about that are set at each of its calls. `blocks` are those that
    are come to; None if it was too much work, and given up."""

    acquisitions: tuple[Acquisition, ...]
    calls: tuple[tuple[CalledAt, tuple[Expr, ...]], ...]
    demanded: Mapping[Site, int]
    blocks: frozenset[int] | None


_FOUND = msgspec.msgpack.Decoder(Entry[Found])
_GROUP = msgspec.msgpack.Decoder(Entry[list[tuple[Which, Found]]])
_EXPLORATION = msgspec.msgpack.Decoder(Entry[Exploration])


@dataclass
class _Run:
    """The work list of one function."""

    func: Func
    flow: Flow
    split: tuple[Expr, ...]
    trace: Trace
    returns: Returns
    arriving: list[dict[Key, State]]
    waiting: dict[int, dict[Key, State]] = field(default_factory=dict)
    visits: dict[tuple[int, Key], int] = field(default_factory=dict)
    blurred: bool = False
    given_up: bool = False
    steps: int = 0
    watched: dict[Point, dict[Held, None]] = field(default_factory=dict)

    def note(self, point: Point, states: list[State]) -> None:
        """Keeps what is known in these states, if somebody watches the point."""
        if point not in self.watched:
            return
        block, index = point
        instrs = self.func.blocks[block].instrs
        instr = instrs[index] if index < len(instrs) else None
        arguments = instr.args if isinstance(instr, Call) else ()
        for state in states:
            scopes = tuple(scope.kind for scope in state.scopes)
            known = tuple(state.eval(argument).constant for argument in arguments)
            self.watched[point][Held(state.locks, scopes, known, state.released)] = None

    def situation(self, state: State) -> Key:
        """What keeps `state` apart from others; in a function of a few blocks also what was asked on the way."""
        key = state.key(self.split)
        return (*key, frozenset(self.returns.names.facts(state))) if self.returns.fine else key

    def arrive(self, target: int, state: State, source: int = -1) -> None:
        """A state comes to a block from block `source`: joined with what came before, and waiting if that is news."""
        state = state.copy()
        if (source, target) in self.flow.loops:
            state.forget_memory(self.trace.rechecked(source, target))
        state.keep_only(self.flow.live[target])
        situation = self.situation(state)
        here = self.arriving[target]
        old = here.get(situation)
        if old is None and len(here) >= MAX_SITUATIONS:
            self.blurred = True
            situation = next(reversed(here))
            old = here[situation]
            state = blur(old, state, self.is_round(target, situation))
        elif old is not None:
            state = join(old, state, self.is_round(target, situation))
        if old is not None and _same(old, state):
            return
        here[situation] = state
        self.waiting.setdefault(target, {})[situation] = state

    def is_round(self, target: int, situation: Key) -> bool:
        """True if the block is in a loop, and has been come to so often that it must come to an end."""
        if target not in self.flow.repeated:
            return False
        count = self.visits[target, situation] = self.visits.get((target, situation), 0) + 1
        return count > WIDEN_AFTER

    def merged(self, states: list[State]) -> list[State]:
        """The states after a call, one for each situation and not too many."""
        if len(states) <= 2:
            return states
        found: dict[Key, State] = {}
        for state in states:
            situation = self.situation(state)
            old = found.get(situation)
            if old is not None:
                found[situation] = join(old, state)
            elif len(found) < MAX_SITUATIONS:
                found[situation] = state
            else:
                self.blurred = True
                last = next(reversed(found))
                found[last] = blur(found[last], state)
        return list(found.values())


class Engine:
    """Summaries and facts of all functions of a program, on demand and remembered: what `kept` knows of an earlier run
    need not be found out again. `tool` names everything that the results depend on but for the program. `rounds` are
    the calls, (caller, callee), that are not followed. `steps` counts the blocks visited to make summaries."""

    def __init__(
        self,
        program: Program,
        models: Models,
        effects: Effects,
        rounds: Set[tuple[str, str]],
        kept: Kept | None = None,
        tool: str = "",
    ) -> None:
        self.program = program
        self.effects = effects
        self.inliner = Inliner(program, models)
        self.results = Results()
        self.starts = Starts(program, models)
        self._carriers = Carriers(program, effects, effects.models)
        self._rounds = rounds
        self._calls = Calls(program, effects, self.inliner, self.summary, rounds)
        self.kept = kept
        self._surroundings = Surroundings(tool, program, effects, self.starts, self._carriers, self.inliner, rounds)
        self._pending = Pending()
        self._flows: dict[str, Flow] = {}
        self._nothing: dict[str, Known] = {}
        self._explored: dict[Question, Exploration] = {}
        self.steps = 0

    @property
    def facts(self) -> Mapping[str, FunctionFacts]:
        """What was found out about the functions that were run, by id."""
        return self.results.facts

    # --- summaries -------------------------------------------------------------------------

    def summary(self, key: str, consts: Consts = ()) -> Summary:
        """The summary of function `key`, with the parameters in `consts` fixed."""
        if not any(number is not None for number in consts):
            consts = ()
        which, pending = (key, consts), self._pending
        found = self.results.find(which)
        if found is None and pending.is_active(key):
            pending.rest_on_active(key)
            which = (key, ())
            found = self.results.find(which) or _UNKNOWN
        elif found is None and consts:
            general = self.results.find((key, ())) or self._look_into((key, ()))
            pending.rest_on((key, ()))
            if not self._can_depend(which, general):
                found = general
                if pending.is_open((key, ())):
                    which = (key, ())
                else:
                    self.results.put(which, general.brief)
        if found is None:
            found = self._look_into(which)
        pending.use(which, found.summary)
        return found.summary

    def _look_into(self, which: Which) -> Found:
        if self._pending.is_idle:
            with deep_recursion(_RECURSION):
                return self._find_out(which)
        return self._find_out(which)

    def _find_out(self, which: Which) -> Found:
        """What a run finds out; provisional as long as it is open."""
        pending = self._pending
        pending.begin(which[0])
        found = self._recall(self._name(*which), _FOUND)
        if found is None:
            together = self._recall(self._name(*which, _TOGETHER), _GROUP)
            for each, kept in together or ():
                self.results.put(each, kept)
            found = self.results.find(which)
        if found is not None:
            pending.end()
            self.results.put(which, found)
            return found
        found = self._make(which)
        self.results.put(which, found)
        uses = pending.settle(which)
        if uses is not None:
            self._keep(self._name(*which), uses, found)
            return found
        if pending.rests_on_none(which):
            self._agree(which)
        return self.results.find(which) or found

    def _agree(self, first: Which) -> None:
        """Functions that call each other, each of which was run, are run again until what they were given is what is
        known, MAX_ROUNDS times at most. `first` has led to the others."""
        pending = self._pending
        pending.begin()
        for _ in range(MAX_ROUNDS):
            again = False
            for which in pending.members():
                if any(self._known(need) != summary for need, summary in pending.given(which).items()):
                    again = True
                    pending.begin(which[0])
                    self.results.put(which, self._make(which))
                    pending.settle_again(which)
            if not again:
                break
        closed = pending.close()
        needs = {need: summary for uses in closed.values() for need, summary in uses.items() if need not in closed}
        self._keep(self._name(*first, _TOGETHER), needs, [(which, self.results.find(which)) for which in closed])

    def _known(self, which: Which) -> Summary:
        """What is known by now of a run that was asked for."""
        found = self.results.find(which)
        return NOTHING if found is None else found.summary

    def _make(self, which: Which) -> Found:
        if not self._is_relevant(which):
            return Found(NOTHING, False, 0, None if which[1] else FunctionFacts())
        return self._run(*which)

    def _can_depend(self, which: Which, general: Found) -> bool:
        """True if the constants passed may give a sharper summary than the general one: also where there was too much
        to keep apart without them, as for three locks in two modes each. Not for a function that is much work."""
        key, consts = which
        summary = general.summary
        if general.steps > MAX_SPECIAL_STEPS:
            return False
        if any(isinstance(fixed, tuple) for fixed in consts):
            return True
        if summary.has_effect or len(summary.outcomes) > 1 or summary.blurred:
            return True
        telling = _tells(self.program.functions[key])
        return telling and any(outcome != Outcome() and outcome.value.constant is None for outcome in summary.outcomes)

    def relevant(self, key: str) -> bool:
        """True if running `key` could show anything."""
        self.summary(key)
        known = self.results.find((key, ()))
        return known is not None and known.relevant

    def _is_relevant(self, which: Which) -> bool:
        """True if running the function can show anything: it touches locks or scopes, allocates, calls
        something that does, or is small enough to be worth running for its value."""
        key, consts = which
        if consts:
            return self.relevant(key)
        func = self.program.functions[key]
        for _, _, call in self.program.calls(func):
            if self.effects.concerns(func, call):
                return True
            for callee in (*self.program.callees(call, func), *self.program.passed_functions(call, func.file)):
                if (key, callee) in self._rounds:
                    continue
                if self._pending.is_active(callee):
                    self._pending.rest_on_active(callee)
                    return True
                summary = self.summary(callee)
                if summary.has_effect or summary.blurred:
                    return True
        return _tells(func) or bool(self.program.pointers.called_parameters(key))

    # --- what is known from an earlier run ---------------------------------------------------

    def is_kept(self, keys: Sequence[str]) -> bool:
        """True if `kept` knows something of these functions, which call each other, as they are, unless what they call
        has changed."""
        if self.kept is None:
            return False
        together = self.kept.has(self._name(keys[0], (), _TOGETHER))
        return together or all(self.kept.has(self._name(key, ())) for key in keys)

    def _name(self, key: str, *question: object) -> bytes:
        return b"" if self.kept is None else self._surroundings.name(key, *question)

    def _recall(self, name: bytes, reader: Reader[T]) -> T | None:
        """What was found out earlier, if all that it rests on is as it was."""
        entry = None if self.kept is None else self.kept.find(name, reader)
        if entry is None:
            return None
        for need, digest in entry.needs:
            if need[0] not in self.program.functions:
                return None
            self.summary(*need)
            if self._pending.rests or self.results.digest(need) != digest:
                self._pending.forget_uses()
                return None
        return entry.found

    def _keep(self, name: bytes, uses: Iterable[Which], found: object) -> None:
        """Keeps what was found out, which is final."""
        if self.kept is not None:
            self.kept.add(name, tuple((need, self.results.digest(need)) for need in uses), found)

    # --- one function ----------------------------------------------------------------------

    def explore(self, key: str, consts: Consts, mask: Expr | None = None, given: Given = ()) -> Exploration:
        """What `key` does with the parameters in `consts` fixed: the locks that it takes and the calls that it can
        reach then, and which bits of `mask`, an expression over its parameters, are set there. `given` is what is
        known of others."""
        question = (key, consts, mask, given)
        known = self._explored.get(question)
        if known is None:
            self._pending.begin()
            name = self._name(*question)
            kept = self._recall(name, _EXPLORATION)
            known = kept or self._explore(question)
            uses = self._pending.end()
            if kept is None:
                self._keep(name, uses, known)
            self._explored[question] = known
        return known

    def _explore(self, question: Question) -> Exploration:
        key, consts, mask, given = question
        run = self._interpret(key, consts, exploring=True, mask=mask, given=given)
        acquisitions = self._collect(run, Summary(run.returns.outcomes())).acquisitions
        blocks = None if run.given_up else frozenset(n for n, states in enumerate(run.arriving) if states)
        return Exploration(tuple(acquisitions), tuple(run.trace.calls.items()), run.trace.demanded, blocks)

    def returning(self, key: str, number: int) -> Given:
        """What is known, in terms of its parameters, of the values that `key` has looked at whenever it returns
        `number`; nothing if it never does."""
        found: dict[Expr, Value] | None = None
        for facts in self._interpret(key, ()).returns.facts(values.const(number)):
            found = facts if found is None else {e: values.join(v, facts[e]) for e, v in found.items() if e in facts}
        return tuple((expr, value) for expr, value in (found or {}).items() if value != values.TOP)

    def is_explored(self, question: Question) -> bool:
        """True if that exploration is made, or kept unless what is called has changed."""
        return question in self._explored or (self.kept is not None and self.kept.has(self._name(*question)))

    def learn_explored(self, question: Question, found: Exploration) -> None:
        """Takes over an exploration that another process has made."""
        self._explored.setdefault(question, found)

    def contexts(self, key: str) -> frozenset[str]:
        """The contexts that `key` is registered to be called in."""
        return frozenset(registration.context for registration in self.starts.registered(key))

    def watch(self, key: str, points: Iterable[Point]) -> dict[Point, tuple[Held, ...]]:
        """What may be held at these points of `key`, whatever its parameters are: nothing for one never reached."""
        run = self._interpret(key, (), watched={point: {} for point in points})
        return {point: tuple(held) for point, held in run.watched.items()}

    def _run(self, key: str, consts: Consts) -> Found:
        run = self._interpret(key, consts)
        self.steps += run.steps
        summary = NOTHING
        if not run.given_up:
            names = run.trace.names
            outcomes, reached = run.returns.outcomes(), run.trace.reached()
            blurred = run.blurred or run.returns.blurred or names.blurred
            doubted = frozenset(names.doubted - names.taken)
            summary = Summary(outcomes, reached, frozenset(names.taken), (), doubted, blurred)
            if not summary.has_effect:
                summary = summary._replace(asserted=run.returns.asserted())
        if not consts:
            return Found(summary, True, run.steps, self._collect(run, summary))
        held = {place: _with_locks(contexts) for place, contexts in run.trace.sites.items()}
        return Found(summary, True, run.steps, None, None if run.given_up else Shown(run.trace.made(), held))

    def _interpret(
        self,
        key: str,
        consts: Consts,
        exploring: bool = False,
        watched: dict[Point, dict[Held, None]] | None = None,
        mask: Expr | None = None,
        given: Given = (),
    ) -> _Run:
        func = self.program.functions[key]
        flow = self._flows.get(key)
        if flow is None:
            flow = self._flows[key] = flow_of(func)
        params = {param.name for param in func.params}
        split: tuple[Expr, ...] = tuple(
            Var(n, "p" if n in params else "l") for n, type_ in func.types.items() if type_ == "gfp_t"
        )
        split += _chosen_constants(func)
        returns = Returns(func, fine=len(func.blocks) <= FEW and not flow.heads)
        pointing = {number: fixed for number, fixed in enumerate(consts) if isinstance(fixed, tuple)}
        trace = Trace(func, returns.names, flow, self._nothing.setdefault(key, {}), pointing, exploring, mask)
        run = _Run(func, flow, split, trace, returns, [{} for _ in func.blocks], watched=watched or {})
        start = State(self.starts.held(key))
        for number, param in enumerate(func.params):
            fixed = consts[number] if number < len(consts) else None
            value = values.of_param(number)
            if isinstance(fixed, tuple):
                value = value._replace(nonzero=True, not_error=True)
            start.facts[Var(param.name, "p")] = values.const(fixed) if isinstance(fixed, int) else value
            carried = self._carriers.kind(param.type)
            if carried is not None and fixed != 0:
                site = Site(func.file, func.name, *OWN)
                start.scopes = (OpenScope(carried, Var(param.name, "p"), site, inherited=True),)
        for expr, known in given:
            start.learn(expr, known)
        run.arrive(0, start)
        while run.waiting and not run.given_up:
            block = min(run.waiting, key=lambda b: flow.position[b])
            for state in run.waiting.pop(block).values():
                run.steps += 1
                self._block(run, block, state)
            run.given_up = run.steps > MAX_STEPS
        return run

    def _block(self, run: _Run, number: int, state: State) -> None:
        block = run.func.blocks[number]
        states = [state.copy()]
        for index, instr in enumerate(block.instrs):
            run.note((number, index), states)
            if isinstance(instr, Assign):
                site = Site(run.func.file, run.func.name, *instr.loc)
                for current in states:
                    self.effects.scopes.assign(instr, current, site, run.trace.scopes)
                    nonnull.assign(current, instr, run.flow.pointers)
                    self.effects.scopes.keep(instr, current)
            else:
                states = run.merged(
                    [after for now in states for after in self._calls.run(run.trace, (number, index), instr, now)]
                )
        run.note((number, len(block.instrs)), states)
        term = block.term
        for current in states:
            if isinstance(term, Jump | Goto):
                for target in (term.target,) if isinstance(term, Jump) else term.targets:
                    run.arrive(target, current, number)
            elif isinstance(term, Branch):
                nonnull.learn_read(current, term.cond)
                for target, truth in ((term.then, True), (term.other, False)):
                    taken = assume(current, term.cond, truth)
                    if taken is not None:
                        run.arrive(target, taken, number)
            elif isinstance(term, Switch):
                self._switch(run, term, current, number)
            elif isinstance(term, Return):
                run.trace.scopes.leave(current, term)
                run.returns.add(current, term.value)
            else:
                assert isinstance(term, Stop)

    def _switch(self, run: _Run, term: Switch, state: State, block: int) -> None:
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
            run.arrive(target, taken, block)
        if number is None or not matched:
            run.arrive(term.default, state, block)

    def _collect(self, run: _Run, summary: Summary) -> FunctionFacts:
        kept = {lock.identity[:3] for outcome in summary.outcomes for lock in outcome.acquired}
        sites = []
        for place in sorted(run.trace.sites, key=lambda place: (place.block, place.position, len(place.via), place)):
            sites.append(site_at(run.func, place, tuple(run.trace.sites[place])))
        acquisitions = [
            Acquisition(lock, blocking, lock.identity[:3] in kept) for lock, blocking in run.trace.acquired.items()
        ]
        blurred = run.blurred or run.returns.blurred
        trace = run.trace
        scopes = trace.scopes if trace.scopes else None
        asserted = run.returns.asserted()
        return FunctionFacts(sites, acquisitions, trace.made(), {}, asserted, blurred, run.given_up, scopes)


def _with_locks(contexts: Iterable[Context]) -> tuple[Context, ...]:
    return tuple(context for context in contexts if context.locks)


def _tells(func: Func) -> bool:
    """True if a function without effects is worth a run for the values that it returns or stores: a small one, and any
    that makes flags."""
    if len(func.blocks) > SMALL:
        return func.ret == "gfp_t"
    return func.ret != "void" or stores_for_callers(func)


def _chosen_constants(func: Func) -> tuple[Expr, ...]:
    """The locals and temporaries that only ever hold one of a few constants: flags, lock modes and functions, chosen
    by a condition that matters later."""
    assigned: dict[Expr, set[Expr]] = {}
    for block in func.blocks:
        for instr in block.instrs:
            if isinstance(instr, Assign) and (
                isinstance(instr.dst, Temp) or (isinstance(instr.dst, Var) and instr.dst.kind == "l")
            ):
                assigned.setdefault(instr.dst, set()).add(instr.src)
            elif isinstance(instr, Call):
                for argument in instr.args:
                    if isinstance(argument, Addr):
                        assigned.setdefault(argument.base, set()).add(argument)
    return tuple(
        name
        for name, sources in assigned.items()
        if 2 <= len(sources) <= MAX_CHOICES
        and all(isinstance(source, Const) or function_named(source) for source in sources)
        and not sources <= {Const(0), Const(1)}
    )


def _same(a: State, b: State) -> bool:
    return (
        a.binds == b.binds
        and a.facts == b.facts
        and a.locks == b.locks
        and a.scopes == b.scopes
        and a.released == b.released
    )
