"""What parsed files depend on, so that what was made of them can be kept: their own contents, those of everything that
they include, and the command line.

What a file includes is known only after it was parsed. So each question ("this file, with these arguments")
remembers which files were read for it the last times. If those still have the contents that they had
then, and no other file stands before them, parsing would do the same again.
"""

from __future__ import annotations

import os.path
from collections.abc import Collection, Mapping

import msgspec

from gfpcheck import frontend
from gfpcheck.kbuild import Unit
from gfpcheck.store import Files, Spelling, Store, digest

_ALTERNATIVES = 4
"""Sets of files that are remembered for a question: branches that one goes back and forth between."""


class _Header(msgspec.Struct, array_like=True):
    """What the precompiled header of a digest was made of."""

    headers: list[str]
    files: list[str]


class _Reads(msgspec.Struct, array_like=True):
    """The files that were read for a question: those of a precompiled header (its digest, or empty), and others."""

    shared: str
    files: list[str]


_decode_reads = msgspec.msgpack.Decoder(list[_Reads]).decode
_decode_header = msgspec.msgpack.Decoder(_Header).decode


class Inputs:
    """Finds keys for what was made of parsed files of the tree at `root`, and enters what new ones depend on. `store`
    keeps it. A copy of the tree elsewhere has the same keys."""

    def __init__(self, store: Store, root: str) -> None:
        self.store = store
        self.files = Files(store, root)
        self.spelling = Spelling(root)
        self._surroundings = frontend.Surroundings(self.spelling)
        self._true: dict[tuple[str, tuple[str, ...], str], str | None] = {}

    def find(self, kind: str, question: str, unit: Unit) -> str | None:
        """The key of the entry of this kind that answers the question as things are now; None if there is none.

        `question` names everything that the answer depends on, but for the files read with the unit's arguments.
        """
        for reads in self._remembered(question):
            key = self._key(question, reads, unit)
            if key is not None and self.store.has(kind, key):
                return key
        return None

    def enter(
        self, question: str, unit: Unit, paths: Collection[str], header: frontend.Precompiled | None
    ) -> str | None:
        """The key under which to keep what was made of `paths` and a precompiled header; None if it must not be kept,
        because a file may have changed meanwhile."""
        if not self.files.settled(paths) or not (header is None or self.files.settled(header.files)):
            return None
        shared = "" if header is None else header.digest
        if header is not None and self._header_surroundings(shared, unit) is None:
            made_of = _Header(self._spelled(header.headers), sorted(self._spelled(header.files)))
            self.store.put("header", shared, msgspec.msgpack.encode(made_of))
            self._true.clear()
        reads = _Reads(shared, sorted(self._spelled(paths)))
        key = self._key(question, reads, unit)
        if key is not None:
            others = [other for other in self._remembered(question) if other != reads]
            self.store.put("inputs", question, msgspec.msgpack.encode([reads, *others[: _ALTERNATIVES - 1]]))
        return key

    def _remembered(self, question: str) -> list[_Reads]:
        data = self.store.get("inputs", question)
        try:
            return [] if data is None else _decode_reads(data)
        except msgspec.DecodeError:  # of another version
            return []

    def _key(self, question: str, reads: _Reads, unit: Unit) -> str | None:
        """None if a file cannot be read, or the precompiled header is no longer what it was."""
        beside = self._header_surroundings(reads.shared, unit) if reads.shared else ""
        if beside is None:
            return None
        contents = self._contents(reads.files)
        if contents is None:
            return None
        own = self._surroundings.digest(unit.args, unit.cwd, list(contents))
        named = zip(reads.files, contents.values(), strict=True)
        return digest(question, reads.shared, beside, own, *(part for item in named for part in item))

    def _spelled(self, paths: Collection[str]) -> list[str]:
        return [self.spelling.of(path) for path in paths]

    def _contents(self, names: Collection[str]) -> Mapping[str, str] | None:
        """The digests of files, by path; None if one cannot be read."""
        found: dict[str, str] = {}
        for path in map(self.spelling.path, names):
            contents = self.files.digest(path)
            if contents is None:
                return None
            found[path] = contents
        return found

    def _header_surroundings(self, shared: str, unit: Unit) -> str | None:
        """The surroundings of a precompiled header's files; None if one of those has changed."""
        which = (shared, unit.args, unit.cwd)
        if which not in self._true:
            self._true[which] = self._look_at_header(shared, unit)
        return self._true[which]

    def _look_at_header(self, shared: str, unit: Unit) -> str | None:
        data = self.store.get("header", shared)
        try:
            made_of = None if data is None else _decode_header(data)
        except msgspec.DecodeError:  # of another version
            return None
        contents = None if made_of is None else self._contents(made_of.files)
        if made_of is None or contents is None:
            return None
        headers = list(map(self.spelling.path, made_of.headers))
        if frontend.header_digest(unit, headers, contents, self.spelling) != shared:
            return None
        return self._surroundings.digest(unit.args, unit.cwd, [os.path.normpath(path) for path in contents])
