"""What may be done while a transaction is open: the calls of each function that are made in it, and what they lead to.

A *part* is a function, as far as it runs in the transaction: entered with it open (until it ends it), from where it has
one started, the function that does so (`STARTING`), or all of one (`ALL`) that rolls a transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gfpcheck.analysis.paths import show
from gfpcheck.analysis.state import WAITING, Site
from gfpcheck.analysis.trace import Calling, Context
from gfpcheck.driver.analyse import Knowledge
from gfpcheck.ir import Call, Func, Loc, Var
from gfpcheck.overview.demand.asked import Amounts, Asked
from gfpcheck.overview.starts import Starts

ALL = Site("", "", -1, 0)
"""Stands for a part that is a function as a whole."""
STARTING = Site("", "", -1, 1)
"""Stands for a part that is a function which starts a transaction: what it allocates by itself belongs to that, too,
before it has started it; not what it has others do when it could not be started."""


class Part(NamedTuple):
    """A part of function `key`: from the start at `start` on, all of it (`ALL`), or entered with a transaction open."""

    key: str
    start: Site | None = None


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

    def __init__(self, known: Knowledge, starts: Starts, amounts: Amounts) -> None:
        self._program = known.program
        self._engine = known.engine
        self._edges = known.edges
        self._starts = starts
        self._amounts = amounts
        self._known: dict[Part, tuple[Step, ...]] = {}
        self._inside: dict[Part, frozenset[int]] = {}
        self._ending: dict[str, bool] = {}

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

    def _find(self, part: Part) -> Iterator[Step]:
        func = self._program.functions[part.key]
        facts = self._engine.facts[part.key]
        direct = {(s.block, s.position): s for s in facts.sites if not s.via}
        carries = any(site is None for s in facts.sites for c in s.contexts for _, site in c.opened)
        edges: dict[Loc, list[tuple[str, int, bool]]] = {}
        for edge in self._edges.of(part.key):
            if part.start == ALL or any(_is_open(calling, part.start) for calling in edge.callings):
                edges.setdefault(edge.site.loc, []).append((edge.callee, edge.width, edge.passed))
        for block, position, call in self._program.calls(func):
            site = direct.get((block, position))
            if site is not None:
                if part.start in (ALL, STARTING) or any(_is_inside(c, part.start, carries) for c in site.contexts):
                    asked = self._amounts.of(func, site)
                    if asked is not None:
                        yield Step(block, position, call, (asked,), (), False)
                continue
            yield from self._call(part, func, block, position, call, edges.get(call.loc, []))

    def _call(
        self, part: Part, func: Func, block: int, position: int, call: Call, edges: list[tuple[str, int, bool]]
    ) -> Iterator[Step]:
        place = Site(func.file, func.name, *call.loc)
        if place == part.start:
            entry = self._starts.entry(call)
            callees = self._program.callees(call, func)
            starts = entry is not None and entry.does == "start"
            parts = [p for callee in callees for p in ((Part(callee, STARTING),) if starts else self._opening(callee))]
            yield Step(block, position, call, (), tuple(parts), False)
            return
        named = set(self._program.callees(call, func))
        is_direct = isinstance(call.callee, Var) and call.callee.kind == "f"
        entry = self._starts.entry(call)
        mode = {"start": STARTING, "roll": ALL}.get(entry.does if entry is not None else "")
        meant = [callee for callee, width, _ in edges if (callee in named if is_direct else width or callee in named)]
        if meant:
            asked = self._amounts.passed(func, block, position, call, meant)
            yield Step(
                block, position, call, asked, tuple(Part(callee, mode) for callee in dict.fromkeys(meant)), False
            )
        elif edges and not is_direct:
            yield Step(block, position, call, (), tuple(Part(callee) for callee, _, _ in edges), False)
        handed = set(self._program.passed_functions(call, func.file))
        passed = tuple(Part(callee) for callee, width, _ in edges if callee in handed and callee not in meant)
        if passed and is_direct:
            yield Step(block, position, call, (), passed, True)
        if not is_direct and not edges and block in self.open_blocks(part):
            yield Step(block, position, call, (), (), False, show(call.callee))

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

    def _opening(self, callee: str) -> tuple[Part, ...]:
        """The parts of `callee`, which leaves a transaction open, in which it is open."""
        outcomes = self._engine.summary(callee).outcomes
        places = dict.fromkeys(scope.site for outcome in outcomes for scope in outcome.opened)
        return tuple(Part(callee, site) for site in places if self._starts.start((site,)) or self.opened(callee))


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
