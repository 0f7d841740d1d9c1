"""Many files, several processes: precompiled headers first, then batches of files."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from pathlib import Path
from tempfile import gettempdir
from typing import NamedTuple

import msgspec

from gfpcheck import workers
from gfpcheck.frontend import libclang, pch, worker
from gfpcheck.frontend.groups import Group, group
from gfpcheck.frontend.libclang import FrontendError
from gfpcheck.ir.types import Module
from gfpcheck.ir.units import Linker, Piece, Pool, Translation
from gfpcheck.kbuild.types import Unit

_LARGEST_BATCH = 16
_BATCHES = 8  # at least, if there are as many files
_decode_pieces = msgspec.msgpack.Decoder(dict[str, Piece]).decode
Progress = Callable[[int, int], None]


class Settings(NamedTuple):
    """How files are lowered.

    Names of files are spelled relative to `root`. `stop` are functions of headers whose bodies need not be lowered,
    `noreturn` functions that never return though nothing in C says so. `jobs` is the number of processes; nothing
    else depends on it. `pch_dir` keeps precompiled headers; without it, there are none.
    `progress` gets (files done, files in all).
    """

    root: str
    stop: frozenset[str]
    noreturn: frozenset[str]
    jobs: int
    pch_dir: Path | None
    progress: Progress | None = None


class Read(NamedTuple):
    """A unit as it was read: a `Translation`, as msgpack. `header` is the precompiled header that was used, if any."""

    unit: Unit
    data: bytes
    header: pch.Precompiled | None


def lower_units(units: Sequence[Unit], settings: Settings) -> Iterator[Module]:
    """The modules of `units`, in the order of their `rel`. Errors as for `read_units`."""
    pool = Pool()
    linker = Linker(pool)
    decode = msgspec.msgpack.Decoder(Translation).decode
    with closing(read_units(units, settings, pool)) as found:
        for batch in found:
            for read in batch:
                yield linker.module(decode(read.data))[0]


def read_units(units: Sequence[Unit], settings: Settings, pool: Pool) -> Generator[list[Read], None, None]:
    """Parses and lowers `units`, some at a time, in the order of their `rel`; those with a name that cannot be said
    come last. The functions of precompiled headers that
    they use go to `pool`, and are not lowered if they are there.

    A unit that cannot be read, or kills its process, has an entry in `errors`.
    Raises FrontendError if libclang or the folder for temporary files cannot be used.
    """
    libclang.load()
    ordered = sorted(units, key=lambda unit: unit.rel)
    nameless = [unit for unit in ordered if not _is_text(unit)]
    try:
        with workers.scratch() as exchange:
            run = _Run(
                [unit for unit in ordered if unit not in nameless],
                settings,
                pool,
                _Exchange(exchange),
            )
            with closing(run.results()) as batches:  # workers end before their folder goes
                yield from batches
        yield [Read(unit, worker.failed(_readable(unit), "the name is not UTF-8"), None) for unit in nameless]
    except OSError as error:
        raise FrontendError(f"cannot work with temporary files in {gettempdir()}: {error.strerror or error}") from error


def partition(units: Sequence[Unit]) -> list[list[Unit]]:
    """The batches in which units (in order) are lowered."""
    size = max(1, min(_LARGEST_BATCH, -(-len(units) // _BATCHES)))
    return [list(units[start : start + size]) for start in range(0, len(units), size)]


def _is_text(unit: Unit) -> bool:
    """False if a name in it has bytes that are not UTF-8; such names cannot be told to other processes or reported."""
    try:
        "".join((unit.path, unit.rel, unit.cwd, *unit.args)).encode()
    except UnicodeEncodeError:
        return False
    return True


def _readable(unit: Unit) -> Unit:
    return msgspec.structs.replace(unit, rel=unit.rel.encode(errors="replace").decode())


class _Exchange:
    """Jobs and results on their way, as files in `folder`: see `worker.run`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def submit(self, executor: ProcessPoolExecutor, job: worker.Lower | worker.Prepare) -> Future[str]:
        """Hands a job to a worker; what comes back is for `lowered` or `prepared`."""
        self._count += 1
        path = self._folder / str(self._count)
        path.write_bytes(msgspec.msgpack.encode(job))
        with workers.uninterrupted():  # it may start a process; one that is not yet listed would not be ended
            return executor.submit(worker.run, str(path))

    def lowered(self, future: Future[str]) -> worker.Lowered:
        """The result of a `Lower` job. Raises BrokenProcessPool."""
        return msgspec.msgpack.decode(self._take(future), type=worker.Lowered)

    def prepared(self, future: Future[str]) -> worker.Prepared:
        """The result of a `Prepare` job. Raises BrokenProcessPool."""
        return msgspec.msgpack.decode(self._take(future), type=worker.Prepared)

    def _take(self, future: Future[str]) -> bytes:
        path = Path(future.result())
        data = path.read_bytes()
        path.unlink()
        return data


class _Run:
    """One call of `lower_units`: what is done, what is under way, what waits."""

    def __init__(
        self,
        units: Sequence[Unit],
        settings: Settings,
        pool: Pool,
        exchange: _Exchange,
    ) -> None:
        self._batches = partition(units)
        self._total = len(units)
        self._settings = settings
        self._common = worker.Settings(settings.root, settings.stop, settings.noreturn)
        self._pool = pool
        self._exchange = exchange
        self._group_of = group(units)
        self._groups: dict[Group, list[Unit]] = {}
        for unit, name in self._group_of.items():
            self._groups.setdefault(name, []).append(unit)
        # A group's precompiled header once it is known; a group that is missing has not been asked about.
        self._headers: dict[Group, pch.GroupHeader | None] = {} if settings.pch_dir else dict.fromkeys(self._groups)
        self._asked: set[Group] = set(self._headers)
        self._waiting = list(range(len(self._batches)))
        self._results: dict[int, list[Read]] = {}
        self._finished = 0

    def results(self) -> Generator[list[Read], None, None]:
        """Each batch, in order."""
        following = 0
        for _ in self._progressing(max(1, min(self._settings.jobs, len(self._batches)))):
            while following in self._results:
                yield self._results.pop(following)
                following += 1

    def _progressing(self, jobs: int) -> Iterator[None]:
        """Does everything; yields whenever there may be new results."""
        while self._waiting:
            suspects: list[int] = []
            with workers.executor(jobs, worker.__name__) as executor:
                running: dict[Future[str], Group | int] = {}
                while not suspects:
                    task: Group | int | None = None
                    try:
                        while len(running) < 2 * jobs:  # a spare task each, so that nobody waits
                            task = self._next()
                            if task is None:
                                break
                            running[self._exchange.submit(executor, self._job(task))] = task
                        if not running:
                            break
                        for future in wait(running, return_when=FIRST_COMPLETED).done:
                            task = running.pop(future)
                            self._note(task, future)
                    except BrokenProcessPool:
                        # Nobody knows which of the tasks killed its process.
                        suspects = self._give_up([*([] if task is None else [task]), *running.values()])
                        break
                    yield
            for number in suspects:
                self._finish(number, self._one_by_one(self._batches[number]))
                yield

    def _next(self) -> Group | int | None:
        """A group to prepare or a batch to lower; None if there is nothing to do for now."""
        for position, number in enumerate(self._waiting):
            names = dict.fromkeys(self._group_of[unit] for unit in self._batches[number])
            for name in names:
                if name not in self._asked:
                    self._asked.add(name)
                    return name
            if all(name in self._headers for name in names):
                return self._waiting.pop(position)
        return None

    def _job(self, task: Group | int) -> worker.Lower | worker.Prepare:
        if not isinstance(task, int):
            assert self._settings.pch_dir is not None
            return worker.Prepare(
                tuple(self._groups[task]), str(self._settings.pch_dir.absolute()), self._settings.root
            )
        shares: list[tuple[Unit, pch.Share | None]] = []
        headers: dict[str, worker.Header] = {}
        for unit in self._batches[task]:
            found = self._headers[self._group_of[unit]]
            shares.append((unit, found.share(unit.rel) if found else None))
            if found and found.header.path not in headers:
                known = tuple(self._pool.of(found.header.digest))
                headers[found.header.path] = worker.Header(found.header.digest, tuple(found.header.files), known)
        return worker.Lower(tuple(shares), headers, self._common)

    def _note(self, task: Group | int, future: Future[str]) -> None:
        if isinstance(task, int):
            self._finish(task, self._taken(self._batches[task], self._exchange.lowered(future)))
        else:
            self._headers[task] = self._exchange.prepared(future).header

    def _taken(self, units: Sequence[Unit], result: worker.Lowered) -> list[Read]:
        for digest, pieces in result.shared.items():
            self._pool.add(digest, _decode_pieces(pieces))
        headers = (self._headers[self._group_of[unit]] for unit in units)
        return [
            Read(unit, data, found.header if found else None)
            for unit, data, found in zip(units, result.units, headers, strict=True)
        ]

    def _finish(self, number: int, found: list[Read]) -> None:
        self._results[number] = found
        self._finished += len(found)
        if self._settings.progress:
            self._settings.progress(self._finished, self._total)

    def _give_up(self, tasks: Sequence[Group | int]) -> list[int]:
        """After a process died: the batches to do again with care. Groups do without a precompiled header."""
        for task in tasks:
            if not isinstance(task, int):
                self._headers[task] = None
        return sorted(task for task in tasks if isinstance(task, int))

    def _one_by_one(self, units: Sequence[Unit]) -> list[Read]:
        """A batch, read so that one that kills its process takes no other with it."""
        found: list[Read] = []
        left = list(units)
        while left:
            with workers.executor(1, worker.__name__) as executor:
                try:
                    while left:
                        job = worker.Lower(((left[0], None),), {}, self._common)
                        result = self._exchange.lowered(self._exchange.submit(executor, job))
                        found.append(Read(left[0], result.units[0], None))
                        left.pop(0)
                except BrokenProcessPool:
                    unit = left.pop(0)
                    found.append(Read(unit, worker.failed(unit, "the process that read it died"), None))
        return found
