"""What is looked at when, and what becomes of what is out of date."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from gfpcheck.lsp.analyst import Analyst
from gfpcheck.lsp.jobs import Job
from gfpcheck.lsp.schedule import Schedule


@asynccontextmanager
async def running(look: Callable[[str], Awaitable[None]]) -> AsyncIterator[Schedule[str]]:
    schedule = Schedule(look)
    task = asyncio.ensure_future(schedule.run())
    yield schedule
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_a_pause_comes_before_a_look_and_errors_end_nothing() -> None:
    looked: list[str] = []
    done = asyncio.Event()

    async def look(name: str) -> None:
        looked.append(name)
        if name == "bad":
            raise ValueError(name)
        if name == "last":
            done.set()

    async def main() -> None:
        async with running(look) as schedule:
            schedule.request("last", 0.2)
            schedule.request("never", 0.1)
            schedule.request("bad", 0.05)
            for _ in range(10):
                schedule.request("again", 0)
            schedule.drop("never")
            await done.wait()

    asyncio.run(main())
    assert looked == ["again", "bad", "last"]


def test_what_is_out_of_date_is_not_finished() -> None:
    ended: list[str] = []
    begun, done = asyncio.Event(), asyncio.Event()

    async def look(name: str) -> None:
        first = not begun.is_set()
        begun.set()
        try:
            await asyncio.sleep(3600 if first else 0)
            done.set()
        except asyncio.CancelledError:
            ended.append(name)
            raise

    async def main() -> None:
        async with running(look) as schedule:
            schedule.request("a", 0)
            await begun.wait()
            schedule.request("other", 3600)
            assert ended == []
            schedule.request("a", 0)
            await done.wait()

    asyncio.run(main())
    assert ended == ["a"]


JOB = Job("/a.c", {}, "utf-16")


def test_a_process_that_dies_is_replaced() -> None:
    async def main() -> None:
        analyst = Analyst((sys.executable, "-c", "import os; os.read(0, 1); os._exit(3)"))
        for _ in range(3):
            assert (await analyst.look(JOB)).problem == "the analysis has ended unexpectedly"
        await analyst.close()

    asyncio.run(main())


def test_a_command_that_cannot_be_started_is_a_problem() -> None:
    async def main() -> None:
        analyst = Analyst(("/nowhere/at/all",))
        assert (await analyst.look(JOB)).problem == "/nowhere/at/all: No such file or directory"
        await analyst.close()

    asyncio.run(main())


def test_a_look_that_is_cancelled_ends_the_process() -> None:
    async def main() -> None:
        analyst = Analyst((sys.executable, "-c", "import time; time.sleep(3600)"))
        look = asyncio.ensure_future(analyst.look(JOB))
        await asyncio.sleep(0.1)
        assert analyst._next is not None
        process = await analyst._next
        look.cancel()
        await asyncio.wait({look})
        await analyst.close()
        assert process.returncode is not None

    asyncio.run(main())
