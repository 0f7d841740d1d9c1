"""What each part of the code takes in a transaction, from the bottom of the call graph up."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from gfpcheck.driver.analyse import Knowledge
from gfpcheck.ir import Func, Loc
from gfpcheck.overview.callers import Calls
from gfpcheck.overview.demand.amount import NOTHING, Amount, least_of, most_of
from gfpcheck.overview.demand.asked import Asked
from gfpcheck.overview.demand.fates import Fates
from gfpcheck.overview.demand.region import ALL, STARTING, Part, Region, Step
from gfpcheck.overview.demand.ways import Errors, Shape, least, most, shape_of
from gfpcheck.overview.rounds import Loop, Rounds


class Cost(NamedTuple):
    """What a part takes: `least`, if it meets no error; `bounded`, the most of a way without an error, not counting the
    rounds of loops that have no bound; `once`, the most if each of those loops goes round once. `deep` is the number of
    calls down to the deepest allocation, -1 if there is none, and `deeper` the step and the part that lead there."""

    least: Amount
    bounded: Amount
    once: Amount
    deep: int
    deeper: tuple[Step, Part | None] | None


_FREE = Cost(NOTHING, NOTHING, NOTHING, -1, None)


class Costs:
    """Answers for one program; `page` is the size of a page."""

    def __init__(
        self, known: Knowledge, region: Region, rounds: Rounds, fates: Fates, errors: Errors, calls: Calls, page: int
    ) -> None:
        self._program = known.program
        self._engine = known.engine
        self._retrying = known.loops
        self._region = region
        self._rounds = rounds
        self._fates = fates
        self._calls = calls
        self._errors = errors
        self._page = page
        self._known: dict[Part, Cost] = {}
        self._position: dict[Part, int] = {}
        self._kept: dict[Part, Amount] = {}
        self._retries: dict[str, frozenset[Loc]] = {}
        self._loops: dict[Part, tuple[tuple[Loop, bool], ...]] = {}
        self._shapes: dict[str, Shape] = {}
        self.recursive: dict[Part, None] = {}

    def with_fates(self, fates: Fates) -> Costs:
        """The same where allocations have other fates."""
        found = copy.copy(self)
        found._fates, found._kept = fates, {}
        return found

    def of(self, part: Part) -> Cost:
        """What `part` takes."""
        known = self._known.get(part)
        if known is not None:
            return known
        for each in self._order(part):
            self._known[each] = self._find(each)
            self._position[each] = len(self._position)
        return self._known[part]

    def kept(self, part: Part) -> Amount:
        """The most of what `part` takes, on a way as that of `bounded`, that is not given back."""
        self.of(part)
        new = {} if part in self._kept else {part: None}
        waiting = list(new)
        for each in waiting:
            further = [p for p in dict.fromkeys(self._below(each)) if p not in new and p not in self._kept]
            new |= dict.fromkeys(further)
            waiting += further
        # In the order of `of`, so that functions which call each other count the same rounds.
        for each in sorted(new, key=self._position.__getitem__):
            self._kept[each] = self._find_kept(each)
        return self._kept[part]

    def _order(self, root: Part) -> Iterator[Part]:
        """The parts below `root` that are not known yet, callees first."""
        waiting = [(root, iter(self._below(root)))]
        active = {root}
        while waiting:
            part, below = waiting[-1]
            for callee in below:
                if callee in active:
                    self.recursive[callee] = None
                elif callee not in self._known:
                    active.add(callee)
                    waiting.append((callee, iter(self._below(callee))))
                    break
            else:
                waiting.pop()
                active.discard(part)
                yield part

    def _below(self, part: Part) -> list[Part]:
        return [each for step in self._region.steps(part) for each in step.parts]

    def _find(self, part: Part) -> Cost:
        steps = self._region.steps(part)
        if not steps:
            return _FREE
        func = self._program.functions[part.key]
        deep = -1
        deeper: tuple[Step, Part | None] | None = None
        for step in steps:
            if step.asked and deep < 0:
                deep, deeper = 0, (step, None)
            for each in step.parts:
                below = self._known.get(each, _FREE).deep
                if below >= 0 and below + 1 > deep:
                    deep, deeper = below + 1, (step, each)
        if deep < 0:
            return _FREE
        shape = self._shape(func)
        often, once = self._often(part)
        return Cost(
            self._least(part, func, steps),
            most(shape, self._weights(steps, self._bounded), often, self._page),
            most(shape, self._weights(steps, self._once), once, self._page),
            deep,
            deeper,
        )

    def _find_kept(self, part: Part) -> Amount:
        if self.of(part).deep < 0:
            return NOTHING
        weights = self._weights(self._region.steps(part), self._kept_by)
        return most(self._shape(self._program.functions[part.key]), weights, self._often(part)[0], self._page)

    def _often(self, part: Part) -> tuple[dict[int, int], dict[int, int]]:
        """How often loops go round, by their heads: as often as they must and may; and so that each goes round once for
        which no bound is known."""
        found = [loop for loop, counts in self.loops(part) if counts]
        once = {loop.head: loop.most or 1 for loop in found}
        return {loop.head: loop.least if loop.most is None else loop.most for loop in found}, once

    def loops(self, part: Part) -> tuple[tuple[Loop, bool], ...]:
        """The loops of a part's function, outer ones first, and whether their rounds count: no other transaction is
        started in each, and they are not there to try one allocation again."""
        known = self._loops.get(part)
        if known is None:
            known = self._loops[part] = tuple(self._find_loops(part))
        return known

    def _find_loops(self, part: Part) -> Iterator[tuple[Loop, bool]]:
        func = self._program.functions[part.key]
        waiting = list(self._rounds.of(func))
        if not waiting:
            return
        retries = self._retried(func)
        own = part.start not in (None, ALL, STARTING)
        starts = {block for block, _, _ in self._calls.at(part.start)} if own and part.start is not None else set()
        while waiting:
            loop = waiting.pop(0)
            yield loop, starts.isdisjoint(loop.blocks) and loop.loc not in retries
            waiting += loop.inner

    def round_of(self, part: Part, loop: Loop) -> Amount:
        """The most that one round of a loop takes, without the rounds of other loops that have no bound."""
        func = self._program.functions[part.key]
        steps = [step for step in self._region.steps(part) if step.block in loop.blocks]
        often = self._often(part)[0] | {loop.head: 1}
        around = {other.head: 1 for other, _ in self.loops(part) if loop.head in other.blocks}
        return most(self._shape(func), self._weights(steps, self._bounded), often | around, self._page)

    def _shape(self, func: Func) -> Shape:
        key = f"{func.file}:{func.name}"
        if key not in self._shapes:
            self._shapes[key] = shape_of(func, self._rounds.of(func), self._errors.any(func))
        return self._shapes[key]

    def _retried(self, func: Func) -> frozenset[tuple[int, int]]:
        """Where loops begin that try one allocation again until it succeeds."""
        key = f"{func.file}:{func.name}"
        if key not in self._retries:
            found = self._retrying.retry_loops(func, self._engine.facts[key].sites)
            self._retries[key] = frozenset(loop.head for loop in found)
        return self._retries[key]

    def _weights(self, steps: Sequence[Step], of: Callable[[Step], Amount]) -> dict[int, Amount]:
        found: dict[int, Amount] = {}
        for step in steps:
            amount = of(step)
            if amount.objects:
                found[step.block] = found.get(step.block, NOTHING) + amount
        return found

    def _once(self, step: Step) -> Amount:
        return self._worst(step, [self._known.get(part, _FREE).once for part in step.parts], lambda _: True)

    def _bounded(self, step: Step) -> Amount:
        return self._worst(step, [self._known.get(part, _FREE).bounded for part in step.parts], lambda _: True)

    def _kept_by(self, step: Step) -> Amount:
        kept = [self._kept.get(part, NOTHING) for part in step.parts]
        return self._worst(step, kept, lambda asked: self._fates.of(asked.func, asked.call) != "freed")

    def _worst(self, step: Step, below: Sequence[Amount], counts: Callable[[Asked], bool]) -> Amount:
        own = [most_of(asked, self._page) for asked in step.asked if counts(asked)]
        found = max(own, key=self._weight, default=NOTHING)
        return found + max(below, key=self._weight, default=NOTHING)

    def _weight(self, amount: Amount) -> tuple[int, int]:
        return amount.weight(self._page)

    def _least_step(self, step: Step) -> Amount:
        own = min((least_of(asked, self._page) for asked in step.asked), key=self._weight, default=NOTHING)
        below = [self._known.get(part, _FREE).least for part in step.parts]
        return own + (NOTHING if step.maybe else min(below, key=self._weight, default=NOTHING))

    def _least(self, part: Part, func: Func, steps: Sequence[Step]) -> Amount:
        weights = self._weights(steps, self._least_step)
        cut = self._region.cut(part)
        errors = self._errors.of(func) | cut
        if part.start in (None, ALL, STARTING):
            found = least(func, weights, 0, frozenset(), errors, self._page)
            if found is None:
                found = least(func, weights, 0, frozenset(), cut, self._page)
            return found or NOTHING
        assert part.start is not None
        begins = [block for block, _, _ in self._calls.at(part.start)]
        ends = frozenset(block for block, _, call in self._program.calls(func) if self._region.commits(func, call))
        if self._region.leaves_open(part):
            ends = frozenset()
        found = None
        for begin in begins:
            found = found or least(func, weights, begin, ends, errors, self._page)
            found = found or least(func, weights, begin, frozenset(), errors, self._page)
        return found or NOTHING
