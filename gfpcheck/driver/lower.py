"""The IR of files: from the store where nothing has changed, else by the frontend."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from gfpcheck import frontend
from gfpcheck.driver.cache import pch_folder
from gfpcheck.driver.inputs import Inputs
from gfpcheck.driver.options import Options, Progress
from gfpcheck.driver.tool import code_digest
from gfpcheck.ir import Linker, Module, Piece, Pool, Translation
from gfpcheck.kbuild import Plan, Unit
from gfpcheck.models import Models
from gfpcheck.store import digest

_decode = msgspec.msgpack.Decoder(Translation).decode
_decode_pieces = msgspec.msgpack.Decoder(dict[str, Piece]).decode


def _spellings(names: frozenset[str]) -> frozenset[str]:
    """Model names with the functions behind the macros of allocation profiling."""
    return names | {f"{name}_noprof" for name in names}


class Reader:
    """Reads units of one plan; `cache` is a folder to keep precompiled headers in.

    What it finds is the same whether it comes from the store or not.
    """

    def __init__(
        self,
        plan: Plan,
        knowledge: Models,
        options: Options,
        cache: Path,
        inputs: Inputs,
        progress: Progress | None,
    ) -> None:
        def tell(done: int, total: int) -> None:
            if progress is not None:
                progress("reading", done, total)

        jobs = options.processes
        self._settings = frontend.Settings(
            plan.root, _spellings(knowledge.names), knowledge.noreturn, jobs, pch_folder(cache), tell
        )
        self._inputs = inputs
        self._store = inputs.store
        self._root = plan.root.rstrip("/")
        self._context = digest(
            code_digest("frontend", "ir"),
            *frontend.identity(),
            *sorted(self._settings.stop),
            "",
            *sorted(self._settings.noreturn),
        )
        self._pool = Pool(self._load_pieces)
        self._headers: dict[str, frontend.Precompiled] = {}
        self._keys: dict[str, str | None] = {}
        self._linker = Linker(self._pool)

    def key(self, unit: Unit) -> str | None:
        """What names the IR of a unit in the store; None if it is not there, or may not be kept."""
        if unit.path not in self._keys:
            self._keys[unit.path] = self._inputs.find("ir", self._question(unit), unit)
        return self._keys[unit.path]

    def modules(self, units: Sequence[Unit]) -> list[Module]:
        """The modules of the units, in order: header functions stand in the first that uses them, in this call or
        another. Raises FrontendError."""
        found: dict[str, Translation] = {}
        for unit in units:
            kept = self._kept(unit)
            if kept is not None:
                found[unit.path] = kept
        self._read([unit for unit in units if unit.path not in found], found)
        while True:
            linker = self._linker.copy()
            linked = [linker.module(found[unit.path]) for unit in units]
            # Of an entry that was removed from the store other entries may have rested on.
            incomplete = [unit for unit, (_, complete) in zip(units, linked, strict=True) if not complete]
            if not incomplete:
                self._linker = linker
                return [module for module, _ in linked]
            self._read(incomplete, found)

    def _question(self, unit: Unit) -> str:
        return digest(self._context, *map(self._inputs.spelling.of, (unit.path, unit.rel, unit.cwd, *unit.args)))

    def _kept(self, unit: Unit) -> Translation | None:
        key = self.key(unit)
        data = None if key is None else self._store.get("ir", key)
        if data is None:
            self._keys[unit.path] = None
            return None
        return _decode(data)

    def _read(self, units: Sequence[Unit], found: dict[str, Translation]) -> None:
        """Has the frontend read `units`, and keeps what can be kept."""
        if not units:
            return
        with closing(frontend.read_units(units, self._settings, self._pool)) as batches:
            for batch in batches:
                self._inputs.files.look_again()
                for read in batch:
                    if read.header is not None:
                        self._headers[read.header.digest] = read.header
                    translation = found[read.unit.path] = _decode(read.data)
                    self._keys[read.unit.path] = self._keep(read, translation) if self._store.keeps else None
        self._keep_pieces()

    def _keep(self, read: frontend.Read, translation: Translation) -> str | None:
        # What has no line is no error of the source: the file could not be read, a process has died.
        if any(error.line == 0 or frontend.is_missing_file(error.message) for error in translation.errors):
            return None
        header = read.header if translation.shared else None
        shared = set() if header is None else set(map(os.path.normpath, header.files))
        paths = {f"{self._root}/{path}" if path[0] != "/" else path for path in translation.includes} - shared
        key = self._inputs.enter(self._question(read.unit), read.unit, paths, header)
        if key is not None:
            self._store.put("ir", key, read.data)
        return key

    def _load_pieces(self, shared: str) -> dict[str, Piece]:
        data = self._store.get("pieces", digest(self._context, shared))
        return {} if data is None else _decode_pieces(data)

    def _keep_pieces(self) -> None:
        for shared in self._pool.changed:
            if self._inputs.files.settled(self._headers[shared].files):
                self._store.put("pieces", digest(self._context, shared), msgspec.msgpack.encode(self._pool.of(shared)))
        self._pool.changed.clear()
