"""Loops that retry an allocation until it succeeds.

From each allocation in a loop, the paths on which it (and every other allocation of the loop) fails are
followed. If all of them lead back to it, the loop is `__GFP_NOFAIL` in disguise. An exit whose condition
cannot change from one round to the next (a parameter's flag) is no way out for the calls that enter with it
false; an exit on anything that can change (a signal, a counter, a deadline, a shutdown flag) is a failure policy.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import networkx as nx

from gfpcheck.analysis import values
from gfpcheck.analysis.conditions import assume
from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.paths import names_in, reads_memory, replace, show
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.analysis.state import State, join
from gfpcheck.analysis.values import Value
from gfpcheck.ir import (
    Addr,
    Assign,
    Branch,
    Call,
    Expr,
    Func,
    Goto,
    Jump,
    Loc,
    Switch,
    Temp,
    Var,
    first_of,
    positions,
    successors,
)

ENOMEM = 12
MAX_VISITS = 400
MAX_SECOND = 6
"""Ways back to the allocation that are followed for a second round."""


class RetryLoop(NamedTuple):
    """An endless retry. `sites` are its allocations in source order, `head` where a round begins;
    `unless` are the conditions, fixed for the whole loop, under which it does end; `waits` are the
    functions called between two tries, `waits_with` the flags that the one that waits for memory is told, None if there
    is no such among them."""

    sites: tuple[AllocationSite, ...]
    head: Loc
    unless: tuple[str, ...]
    waits: tuple[str, ...]
    waits_with: Value | None


class _Paths(NamedTuple):
    retries: bool
    policy: bool
    unless: tuple[str, ...]
    waits: tuple[str, ...]
    waits_with: Value | None = None


class LoopFinder:
    def __init__(self, program: Program, engine: Engine) -> None:
        self._program = program
        self._engine = engine
        self._effects = engine.effects
        self._inliner = engine.inliner

    def retry_loops(self, func: Func, sites: list[AllocationSite]) -> list[RetryLoop]:
        """The endless retry loops of `func`, one for each set of allocations that retry together."""
        if not sites:
            return []
        found: list[RetryLoop] = []
        for blocks in cycles(func):
            inside = self._tried(func, blocks, sites)
            retrying: dict[AllocationSite, _Paths] = {}
            for site in inside:
                if not all(self._effects.never_fails(context.flags) for context in site.contexts):
                    paths = self._follow(func, blocks, site, inside)
                    if paths.retries and not paths.policy:
                        retrying[site] = paths
            if retrying:
                known = positions(func)
                ordered = sorted(retrying, key=lambda site: known[site.call.loc])
                first = retrying[ordered[0]]
                head = _start_of(func, blocks)
                found.append(RetryLoop(tuple(ordered), head, first.unless, first.waits, first.waits_with))
        return found

    def _tried(self, func: Func, blocks: frozenset[int], sites: list[AllocationSite]) -> list[AllocationSite]:
        """The calls in the loop that allocate and say whether they have, one site for each."""
        found: dict[tuple[int, int], AllocationSite] = {}
        for site in sites:
            if site.block in blocks and not site.width and self._failure(func, site) is not None:
                found.setdefault((site.block, site.position), site)
        return list(found.values())

    def _failure(self, func: Func, site: AllocationSite) -> Value | None:
        """What the call returns when it fails; None if that cannot be told from success."""
        call = site.call
        if site.via:
            return self._failure_below(func, call)
        entry = self._effects.allocator(call)
        proto = self._program.protos.get(call.callee.name) if isinstance(call.callee, Var) else None
        if entry is None or entry.fails in ("never", "count") or proto is None:
            return None
        if entry.fails == "err_ptr":
            return values.ERRNO
        if proto.ret.endswith("*"):
            return values.ZERO
        if entry.fails == "false" or proto.ret in ("bool", "_Bool"):
            return values.ZERO
        return values.const(-ENOMEM) if proto.ret == "int" else None

    def _can_fail(self, func: Func, call: Call, state: State) -> bool:
        """False for an allocation that is known to succeed: __GFP_NOFAIL, or a reserve that one may wait for."""
        arguments = tuple(state.resolve(argument) for argument in call.args)
        flags = self._effects.allocation_flags(func, call, arguments, state)
        if flags is None:
            return True
        entry = self._effects.allocator(call)
        waits = self._effects.gfp.direct_reclaim
        reserve = entry is not None and entry.family == "mempool" and flags.ones & waits == waits
        return not reserve and not self._effects.never_fails(flags)

    def _failure_below(self, func: Func, call: Call) -> Value | None:
        """What a function that allocates returns when it says that it has failed."""
        callees = self._program.callees(call, func)
        if len(callees) != 1 or not self._program.functions[callees[0]].ret.endswith("*"):
            return None
        returned = [outcome.value for outcome in self._engine.summary(callees[0]).outcomes]
        if all(value.is_error is False for value in returned if value.truth is not False):
            return values.ZERO if any(value.truth is not True for value in returned) else None
        never_null = all(value.truth is True for value in returned)
        return values.ERRNO if never_null or any(value.is_error for value in returned) else values.ZERO

    def _follow(
        self,
        func: Func,
        blocks: frozenset[int],
        start: AllocationSite,
        failing: list[AllocationSite],
        before: State | None = None,
    ) -> _Paths:
        """Follow the paths from the failure of `start` until it is tried again or the loop is left; then once more
        from what is known `before` the second try, which may ask for something else."""
        fails = {(site.block, site.position): self._failure(func, site) for site in failing}
        exits: list[Expr | None] = []
        waits: dict[str, None] = {}
        told: Value | None = None
        edges: nx.DiGraph[int] = nx.DiGraph()
        retries, visits = False, 0
        first = State() if before is None else before.copy()
        first.forget(Temp(start.call.dst))
        first.learn(Temp(start.call.dst), fails[start.block, start.position] or values.ZERO)
        tried_again: list[State] = []
        queue = deque([(start.block, start.position + 1, first)])
        flags = [Var(n, kind) for n, type_ in func.types.items() if type_ == "gfp_t" for kind in "lp"]
        arrived: dict[tuple[int, tuple[int, ...]], State] = {}
        while queue:
            block, position, state = queue.popleft()
            visits += 1
            if visits > MAX_VISITS:
                return _Paths(False, True, (), ())
            state = state.copy()
            again = False
            for index in range(position, len(func.blocks[block].instrs)):
                instr = func.blocks[block].instrs[index]
                if isinstance(instr, Assign):
                    state.assign(instr.dst, instr.src)
                elif (block, index) == (start.block, start.position):
                    if not self._can_fail(func, instr, state):
                        return _Paths(retries, True, (), ())  # the second try asks in a way that does not fail
                    tried_again.append(state)
                    again = True
                    break
                else:
                    # What stands where the allocation does is of its macro; a mere expression waits for nothing.
                    own = (block, index) in fails or instr.loc == start.call.loc
                    if not own and self._inliner.value(instr, func.file) is None:
                        waits[self._effects.display_name(instr)] = None
                        flags_told = self._waits_with(func, instr, state)
                        if flags_told is not None:
                            told = flags_told if told is None else values.join(told, flags_told)
                    can_fail = self._can_fail(func, instr, state)
                    self._call(func, instr, state, fails.get((block, index)) if can_fail else None)
                    if not can_fail:
                        state.learn(Temp(instr.dst), values.VALID_POINTER)
            if again:
                retries = True
                continue
            for target, taken, condition in _next(func, block, state):
                if target not in blocks:
                    exits.append(condition)
                    continue
                edges.add_edge(block, target)
                key = (target, tuple(taken.eval(name).ones for name in flags))
                old = arrived.get(key)
                merged = taken if old is None else join(old, taken, widen=True)
                if old is None or merged.facts != old.facts or merged.binds != old.binds:
                    arrived[key] = merged
                    queue.append((target, 0, merged))
        on_the_way = _assigned_in(func, frozenset(block for block, _ in arrived) | {start.block})
        if not all(condition is not None and _fixed(condition, on_the_way) for condition in exits):
            return _Paths(retries, True, (), ())
        if before is None:
            for known in tried_again[:MAX_SECOND]:
                second = self._follow(func, blocks, start, failing, known)
                if second.policy or not second.retries:
                    return _Paths(retries, True, (), ())
        anywhere = _assigned_in(func, blocks)
        unless = dict.fromkeys(show(c) for c in exits if c is not None and _fixed(c, anywhere))
        return _Paths(retries, _waits_for_something(func, edges, start.block), tuple(unless), tuple(waits), told)

    def _waits_with(self, func: Func, call: Call, state: State) -> Value | None:
        """The flags that a function which waits for memory is told; None for any other function."""
        if callee_name(call) in self._effects.models.retry_waits:
            return state.eval(call.args[call.gfp]) if 0 <= call.gfp < len(call.args) else values.TOP
        for callee in self._program.callees(call, func):
            inner = self._program.calls(self._program.functions[callee])
            if any(callee_name(each) in self._effects.models.retry_waits for _, _, each in inner):
                return values.TOP
        return None

    def _call(self, func: Func, call: Call, state: State, failure: Value | None) -> None:
        arguments = [state.resolve(argument) for argument in call.args]
        result = Temp(call.dst)
        state.forget(result)
        for argument in arguments:
            if isinstance(argument, Addr) and isinstance(argument.base, Var):
                state.forget(argument.base)
        if failure is not None:
            state.learn(result, failure)
            return
        inlined = self._inliner.value(call, func.file)
        if inlined is not None:
            state.assign(result, replace(inlined[1], dict(zip(inlined[0], arguments, strict=False))))


def _next(func: Func, block: int, state: State) -> list[tuple[int, State, Expr | None]]:
    """The feasible successors with their states and, where there was a choice, its condition."""
    term = func.blocks[block].term
    if isinstance(term, Branch):
        taken = [(term.then, assume(state, term.cond, True)), (term.other, assume(state, term.cond, False))]
        possible = [(target, after) for target, after in taken if after is not None]
        choice = state.resolve(term.cond) if len(possible) == 2 else None
        return [(target, after, choice) for target, after in possible]
    if isinstance(term, Switch):
        return [(target, state, state.resolve(term.value)) for target in successors(term)]
    if isinstance(term, Jump | Goto):
        return [(target, state, None) for target in successors(term)]
    return []


def _fixed(condition: Expr, assigned: frozenset[Expr]) -> bool:
    """True if `condition` has the same value in every round that assigns only `assigned`."""
    names = names_in(condition)
    return not reads_memory(condition) and not any(isinstance(n, Temp) or n in assigned for n in names) and bool(names)


def _assigned_in(func: Func, blocks: frozenset[int]) -> frozenset[Expr]:
    names: set[Expr] = set()
    for block in blocks:
        for instr in func.blocks[block].instrs:
            if isinstance(instr, Assign):
                names |= names_in(instr.dst) if isinstance(instr.dst, Var | Temp) else frozenset()
            else:
                for argument in instr.args:
                    if isinstance(argument, Addr) and isinstance(argument.base, Var):
                        names.add(argument.base)
    return frozenset(names)


def _waits_for_something(func: Func, edges: nx.DiGraph[int], start: int) -> bool:
    """True if the failure path can go round without trying again: it waits for an event, or serves
    something else, rather than retry. A loop that counts a local variable ends by itself."""
    inner = edges.copy()
    if start in inner:
        inner.remove_edges_from(list(inner.in_edges(start)))
    for component in nx.strongly_connected_components(inner):
        node = next(iter(component))
        if len(component) == 1 and not inner.has_edge(node, node):
            continue
        assigned = _assigned_in(func, frozenset(component))
        counted = False
        for block in component:
            term = func.blocks[block].term
            if isinstance(term, Branch) and not {term.then, term.other} <= component:
                counted |= any(isinstance(name, Var) and name in assigned for name in names_in(term.cond))
        if not counted:
            return True
    return False


def cycles(func: Func) -> list[frozenset[int]]:
    """The strongly connected sets of blocks that are loops."""
    if all(target > number for number, block in enumerate(func.blocks) for target in successors(block.term)):
        return []
    graph: nx.DiGraph[int] = nx.DiGraph()
    for number, block in enumerate(func.blocks):
        graph.add_edges_from((number, target) for target in successors(block.term))
    return sorted(
        (
            frozenset(component)
            for component in nx.strongly_connected_components(graph)
            if len(component) > 1 or any(graph.has_edge(node, node) for node in component)
        ),
        key=min,
    )


def _start_of(func: Func, blocks: frozenset[int]) -> Loc:
    """The first line of the loop."""
    places = [instr.loc for block in blocks for instr in func.blocks[block].instrs]
    return first_of(func, places)
