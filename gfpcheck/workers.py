"""Worker processes: how they are started, and how they end when the parent does. Folders that go with a process."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import connection, forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec

T = TypeVar("T")
P = ParamSpec("P")

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that tell a process to end."""
_IN_HAND = 2
"""Parts that a copy is asked for at a time: it need not wait for the next one."""


@contextmanager
def executor(jobs: int, module: str) -> Iterator[ProcessPoolExecutor]:
    """A pool of `jobs` workers that run functions of `module`. They are ended at once when the block is left by an
    exception. What is submitted must not be cancelled: the pool's thread, told of ended workers, would stumble upon
    it."""
    pool = _Pool(jobs, mp_context=_context(module), initializer=_start)
    try:
        yield pool
    except BaseException:
        pool.end()
        raise
    pool.shutdown()


class _Pool(ProcessPoolExecutor):
    """A pool that can be ended at any moment."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        with _without(*ENDING):  # workers are started here, and one that is half started is known to nobody
            return super().submit(fn, *args, **kwargs)

    def end(self) -> None:
        """Ends all workers at once, and then the pool's thread, which would complain when the interpreter ends."""
        for process in list((getattr(self, "_processes", None) or {}).values()):
            process.kill()
        # Of an answer that was under way the rest never comes: that there is nobody to send it is seen when this
        # process, too, has closed its end.
        writer = getattr(getattr(self, "_result_queue", None), "_writer", None)
        if writer is not None:
            with suppress(OSError):
                writer.close()
        self.shutdown()


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is there for as long as the block runs: being told to end, even twice, leaves nothing of it. Raises
    OSError if there can be none."""
    with _without(*ENDING):
        folder = tempfile.TemporaryDirectory(prefix="gfpcheck-")
    try:
        yield Path(folder.name)
    finally:
        with _without(*ENDING):
            folder.cleanup()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the block is done."""
    with _without(signal.SIGINT):
        yield


@contextmanager
def _without(*signals: signal.Signals) -> Iterator[None]:
    """These signals wait until the block is done."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Copy:
    """A copy of this process that answers questions, one at a time. It ends when nobody can ask any more."""

    def __init__(self, pid: int, pipe: Connection) -> None:
        self._pid = pid
        self.pipe = pipe

    def ask(self, question: bytes) -> None:
        """Asks; the answer before must have been taken. Raises OSError if the copy is gone."""
        self.pipe.send_bytes(question)

    def answer(self) -> bytes:
        """The answer, once it is there. Raises OSError or EOFError if the copy is gone."""
        return self.pipe.recv_bytes()

    def end(self) -> None:
        """Ends the copy at once."""
        self.pipe.close()
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


@contextmanager
def copies(count: int, answer: Callable[[bytes], bytes]) -> Iterator[list[Copy]]:
    """Up to `count` copies of this process, which know what it knows and put what they are asked to `answer`. They end
    with the block. There are none where a process cannot be copied, or has threads, of which a copy would know
    nothing."""
    made: list[Copy] = []
    try:
        if hasattr(os, "fork") and threading.active_count() == 1:
            for _ in range(count):
                with suppress(OSError):  # no memory, too many processes: fewer do as well
                    made.append(_copy(answer, made))
        yield made
    finally:
        for each in made:
            each.end()


def answered(some: Iterable[Copy], wait: bool) -> list[Copy]:
    """Those of `some` copies that have answered, or are gone; with `wait`, at least one of them."""
    pipes = {each.pipe: each for each in some}
    return [pipes[pipe] for pipe in connection.wait(pipes, None if wait else 0) if isinstance(pipe, Connection)]


def spread(jobs: int, parts: int, work: Callable[[int], T], type_: type[T]) -> list[T]:
    """What `work` says of each of `parts` parts, by number, done by this process and up to `jobs` - 1 copies of it.
    What a copy says must be something that msgspec knows as `type_`; what one that dies was asked for is done here."""
    found: dict[int, T] = {}
    encode, decode = msgspec.msgpack.encode, msgspec.msgpack.Decoder(type_).decode
    left = list(range(parts))[::-1]
    with copies(min(jobs, parts) - 1, lambda question: encode(work(int(question)))) as made:
        asked: dict[Copy, list[int]] = {copy: [] for copy in made}
        while left or any(asked.values()):
            for copy, numbers in list(asked.items()):
                while left and len(numbers) < _IN_HAND:
                    numbers.append(left.pop())
                    with suppress(OSError):  # it is gone, which is seen below
                        copy.ask(b"%d" % numbers[-1])
            if left:
                number = left.pop()
                found[number] = work(number)
            busy = [copy for copy, numbers in asked.items() if numbers]
            for copy in answered(busy, wait=not left) if busy else ():
                try:
                    found[asked[copy][0]] = decode(copy.answer())
                    del asked[copy][0]
                except (OSError, EOFError):
                    left += asked.pop(copy)
    return [found[number] for number in range(parts)]


def _copy(answer: Callable[[bytes], bytes], others: Iterable[Copy]) -> Copy:
    here, there = multiprocessing.Pipe()
    with uninterrupted():  # the copy inherits that: interrupts are the parent's business
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                for pipe in (here, *(other.pipe for other in others)):
                    pipe.close()  # else it would never hear that the parent is gone
                while True:
                    there.send_bytes(answer(there.recv_bytes()))
            except (EOFError, OSError):
                status = 0
            finally:
                os._exit(status)
    there.close()
    return Copy(pid, here)


def _context(module: str) -> BaseContext:
    """A way to start processes that is safe with threads: by fork server, where there is one."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", module])
    resource_tracker.ensure_running()  # which would let interrupts through again
    with uninterrupted():  # the server and all workers inherit it: interrupts are the parent's business
        forkserver.ensure_running()
    return context


def _start() -> None:
    """Prepares a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    gc.disable()  # nothing here makes cycles, and there are millions of small objects
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers, which would wait for jobs for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
