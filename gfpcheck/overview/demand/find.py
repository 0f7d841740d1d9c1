"""Finds all transactions of the files asked for, and what each type of them may demand."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from gfpcheck.analysis.program import callee_name
from gfpcheck.analysis.state import Site
from gfpcheck.driver.analyse import Knowledge
from gfpcheck.driver.places import Places
from gfpcheck.driver.source import Source
from gfpcheck.ir import Func
from gfpcheck.overview.bounds import Bounds
from gfpcheck.overview.caches import Caches
from gfpcheck.overview.callers import Calls
from gfpcheck.overview.demand.amount import Amount
from gfpcheck.overview.demand.asked import Amounts, Asked
from gfpcheck.overview.demand.clear import Bits
from gfpcheck.overview.demand.costs import Cost, Costs
from gfpcheck.overview.demand.fates import Fates
from gfpcheck.overview.demand.region import Part, Region
from gfpcheck.overview.demand.types import Allocation, Demand, Start, Transaction, Unbounded
from gfpcheck.overview.demand.ways import Errors
from gfpcheck.overview.inventory.sizes import Sizes
from gfpcheck.overview.rounds import Loop, Rounds
from gfpcheck.overview.starts import Starts
from gfpcheck.overview.surveyed import asked_for, heading

_PAGE = 4096


def find_demand(source: Source, known: Knowledge) -> Demand:
    """What the transactions that the files asked for in `source` start may demand."""
    asked = asked_for(source, known)
    finder = _Finder(source, known)
    roots: dict[str, list[_Root]] = {}
    for key in sorted(asked):
        for root in finder.roots(key):
            for type_ in root.types:
                roots.setdefault(type_, []).append(root)
    found = tuple(finder.transaction(type_, finder.settled(type_, roots[type_])) for type_ in sorted(roots))
    source.summaries.save()
    return Demand(page=finder.page, transactions=found, **heading(source, known, asked))


class _Root(NamedTuple):
    """A place where a transaction is started by a function that does not leave it to its callers."""

    part: Part
    types: tuple[str, ...]
    call: str


class _Reached(NamedTuple):
    """A part that a transaction reaches: by the shortest way `via`, on which loops that are bounded go round `rounds`
    times."""

    via: tuple[Site, ...]
    rounds: int


_Loops = dict[tuple[Part, int], tuple[Unbounded, Loop]]
"""Unbounded loops, by the part that they are in and their head."""


class _Finder:
    def __init__(self, source: Source, known: Knowledge) -> None:
        self._program = known.program
        self._engine = known.engine
        self.page = source.gfp.constants.get("PAGE_SIZE", _PAGE)
        self._places = Places(known.program)
        self._calls = calls = Calls(known.program)
        self._starts = Starts(known.engine, calls)
        bounds = Bounds(known.program, known.engine.inliner)
        sizes = Sizes(known.engine, bounds, Caches(known.program, known.engine.effects, bounds), source.gfp)
        self._bits = Bits(known.program, known.engine.effects.models)
        self._region = Region(known, self._starts, Amounts(known.engine, sizes, calls), self._bits)
        errors = Errors(known.engine)
        self._fates = Fates(known.engine, errors, calls)
        self._costs = Costs(known, self._region, Rounds(bounds), self._fates, errors, calls, self.page)
        self._called = known.edges.called()

    def roots(self, key: str) -> Iterator[_Root]:
        """The transactions that function `key` starts, and keeps to itself."""
        for site, chain in sorted(self._region.opened(key).items()):
            part = Part(key, site)
            if key not in self._called or not self._region.leaves_open(part):
                calls = [call.macro or callee_name(call) for _, _, call in self._calls.at(site)]
                yield _Root(part, self._starts.types(chain), calls[0])

    def settled(self, type_: str, roots: Sequence[_Root]) -> list[_Root]:
        """The same transactions with what is known of their flags: those that they begin with, those that are set where
        these lead to, and so on."""
        given = self._bits.of_type(type_)
        clear = tuple(sorted((*given, *self._bits.none)))
        while True:
            found = [root._replace(part=root.part._replace(clear=clear)) for root in roots]
            below = self._below([root.part for root in found])
            functions = ((self._program.functions[p.key], self._region.blocks(p), p.consts) for p in below)
            new = tuple(sorted((*given, *self._bits.unset(functions))))
            if new == clear:
                return found
            clear = new

    def _below(self, roots: Sequence[Part]) -> Iterable[Part]:
        """All parts that the roots lead to."""
        found = dict.fromkeys(roots)
        waiting = list(found)
        for part in waiting:
            new = [each for step in self._region.steps(part) for each in step.parts if each not in found]
            found |= dict.fromkeys(new)
            waiting += dict.fromkeys(new)
        return found

    def transaction(self, type_: str, roots: Sequence[_Root]) -> Transaction:
        """All that is to be said of the transactions of a type. What becomes of an allocation is asked of what runs in
        them alone: others keep what these give back."""
        self._fates = self._fates.among({part.key for part in self._below([root.part for root in roots])})
        self._costs = self._costs.with_fates(self._fates)
        costs = {root: self._costs.of(root.part) for root in roots}
        least = min((cost.least for cost in costs.values()), key=self._weight)
        deepest = max(roots, key=lambda root: costs[root].deep)
        reached = self._reach([root.part for root in roots])
        loops = self._unbounded(reached)
        under = self._under(reached, loops)
        outside = self._outside([root.part for root in roots], loops)
        loops = {name: (self._placed(name, loops, outside), loop) for name, (_, loop) in loops.items()}
        merged = self._merged(loops)
        order = sorted(merged.values())
        numbers = {name: order.index(merged[name[0].key, name[1]]) for name in loops}
        return Transaction(
            type_,
            tuple(sorted(self._start(root, costs[root]) for root in roots)),
            least,
            max((cost.bounded for cost in costs.values()), key=self._weight),
            max((self._costs.kept(root.part) for root in roots), key=self._weight),
            max((cost.once for cost in costs.values()), key=self._weight),
            self._allocations(reached, under, numbers, outside),
            tuple(order),
            tuple(sorted(self._pointers(reached))),
            tuple(sorted({part.key for part in self._costs.recursive if part in reached})),
            tuple(self._chain(deepest.part)),
        )

    def _weight(self, amount: Amount) -> tuple[int, int]:
        return amount.weight(self.page)

    def _start(self, root: _Root, cost: Cost) -> Start:
        func = self._program.functions[root.part.key]
        assert root.part.start is not None
        place = self._places.site(root.part.start)
        return Start(
            place.file,
            place.line,
            func.name,
            root.call,
            cost.least.in_pages(self.page),
            cost.bounded.in_pages(self.page),
        )

    def _reach(self, roots: Sequence[Part]) -> dict[Part, _Reached]:
        """All parts that the roots lead to and that allocate, each by the shortest way."""
        found = {root: _Reached((), 1) for root in roots}
        waiting = list(found)
        for part in waiting:
            here = found[part]
            func = self._program.functions[part.key]
            for step in self._region.steps(part):
                rounds = here.rounds
                for loop, counts in self._costs.loops(part) if step.parts else ():
                    if counts and loop.most is not None and step.block in loop.blocks:
                        rounds *= loop.most
                site = Site(func.file, func.name, *step.call.loc)
                for each in step.parts:
                    if each not in found and self._costs.of(each).deep >= 0:
                        found[each] = _Reached((*here.via, site), rounds)
                        waiting.append(each)
        return found

    def _unbounded(self, reached: Iterable[Part]) -> _Loops:
        """The loops without a bound in which something is allocated."""
        found = {}
        for part in reached:
            func = self._program.functions[part.key]
            for loop, counts in self._costs.loops(part):
                if counts and loop.most is None:
                    takes = self._costs.round_of(part, loop)
                    if takes.objects:
                        place = self._places.at(func, loop.loc)
                        unbounded = Unbounded(place.file, place.line, func.name, loop.condition, takes, False)
                        found[part, loop.head] = (unbounded, loop)
        return found

    def _outside(self, roots: Sequence[Part], loops: _Loops) -> frozenset[Part]:
        """The parts that are come to without a round of an unbounded loop."""
        found = dict.fromkeys(roots)
        waiting = list(found)
        for part in waiting:
            inside = _blocks(part, loops)
            for step in self._region.steps(part):
                new = [each for each in step.parts if each not in found and step.block not in inside]
                found |= dict.fromkeys(new)
                waiting += new
        return frozenset(found)

    def _placed(self, name: tuple[Part, int], loops: _Loops, outside: Container[Part]) -> Unbounded:
        """The loop of that name, which may lie in others: in those of its function, or of callers."""
        part, head = name
        around = [other for other in loops if other[0] == part and other != name and head in loops[other][1].blocks]
        return msgspec.structs.replace(loops[name][0], inside=bool(around) or part not in outside)

    def _merged(self, loops: _Loops) -> dict[tuple[str, int], Unbounded]:
        """One of each loop of a function, whatever that was called with: the one whose round takes most."""
        found: dict[tuple[str, int], Unbounded] = {}
        for (part, head), (new, _) in loops.items():
            old = found.setdefault((part.key, head), new)
            heavier = max(old, new, key=lambda each: self._weight(each.takes))
            found[part.key, head] = msgspec.structs.replace(heavier, inside=old.inside and new.inside)
        return found

    def _under(self, reached: Iterable[Part], loops: _Loops) -> dict[Part, frozenset[tuple[Part, int]]]:
        """For each part the unbounded loops in which it is called, on any way."""
        under: dict[Part, frozenset[tuple[Part, int]]] = dict.fromkeys(reached, frozenset())
        by_part: dict[Part, list[tuple[tuple[Part, int], Loop]]] = {}
        for name, (_, loop) in loops.items():
            by_part.setdefault(name[0], []).append((name, loop))
        pending = dict.fromkeys(under)
        while pending:
            part = next(iter(pending))
            del pending[part]
            for step in self._region.steps(part):
                around = {name for name, loop in by_part.get(part, ()) if step.block in loop.blocks}
                for each in step.parts:
                    if each in under and not under[part] | around <= under[each]:
                        under[each] |= under[part] | around
                        pending[each] = None
        return under

    def _allocations(
        self,
        reached: dict[Part, _Reached],
        under: dict[Part, frozenset[tuple[Part, int]]],
        numbers: dict[tuple[Part, int], int],
        outside: Container[Part],
    ) -> tuple[Allocation, ...]:
        found: dict[tuple[str, int, int, str], Allocation] = {}
        for part, way in reached.items():
            func = self._program.functions[part.key]
            loops = list(self._costs.loops(part))
            for step in self._region.steps(part):
                around = [loop for loop, counts in loops if counts and step.block in loop.blocks]
                rounds = way.rounds
                for loop in around:
                    rounds *= loop.most or 1
                names = under[part] | {(part, loop.head) for loop in around if loop.most is None}
                inside = tuple(sorted({numbers[name] for name in names if name in numbers}))
                free = part in outside and all(loop.most is not None for loop in around)
                for asked in step.asked:
                    old = found.get(asked.place)
                    if old is None:
                        found[asked.place] = self._allocation(func, asked, way, rounds, inside, free)
                    else:
                        every = tuple(sorted({*old.loops, *inside}))
                        found[asked.place] = msgspec.structs.replace(old, loops=every, outside=old.outside or free)
        return tuple(sorted(found.values(), key=lambda a: (a.file, a.line, a.column, a.allocator)))

    def _allocation(
        self, func: Func, asked: Asked, way: _Reached, rounds: int, loops: tuple[int, ...], outside: bool
    ) -> Allocation:
        place = self._places.at(self._program.functions[asked.func], asked.call.loc)
        return Allocation(
            func.file,
            place.line,
            place.col,
            func.name,
            asked.wrapper or asked.name,
            asked.name,
            asked.object,
            asked.size,
            asked.cache,
            self._fates.of(asked.func, asked.call),
            asked.maybe,
            rounds,
            loops,
            outside,
            tuple(self._shown(site) for site in way.via),
        )

    def _shown(self, site: Site) -> str:
        place = self._places.site(site)
        return f"{place.file}:{place.line} {site.function}"

    def _pointers(self, reached: Iterable[Part]) -> set[str]:
        found = set()
        for part in reached:
            func = self._program.functions[part.key]
            for step in self._region.steps(part):
                if step.unknown:
                    place = self._places.at(func, step.call.loc)
                    found.add(f"{place.file}:{place.line} {func.name}(): {step.unknown}")
        return found

    def _chain(self, part: Part) -> Iterable[str]:
        seen: set[Part] = set()
        below: Part | None = part
        while below is not None and below not in seen:
            seen.add(below)
            func = self._program.functions[below.key]
            deeper = self._costs.of(below).deeper
            if deeper is None:
                return
            step, below = deeper
            place = self._places.at(func, step.call.loc)
            yield f"{place.file}:{place.line} {func.name}"
            if below is None:
                yield f"{step.asked[0].name}()"


def _blocks(part: Part, loops: _Loops) -> frozenset[int]:
    """The blocks of a part that are in its unbounded loops."""
    return frozenset[int]().union(*(loop.blocks for (of, _), (_, loop) in loops.items() if of == part))
