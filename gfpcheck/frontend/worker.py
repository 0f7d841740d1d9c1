"""What runs in a worker process: a batch of files in, their IR out as msgpack."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

from gfpcheck.frontend import pch
from gfpcheck.frontend.functions import Batch, Lowering
from gfpcheck.frontend.libclang import CXCursor, FrontendError
from gfpcheck.frontend.parse import loaded
from gfpcheck.frontend.unit import deep_recursion, lower_plain, lower_with
from gfpcheck.ir.types import Diagnostic, Module
from gfpcheck.kbuild.types import Unit


class Settings(msgspec.Struct, frozen=True):
    """What holds for all files of a run."""

    root: str
    stop: frozenset[str]
    noreturn: frozenset[str]


class Lower(msgspec.Struct, frozen=True, tag=True):
    """A batch to lower: units in order, each with its share of a precompiled header or None. `headers` are the files
    of each such header, by its path. `done` are header functions, as (file, name), that an earlier batch already has.
    """

    units: tuple[tuple[Unit, pch.Share | None], ...]
    headers: dict[str, tuple[str, ...]]
    settings: Settings
    done: frozenset[tuple[str, str]] = frozenset()


class Lowered(msgspec.Struct, frozen=True):
    """The modules of a batch, each as msgpack, and the header functions that are done now."""

    modules: tuple[bytes, ...]
    done: frozenset[tuple[str, str]]


class Prepare(msgspec.Struct, frozen=True, tag=True):
    """A group of files to find or make a precompiled header for, in `folder`."""

    units: tuple[Unit, ...]
    folder: str


class Prepared(msgspec.Struct, frozen=True):
    """What the group uses, if anything."""

    header: pch.GroupHeader | None


def start() -> None:
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


def run(path: str) -> str:
    """Does the job in the file `path`; returns the path of the result.

    Files, because a process that is killed while it writes to the pipe of a pool leaves the pool hanging.
    """
    job = msgspec.msgpack.decode(Path(path).read_bytes(), type=Lower | Prepare)
    result = lower(job) if isinstance(job, Lower) else Prepared(pch.prepare(job.units, Path(job.folder)))
    done = path + ".result"
    Path(done).write_bytes(msgspec.msgpack.encode(result))
    Path(path).unlink()
    return done


def lower(job: Lower) -> Lowered:
    """Lowers a batch."""
    batch = Batch(job.settings.root, job.settings.stop, job.settings.noreturn)
    batch.done.update(job.done)
    encode = msgspec.msgpack.Encoder().encode
    modules = tuple([encode(module) for module in _modules(job, batch)])
    return Lowered(modules, frozenset(batch.done))


def _modules(job: Lower, batch: Batch) -> Iterator[Module]:
    with deep_recursion(), ExitStack() as open_headers:
        sources: dict[str, _HeaderSource] = {}
        for unit, share in job.units:
            module = None
            try:
                if not _is_readable(unit.path):
                    raise FrontendError(f"cannot read {unit.path}")
                if share is not None:
                    path, files = share.path, share.files(job.headers[share.path])
                    source = sources.setdefault(path, _HeaderSource(path, batch, unit.cwd, open_headers))
                    module = lower_with(unit, path, files, batch, source.functions)
                if module is None:
                    module = lower_plain(unit, batch)
            except FrontendError as error:
                module = _failed(unit, str(error))
            yield module


class _HeaderSource:
    """Functions out of a precompiled header, found by name. Units that use it do not list its declarations, and
    a cleanup function is known by name alone."""

    def __init__(self, path: str, batch: Batch, cwd: str, stack: ExitStack) -> None:
        self._path = path
        self._batch = batch
        self._cwd = cwd
        self._stack = stack
        self._tu: int | None = None
        self._listed: dict[str, CXCursor] | None = None

    def functions(self, names: list[str]) -> Module:
        """The header functions of those names, with all that they call."""
        if self._tu is None:
            self._tu = self._stack.enter_context(loaded(self._path))
        lowering = Lowering(self._tu, "", self._cwd, self._batch, listed=self._listed)
        for name in names:
            lowering.want(name)
        lowering.headers(None)
        self._listed = lowering.listed()
        return lowering.module


def failed(unit: Unit, why: str) -> bytes:
    """The encoded module of a unit of which there is nothing to say."""
    return msgspec.msgpack.encode(_failed(unit, why))


def _failed(unit: Unit, why: str) -> Module:
    return Module(unit.rel, [], [], {}, {}, {}, [], [], [Diagnostic(unit.rel, 0, why)], [])


def _is_readable(path: str) -> bool:
    try:
        with Path(path).open("rb"):
            return True
    except OSError:
        return False
