"""What may be done while a transaction is open: the calls of each function that are made in it, and what they lead to.

A *part* is a function, as far as it runs in the transaction: entered with it open (until it ends it), from where it has
one started, the function that does so (`STARTING`), or all of one (`ALL`) that rolls a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from gfpcheck.analysis.engine import Exploration
from gfpcheck.analysis.paths import show
from gfpcheck.analysis.state import WAITING, Site
from gfpcheck.analysis.trace import Calling, Consts, Context
from gfpcheck.driver.analyse import Knowledge
from gfpcheck.ir import Call, Func, Loc, Var
from gfpcheck.overview.demand.asked import Amounts, Asked
from gfpcheck.overview.demand.clear import Bits, Clear
from gfpcheck.overview.starts import Starts

ALL = Site("", "", -1, 0)
"""Stands for a part that is a function as a whole."""
STARTING = Site("", "", -1, 1)
"""Stands for a part that is a function which starts a transaction: what it allocates by itself belongs to that, too,
before it has started it; not what it has others do when it could not be started."""


class Part(NamedTuple):
    """A part of function `key`: from the start at `start` on, all of it (`ALL`), or entered with a transaction open;
    called with the parameters in `consts` fixed, and in a transaction in which the flags in `clear` are not set."""

    key: str
    start: Site | None = None
    consts: Consts = ()
    clear: Clear = ()


class Step(NamedTuple):
    """A call at `block`, `position` that is made in a transaction: what it allocates by itself, and the parts that it
    leads to, one of them if there are several. `maybe`: it need not call them (a callback that is passed)."""

    block: int
    position: int
    call: Call
    asked: tuple[Asked, ...]
    parts: tuple[Part, ...]
    maybe: bool
    unknown: str = ""
    """A function pointer of which nobody knows what it means, as the source writes it."""


class Region:
    """The parts of one program."""

    def __init__(self, known: Knowledge, starts: Starts, amounts: Amounts, bits: Bits) -> None:
        self._program = known.program
        self._engine = known.engine
        self._edges = known.edges
        self._starts = starts
        self._amounts = amounts
        self._bits = bits
        callers = self._callers(known)
        self._mattering = self._matters(known, bits, callers)
        self._asked = _below(bits, callers)
        self._known: dict[Part, tuple[Step, ...]] = {}
        self._inside: dict[Part, frozenset[int]] = {}
        self._ending: dict[str, bool] = {}

    def _callers(self, known: Knowledge) -> dict[str, list[str]]:
        """For each function those that call it."""
        callers: dict[str, list[str]] = {}
        for key, func in known.program.functions.items():
            for edge in known.edges.of(key):
                callers.setdefault(edge.callee, []).append(key)
            for call in (call for _, _, call in known.program.calls(func) if self._is_modelled(call)):
                for callee in known.program.callees(call, func):
                    callers.setdefault(callee, []).append(key)
        return callers

    def _matters(self, known: Knowledge, bits: Bits, callers: Mapping[str, list[str]]) -> frozenset[str]:
        """The functions that allocate or set a transaction's flags, by themselves or below."""
        waiting = [key for key, facts in known.engine.facts.items() if facts.sites]
        waiting += [key for key in bits.setting() if not known.engine.facts[key].sites]
        found = set(waiting)
        for key in waiting:
            new = [caller for caller in callers.get(key, ()) if caller not in found]
            found.update(new)
            waiting += new
        return frozenset(found)

    def _narrow(self, key: str, clear: Clear) -> Clear:
        """What of `clear` matters to function `key`: what is asked for there or below."""
        asked = self._asked.get(key, {})
        return tuple((member, bits) for member, every in clear if (bits := every & asked.get(member, 0)))

    def opened(self, key: str) -> dict[Site, tuple[Site, ...]]:
        """Where function `key` starts transactions, or calls what does: the place, and the way down to the scope."""
        found: dict[Site, tuple[Site, ...]] = {}
        for edge in self._edges.of(key):
            for calling in edge.callings:
                for scope in calling.scopes:
                    if not scope.inherited and scope.kind != WAITING:
                        found.setdefault(scope.site, (scope.site, *scope.via))
        for allocation in self._engine.facts[key].sites:
            for context in allocation.contexts:
                for _, site in context.opened:
                    if site is not None:
                        found.setdefault(site, (site,))
        return {site: chain for site, chain in found.items() if self._starts.start(chain) is not None}

    def steps(self, part: Part) -> tuple[Step, ...]:
        """The calls of `part`, in the order of blocks."""
        known = self._known.get(part)
        if known is None:
            known = self._known[part] = tuple(self._find(part))
        return known

    def open_blocks(self, part: Part) -> frozenset[int]:
        """The blocks at whose beginning the transaction is open."""
        func = self._program.functions[part.key]
        if part.start in (None, ALL, STARTING):
            return frozenset(range(len(func.blocks)))
        known = self._inside.get(part)
        if known is None:
            held = self._engine.watch(part.key, [(number, 0) for number in range(len(func.blocks))])
            known = self._inside[part] = frozenset(
                number
                for (number, _), each in held.items()
                if any(kind != WAITING for situation in each for kind in situation.scopes)
            )
        return known

    def blocks(self, part: Part) -> frozenset[int]:
        """The blocks that are come to with what is known of a part."""
        func = self._program.functions[part.key]
        found = self._bits.reached(func, part.clear)
        explored = self._explored(part)
        return found if explored is None or explored.blocks is None else found & explored.blocks

    def cut(self, part: Part) -> frozenset[tuple[int, int]]:
        """The edges that are not gone in a part, for the flags that are not set."""
        return self._bits.cut(self._program.functions[part.key], part.clear)

    def _explored(self, part: Part) -> Exploration | None:
        """What the function does with the parameters of a part; None if it is not worth a look, or too much work."""
        if not self._engine.relevant(part.key) or self._engine.facts[part.key].given_up:
            return None
        found = self._engine.explore(part.key, part.consts)
        return None if found.blocks is None else found

    def _called(self, part: Part) -> dict[Loc, dict[str, dict[Consts, None]]]:
        """The functions that a part calls, by place, each with what they are passed."""
        found: dict[Loc, dict[str, dict[Consts, None]]] = {}
        explored = self._explored(part)
        for at, _ in explored.calls if explored is not None else ():
            consts = at.consts if any(fixed is not None for fixed in at.consts) else ()
            found.setdefault(at.site.loc, {}).setdefault(at.callee, {})[consts] = None
        return found

    def _find(self, part: Part) -> Iterator[Step]:
        func = self._program.functions[part.key]
        facts = self._engine.facts[part.key]
        direct = {(s.block, s.position): s for s in facts.sites if not s.via}
        carries = any(site is None for s in facts.sites for c in s.contexts for _, site in c.opened)
        edges: dict[Loc, list[tuple[str, int, bool]]] = {}
        blocks, called = self.blocks(part), self._called(part)
        for edge in self._edges.of(part.key):
            if part.start == ALL or any(_is_open(calling, part.start) for calling in edge.callings):
                edges.setdefault(edge.site.loc, []).append((edge.callee, edge.width, edge.passed))
        for block, position, call in self._program.calls(func):
            if block not in blocks:
                continue
            site = direct.get((block, position))
            if site is not None:
                if part.start in (ALL, STARTING) or any(_is_inside(c, part.start, carries) for c in site.contexts):
                    asked = self._amounts.of(func, site)
                    if asked is not None:
                        yield Step(block, position, call, (asked,), (), False)
                continue
            by_callee = called.get(call.loc, {})
            here = edges.get(call.loc, [])
            if by_callee and not (isinstance(call.callee, Var) and call.callee.kind == "f"):
                here = [each for each in here if each[0] in by_callee]
            yield from self._call(part, func, block, position, call, here, by_callee)

    def _call(
        self,
        part: Part,
        func: Func,
        block: int,
        position: int,
        call: Call,
        edges: list[tuple[str, int, bool]],
        called: dict[str, dict[Consts, None]],
    ) -> Iterator[Step]:
        place = Site(func.file, func.name, *call.loc)

        def parts(callees: Iterable[str], mode: Site | None = None) -> tuple[Part, ...]:
            wanted = [callee for callee in dict.fromkeys(callees) if callee in self._mattering]
            return tuple(
                Part(callee, mode, consts, self._narrow(callee, part.clear))
                for callee in wanted
                for consts in called.get(callee, {(): None})
            )

        if place == part.start:
            entry = self._starts.entry(call)
            callees = self._program.callees(call, func)
            if entry is not None and entry.does == "start":
                yield Step(block, position, call, (), parts(callees, self._mode(call)), False)
            else:
                opening = [
                    each for callee in callees for site in self._opening(callee) for each in parts([callee], site)
                ]
                yield Step(block, position, call, (), tuple(opening), False)
            return
        named = set(self._program.callees(call, func))
        is_direct = isinstance(call.callee, Var) and call.callee.kind == "f"
        mode = self._mode(call)
        if is_direct and not edges and self._is_modelled(call):
            if part.start in (None, ALL, STARTING) or block in self.open_blocks(part):
                yield Step(block, position, call, (), parts(sorted(named), mode), False)
            return
        meant = [callee for callee, width, _ in edges if (callee in named if is_direct else width or callee in named)]
        if meant:
            asked = self._amounts.passed(func, block, position, call, meant)
            yield Step(block, position, call, asked, parts(meant, mode), False)
        elif edges and not is_direct:
            yield Step(block, position, call, (), parts(callee for callee, _, _ in edges), False)
        handed = set(self._program.passed_functions(call, func.file))
        passed = parts(callee for callee, _, _ in edges if callee in handed and callee not in meant)
        if passed and is_direct:
            yield Step(block, position, call, (), passed, True)
        if not is_direct and not edges and not called and block in self.open_blocks(part):
            yield Step(block, position, call, (), (), False, show(call.callee))

    def _mode(self, call: Call) -> Site | None:
        """What of a function called belongs to the transaction, by what it does to that."""
        entry = self._starts.entry(call)
        if entry is not None and entry.does == "start" and not self._is_modelled(call):
            return STARTING
        return ALL if entry is not None and entry.does in ("start", "roll") else None

    def _is_modelled(self, call: Call) -> bool:
        """True for a start or an end whose scope is known from the models: nobody has looked where it is opened in it,
        and there is no edge to it."""
        return self._starts.entry(call) is not None and self._engine.effects.scopes.operation(call) is not None

    def leaves_open(self, part: Part) -> bool:
        """True if a function leaves the transaction that it starts there to its callers."""
        outcomes = self._engine.summary(part.key).outcomes
        func = self._program.functions[part.key]
        return any(scope.site == part.start for outcome in outcomes for scope in outcome.opened) and not any(
            self.commits(func, call) for _, _, call in self._program.calls(func)
        )

    def commits(self, func: Func, call: Call) -> bool:
        """True if `call` ends a transaction, other than by cancelling it."""
        entry = self._starts.entry(call)
        if entry is not None:
            return entry.does == "commit"
        callees: tuple[str, ...] = self._program.callees(call, func)
        return any(self._ends(callee) for callee in callees)

    def _ends(self, key: str) -> bool:
        """True if function `key` ends its caller's transaction, on whatever way."""
        if key not in self._ending:
            outcomes = self._engine.summary(key).outcomes
            self._ending[key] = any(closed.kind != WAITING for outcome in outcomes for closed in outcome.closed)
        return self._ending[key]

    def _opening(self, callee: str) -> tuple[Site, ...]:
        """Where `callee`, which leaves a transaction open, has started it."""
        outcomes = self._engine.summary(callee).outcomes
        places = dict.fromkeys(scope.site for outcome in outcomes for scope in outcome.opened)
        return tuple(site for site in places if self._starts.start((site,)) or self.opened(callee))


def _below(bits: Bits, callers: Mapping[str, list[str]]) -> dict[str, dict[str, int]]:
    """The bits that each function, or one below it, asks for, by member."""
    found = {key: dict(each) for key, each in bits.tested().items()}
    pending = dict.fromkeys(found)
    while pending:
        key = next(iter(pending))
        del pending[key]
        for caller in callers.get(key, ()):
            above = found.setdefault(caller, {})
            for member, each in found[key].items():
                if each & ~above.get(member, 0):
                    above[member] = above.get(member, 0) | each
                    pending[caller] = None
    return found


def _is_open(calling: Calling, start: Site | None) -> bool:
    """True if the transaction is open at a call: the one that was started at `start`, or the caller's."""
    if start is None:
        return all(closed.kind == WAITING for closed in calling.closed)
    if start == STARTING:
        return any(not scope.inherited and scope.kind != WAITING for scope in calling.scopes)
    return any(scope.site == start for scope in calling.scopes)


def _is_inside(context: Context, start: Site | None, carries: bool) -> bool:
    if start is None:
        return not carries or any(site is None for _, site in context.opened)
    return any(site == start for _, site in context.opened)
