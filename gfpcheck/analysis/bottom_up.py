"""All summaries, callees first, by as many processes as are allowed: what comes out is the same for any number."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from gfpcheck import workers
from gfpcheck.analysis import exchange
from gfpcheck.analysis.callgraph import CallGraph
from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.exchange import Exchange, Heard
from gfpcheck.analysis.results import Share
from gfpcheck.workers import Copy

_WORTH_COPYING = 2_000
"""Visits of blocks after which another process is worth its start."""
_BATCH = 250
"""Blocks that a copy is asked to look at together."""
Tell = Callable[[int, int], None]
"""Called with (components done, components in all)."""


class _Component(NamedTuple):
    """Functions that call each other. `callers` are the components that call them and `callees` how many they call;
    `size` counts their blocks, and `height` the most blocks on a way to a function that nobody calls."""

    keys: tuple[str, ...]
    callers: frozenset[int]
    callees: int
    size: int
    height: int


def summarise(engine: Engine, graph: CallGraph, jobs: int, tell: Tell | None = None) -> None:
    """Makes the summaries and facts of all functions of the program, in at most `jobs` processes."""
    components = _components(engine, graph)
    work = _Work(engine, components, tell)
    work.run(jobs)
    order = [key for component in components for key in component.keys]
    engine.results.settle(order, engine.program.functions)


def _components(engine: Engine, graph: CallGraph) -> list[_Component]:
    """The components, callees before callers."""
    found = graph.bottom_up()
    number = {key: n for n, keys in enumerate(found) for key in keys}
    callers: list[set[int]] = [set() for _ in found]
    callees = [0] * len(found)
    for n, keys in enumerate(found):
        called = {number[callee] for key in keys for callee in graph.followed.successors(key)} - {n}
        callees[n] = len(called)
        for each in called:
            callers[each].add(n)
    made: list[_Component] = []
    heights: dict[int, int] = {}
    for n in range(len(found) - 1, -1, -1):
        size = sum(len(engine.program.functions[key].blocks) for key in found[n])
        heights[n] = size + max((heights[caller] for caller in callers[n]), default=0)
        made.append(_Component(tuple(found[n]), frozenset(callers[n]), callees[n], size, heights[n]))
    return made[::-1]


class _Question(msgspec.Struct, array_like=True):
    """The components of `batch` are to be summarised; `news` are the summaries that others have made meanwhile."""

    batch: list[int]
    news: list[Share]


class _Work:
    """Which components are done, which can be done next, and who does them.

    Those of which an earlier run knows something, and of whose callees nothing new, are not much work, and are not told
    to others.
    """

    def __init__(self, engine: Engine, components: list[_Component], tell: Tell | None) -> None:
        self._engine = engine
        self._components = components
        self._tell = tell
        self._left = len(components)
        self._missing = [component.callees for component in components]
        self._stirred: set[int] = set()
        self._known: list[int] = []
        # Those on the longest way up first: the others can be done beside them.
        self._ready: list[tuple[int, int]] = []
        for number, component in enumerate(components):
            if component.callees == 0:
                self._can_be_done(number)

    def run(self, jobs: int) -> None:
        """Does everything, in up to `jobs` processes once it turns out to be much; what one that dies was asked for is
        done again."""
        while self._left and (jobs == 1 or self._engine.steps < _WORTH_COPYING):
            self._do_one()
        if self._left:
            self._exchange = Exchange(self._engine)
            with workers.copies(jobs - 1, self.answer) as copies:
                self._run_with(copies)

    def _run_with(self, copies: list[Copy]) -> None:
        asked: dict[Copy, list[int]] = {}
        alive = list(copies)
        while self._left:
            for copy in [copy for copy in alive if copy not in asked]:
                batch = self._batch(len(alive))
                if batch and self._ask(copy, batch):
                    asked[copy] = batch
                elif batch:
                    self._undo(batch)
                    alive.remove(copy)
            if self._known or self._ready:
                self._do_one()
            for copy in workers.answered(asked, wait=not (self._known or self._ready)) if asked else ():
                batch = asked.pop(copy)
                if not self._take(copy, batch):
                    self._undo(batch)
                    alive.remove(copy)

    def _do_one(self) -> None:
        """Does one of those that can be done, here."""
        number = self._known.pop() if self._known else heapq.heappop(self._ready)[1]
        before = self._engine.steps
        self._summarise(number)
        self._done([number], stirred=self._engine.steps > before)

    def _summarise(self, number: int) -> None:
        for key in self._components[number].keys:
            self._engine.summary(key)

    def answer(self, question: bytes) -> bytes:
        """In a copy: what there is to know of some components."""
        asked = _question(question)
        exchange.learn(self._engine, asked.news)
        for number in asked.batch:
            self._summarise(number)
        return _encode(exchange.tell(self._engine))

    def _can_be_done(self, number: int) -> None:
        component = self._components[number]
        if number not in self._stirred and self._engine.is_kept(component.keys):
            self._known.append(number)
        else:
            heapq.heappush(self._ready, (-component.height, number))

    def _batch(self, copies: int) -> list[int]:
        """Components for a copy to do, which leave some for the others."""
        batch: list[int] = []
        size = 0
        most = len(self._ready) // (copies + 1)
        while len(batch) < most and size < _BATCH:
            _, number = heapq.heappop(self._ready)
            batch.append(number)
            size += self._components[number].size
        return batch

    def _ask(self, copy: Copy, batch: list[int]) -> bool:
        """Asks for a batch; False if the copy is gone."""
        try:
            copy.ask(_encode(_Question(batch, self._exchange.news_for(copy))))
        except OSError:
            return False
        return True

    def _take(self, copy: Copy, batch: list[int]) -> bool:
        """Takes what a copy answers; False if it is gone."""
        try:
            heard = _heard(copy.answer())
        except (OSError, EOFError):
            return False
        self._exchange.hear(copy, heard)
        self._done(batch, stirred=True)
        return True

    def _undo(self, batch: list[int]) -> None:
        for number in batch:
            heapq.heappush(self._ready, (-self._components[number].height, number))

    def _done(self, batch: list[int], stirred: bool) -> None:
        """These are done; `stirred`: there may be news for their callers."""
        for number in batch:
            for caller in self._components[number].callers:
                self._missing[caller] -= 1
                if stirred:
                    self._stirred.add(caller)
                if not self._missing[caller]:
                    self._can_be_done(caller)
        self._left -= len(batch)
        if self._tell is not None:
            self._tell(len(self._components) - self._left, len(self._components))


_encode = msgspec.msgpack.Encoder().encode
_question = msgspec.msgpack.Decoder(_Question).decode
_heard = msgspec.msgpack.Decoder(Heard).decode
