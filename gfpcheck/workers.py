"""Worker processes: how they are started, and how they end when the parent does."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext


@contextmanager
def executor(jobs: int, module: str) -> Iterator[ProcessPoolExecutor]:
    """A pool of `jobs` workers that run functions of `module`. They are ended at once when the block is left by an
    exception."""
    pool = ProcessPoolExecutor(jobs, mp_context=_context(module), initializer=_start)
    try:
        yield pool
    except BaseException:
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the block is done."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
