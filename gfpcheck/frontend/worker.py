"""What runs in a worker process: a batch of files in, their IR out as msgpack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

from gfpcheck.frontend import pch
from gfpcheck.frontend.functions import Batch, Lowering, Shared
from gfpcheck.frontend.libclang import CXCursor, FrontendError
from gfpcheck.frontend.parse import loaded
from gfpcheck.frontend.unit import RECURSION, Precompiled, lower_plain, lower_with
from gfpcheck.ir.types import Diagnostic
from gfpcheck.ir.units import Piece, Translation, empty_piece
from gfpcheck.kbuild.types import Unit
from gfpcheck.recursion import deep_recursion


class Settings(msgspec.Struct, frozen=True):
    """What holds for all files of a run."""

    root: str
    stop: frozenset[str]
    noreturn: frozenset[str]


class Header(msgspec.Struct, frozen=True):
    """A precompiled header: its digest, the files that were read for it, and those of its functions that need not be
    lowered, as "file:name"."""

    digest: str
    files: tuple[str, ...]
    known: tuple[str, ...]


class Lower(msgspec.Struct, frozen=True, tag=True):
    """A batch to lower: units in order, each with its share of a precompiled header or None. `headers` are those
    headers, by path."""

    units: tuple[tuple[Unit, pch.Share | None], ...]
    headers: dict[str, Header]
    settings: Settings


class Lowered(msgspec.Struct, frozen=True):
    """The units of a batch, each a `Translation` as msgpack, and functions of the precompiled headers that they use,
    by the header's digest: pieces by "file:name", as msgpack."""

    units: tuple[bytes, ...]
    shared: dict[str, bytes]


class Prepare(msgspec.Struct, frozen=True, tag=True):
    """A group of files of the tree at `root` to find or make a precompiled header for, in `folder`."""

    units: tuple[Unit, ...]
    folder: str
    root: str


class Prepared(msgspec.Struct, frozen=True):
    """What the group uses, if anything."""

    header: pch.GroupHeader | None


def run(path: str) -> str:
    """Does the job in the file `path`; returns the path of the result.

    Files, because a process that is killed while it writes to the pipe of a pool leaves the pool hanging.
    """
    job = msgspec.msgpack.decode(Path(path).read_bytes(), type=Lower | Prepare)
    result = lower(job) if isinstance(job, Lower) else Prepared(pch.prepare(job.units, Path(job.folder), job.root))
    done = path + ".result"
    Path(done).write_bytes(msgspec.msgpack.encode(result))
    Path(path).unlink()
    return done


_shared: dict[str, Shared] = {}
"""The precompiled headers that this process has met, by digest: what one batch has told of them, the next need not."""


def lower(job: Lower) -> Lowered:
    """Lowers a batch."""
    batch = Batch(job.settings.root, job.settings.stop, job.settings.noreturn)
    encode = msgspec.msgpack.Encoder().encode
    for header in job.headers.values():
        _shared.setdefault(header.digest, Shared(header.digest)).known.update(header.known)
    units = tuple([encode(unit) for unit in _translations(job, batch)])
    shared = {}
    for header in job.headers.values():
        here = _shared[header.digest]
        if here.pieces:
            shared[header.digest] = encode(here.pieces)
            here.pieces = {}
    return Lowered(units, shared)


def _translations(job: Lower, batch: Batch) -> Iterator[Translation]:
    with deep_recursion(RECURSION), ExitStack() as open_headers:
        sources: dict[str, _HeaderSource] = {}
        for unit, share in job.units:
            found = None
            try:
                if not _is_readable(unit.path):
                    raise FrontendError(f"cannot read {unit.path}")
                if share is not None:
                    path, header = share.path, job.headers[share.path]
                    shared = _shared[header.digest]
                    source = sources.setdefault(path, _HeaderSource(path, batch, shared, unit.cwd, open_headers))
                    used = Precompiled(path, share.files(header.files), shared, source.functions)
                    found = lower_with(unit, used, batch)
                if found is None:
                    found = lower_plain(unit, batch)
            except FrontendError as error:
                found = _failed(unit, str(error))
            yield found


class _HeaderSource:
    """Functions out of a precompiled header, found by name. Units that use it do not list its declarations, and
    a cleanup function is known by name alone."""

    def __init__(self, path: str, batch: Batch, shared: Shared, cwd: str, stack: ExitStack) -> None:
        self._path = path
        self._batch = batch
        self._shared = shared
        self._cwd = cwd
        self._stack = stack
        self._tu: int | None = None
        self._listed: dict[str, CXCursor] | None = None

    def functions(self, names: list[str]) -> Piece:
        """The header functions of those names, as what a piece uses that is otherwise empty."""
        if self._tu is None:
            self._tu = self._stack.enter_context(loaded(self._path))
        lowering = Lowering(self._tu, self._cwd, self._batch, self._shared, listed=self._listed)
        for name in names:
            lowering.want(name)
        lowering.close(None)
        self._listed = lowering.listed()
        return lowering.own


def failed(unit: Unit, why: str) -> bytes:
    """The encoded translation of a unit of which there is nothing to say."""
    return msgspec.msgpack.encode(_failed(unit, why))


def _failed(unit: Unit, why: str) -> Translation:
    return Translation(unit.rel, empty_piece(), {}, "", [], [Diagnostic(unit.rel, 0, why)])


def _is_readable(path: str) -> bool:
    try:
        with Path(path).open("rb"):
            return True
    except OSError:
        return False
