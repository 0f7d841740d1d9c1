"""Looks at functions before it is their turn, in copies of this process: what is found is the same without."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from typing import Self

import msgspec

from gfpcheck import workers
from gfpcheck.analysis import exchange
from gfpcheck.analysis.engine import Engine, Exploration, Question
from gfpcheck.analysis.exchange import Exchange, Heard
from gfpcheck.analysis.results import Share
from gfpcheck.workers import Copy

_BATCH = 8
"""Questions that a copy is asked together. If there are fewer, copies are not worth their start."""
_FAR = 64
"""Questions among which some are sought that nobody has looked at yet."""
_PAUSE = 8
"""Questions before the next search, if there were not enough."""


class _Asked(msgspec.Struct, array_like=True):
    questions: list[Question]
    news: list[Share]


class _Answered(msgspec.Struct, array_like=True):
    explorations: list[Exploration]
    heard: Heard


class Ahead:
    """Explorations, some of which copies have made already: at most `jobs` processes explore while the block runs that
    this is the context of."""

    def __init__(self, engine: Engine, jobs: int) -> None:
        self._engine = engine
        self._jobs = jobs
        self._stack = ExitStack()
        self._exchange: Exchange | None = None
        self._idle: list[Copy] = []
        self._asked: dict[Copy, list[Question]] = {}
        self._done: set[Question] = set()
        self._pause = 0
        self._fresh = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def explore(self, question: Question, later: Iterable[Question]) -> Exploration:
        """The answer to `question`; copies are told to think about those that will come `later`."""
        if self._jobs > 1:
            self._hand_out(later)
            for copy in [copy for copy, asked in self._asked.items() if question in asked]:
                self._take(copy)
            for copy in workers.answered(self._asked, wait=False) if self._asked else ():
                self._take(copy)
            self._done.add(question)
        return self._engine.explore(*question)

    def _hand_out(self, later: Iterable[Question]) -> None:
        if self._pause or (self._exchange is not None and not self._idle):
            self._pause = max(0, self._pause - 1)
            return
        batch = self._batch(later)
        if len(batch) < _BATCH:
            self._pause = _PAUSE
            return
        if self._exchange is None:
            self._exchange = Exchange(self._engine)
            self._idle += self._stack.enter_context(workers.copies(self._jobs - 1, self._answer))
        if self._idle:
            copy = self._idle.pop()
            with suppress(OSError):  # it is gone
                copy.ask(_encode(_Asked(batch, self._exchange.news_for(copy))))
                self._asked[copy] = batch
                self._done.update(batch)

    def _batch(self, later: Iterable[Question]) -> list[Question]:
        """Questions that nobody has looked at."""
        batch: list[Question] = []
        for question in itertools.islice(later, _FAR):
            if question not in self._done:
                if self._engine.is_explored(question):
                    self._done.add(question)
                elif question not in batch:
                    batch.append(question)
                    if len(batch) == _BATCH:
                        break
        return batch

    def _take(self, copy: Copy) -> None:
        """Takes what a copy answers, if it is not gone."""
        questions = self._asked.pop(copy)
        with suppress(OSError, EOFError):
            answered = _answered(copy.answer())
            assert self._exchange is not None
            self._exchange.hear(copy, answered.heard)
            for question, found in zip(questions, answered.explorations, strict=True):
                self._engine.learn_explored(question, found)
            self._idle.append(copy)

    def _answer(self, question: bytes) -> bytes:
        """In a copy: the explorations that it is asked for."""
        if self._fresh:
            exchange.begin(self._engine)
            self._fresh = False
        asked = _asked(question)
        exchange.learn(self._engine, asked.news)
        found = [self._engine.explore(*each) for each in asked.questions]
        return _encode(_Answered(found, exchange.tell(self._engine)))


_encode = msgspec.msgpack.Encoder().encode
_asked = msgspec.msgpack.Decoder(_Asked).decode
_answered = msgspec.msgpack.Decoder(_Answered).decode
