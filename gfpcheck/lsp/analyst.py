"""The other process, as the server sees it. A job that is cancelled ends it: there is no other way to make an analysis
stop at once."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

from gfpcheck.lsp.jobs import HEAD, Job, Seen, decode_seen, length, message

_PATIENCE = 5.0
"""Seconds in which a process that was told to end has cleaned up."""


class Analyst:
    """Has jobs done, one at a time, by a process that `command` starts."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._next: asyncio.Task[Process] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    def prepare(self) -> None:
        """Starts the process, which takes a moment, if there is none."""
        if self._next is None:
            self._next = asyncio.ensure_future(asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE))

    async def look(self, job: Job) -> Seen:
        """What the process answers. When this is cancelled, so is the work."""
        self.prepare()
        assert self._next is not None
        starting = self._next
        try:
            process = await asyncio.shield(starting)
        except OSError as error:
            self._next = None
            return Seen(problem=f"{self._command[0]}: {error.strerror or error}")
        try:
            return await _asked(process, job)
        except (OSError, asyncio.IncompleteReadError):
            await self._replace(process)
            return Seen(problem="the analysis has ended unexpectedly")
        except asyncio.CancelledError:
            task = asyncio.ensure_future(self._replace(process))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            raise

    async def close(self) -> None:
        """Ends the process and whatever is left of others."""
        if self._next is not None:
            starting, self._next = self._next, None
            with contextlib.suppress(OSError):
                await _end(await starting)
        while self._ending:
            await asyncio.wait(self._ending)

    async def _replace(self, process: Process) -> None:
        """Ends the process, with another one at hand."""
        if self._next is not None and self._next.done() and self._next.result() is process:
            self._next = None
            self.prepare()
        await _end(process)


async def _asked(process: Process, job: Job) -> Seen:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(message(job))
    await process.stdin.drain()
    head = await process.stdout.readexactly(HEAD)
    return decode_seen(await process.stdout.readexactly(length(head)))


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
