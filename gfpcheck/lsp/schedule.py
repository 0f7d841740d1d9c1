"""What is looked at when: one thing at a time, not before a pause, and nothing to the end that is out of date."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)

_log = logging.getLogger(__name__)


class Schedule(Generic[Name]):
    """Calls `look(name)` for what is requested. An error in it is logged."""

    def __init__(self, look: Callable[[Name], Awaitable[None]]) -> None:
        self._look = look
        self._due: dict[Name, float] = {}
        self._changed = asyncio.Event()
        self._running: tuple[Name, asyncio.Future[None]] | None = None

    def request(self, name: Name, delay: float) -> None:
        """A look in `delay` seconds, unless another request comes before. One that is under way is out of date."""
        self.drop(name)
        self._due[name] = asyncio.get_running_loop().time() + delay
        self._changed.set()

    def drop(self, name: Name) -> None:
        """No look, nor one that is under way."""
        self._due.pop(name, None)
        if self._running is not None and self._running[0] == name:
            self._running[1].cancel()

    async def run(self) -> None:
        """Does what is due, for ever."""
        while True:
            self._changed.clear()
            name, wait = self._first()
            if wait > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), None if name is None else wait)
            elif name is not None:
                del self._due[name]
                await self._one(name)

    def _first(self) -> tuple[Name | None, float]:
        """What is due first, and in how many seconds."""
        if not self._due:
            return None, 1
        name = min(self._due, key=self._due.__getitem__)
        return name, self._due[name] - asyncio.get_running_loop().time()

    async def _one(self, name: Name) -> None:
        task = asyncio.ensure_future(self._look(name))
        self._running = name, task
        try:
            await asyncio.wait({task})
        finally:
            self._running = None
            task.cancel()
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s: %s", name, task.exception())
