"""Precompiled headers: the headers that many files of a group include are parsed once.

Reading headers is nearly all of the cost of parsing kernel code. The files of a group have equal arguments.
What a file means must not depend on the precompiled header: see `IncludeGraph`,
and the plain parse that follows any error.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ctypes import c_uint
from pathlib import Path

import msgspec

from gfpcheck.frontend import libclang
from gfpcheck.frontend.includes import IncludeGraph, Reader
from gfpcheck.frontend.parse import ParseError, error_entries, inclusions, parsed
from gfpcheck.kbuild.types import Unit
from gfpcheck.store import Spelling, Stamp, digest, is_settled, stamp

_SHARE = 0.1  # of a group's files must include a header directly for it to be worth precompiling
_WORTH_BUILDING = 2  # files
_MANY = 8  # files
_WORTH_USING, _WORTH_USING_FOR_FEW = 0.85, 0.5  # of the wanted headers must be in one that was made for other files
_ATTEMPTS = 4
_KEEP = 50  # in the folder
# libclang need not look at every file of the header again: `_find` has.
_UNCHECKED = ("-Xclang", "-fno-validate-pch")
_FORMAT = 3


class Precompiled(msgspec.Struct, frozen=True):
    """A precompiled header on disk, made of `headers` in that order. `files` are all that were read for it, with their
    stamps; `digest` stands for their contents, and for the command line."""

    path: str
    headers: tuple[str, ...]
    files: dict[str, Stamp]
    digest: str


class GroupHeader(msgspec.Struct, frozen=True):
    """What a group of files uses; the files of `plain`, by `rel`, must be parsed without it.

    `read` says for each of the others which of the header's files it includes, directly or not: bit n of the
    little-endian bytes stands for the nth of `header.files`.
    """

    header: Precompiled
    plain: frozenset[str]
    read: dict[str, bytes]

    def share(self, rel: str) -> Share | None:
        """What the file `rel` takes of it; None if it must be parsed without."""
        return None if rel in self.plain else Share(self.header.path, self.read[rel])


class Share(msgspec.Struct, frozen=True):
    """What one file takes of the precompiled header at `path`: `read` as in `GroupHeader`."""

    path: str
    read: bytes

    def files(self, every: Sequence[str]) -> list[str]:
        """The files that it includes, of `every` file of the header."""
        bits = int.from_bytes(self.read, "little")
        return [file for number, file in enumerate(every) if bits >> number & 1]


def prepare(units: Sequence[Unit], folder: Path, root: str) -> GroupHeader | None:
    """Finds in `folder`, or makes, a precompiled header for units of equal arguments, which lie in the tree at `root`;
    None if none is worth having."""
    reader = Reader(units[0])
    wanted = common_headers(units, reader)
    if not wanted:
        return None
    header = _find(units, wanted, folder)
    graph = IncludeGraph(reader, header.headers if header else wanted)
    foreign = {unit.rel: graph.foreign_macros(unit.path) for unit in units}
    if header is None:
        if len(units) < _WORTH_BUILDING:
            return None
        kept = _without_harmful(units, wanted, graph, foreign)
        header = _build(units[0], kept, reader, folder, Spelling(root))
        if header is None:
            return None
        if header.headers != wanted:
            graph = IncludeGraph(reader, header.headers)
            foreign = {unit.rel: graph.foreign_macros(unit.path) for unit in units}
    early = {unit.rel: reader.directives(unit.path).early for unit in units}
    fatal = graph.matter(name for names in early.values() for name in names)
    plain = {unit.rel for unit in units if foreign[unit.rel] or fatal.intersection(early[unit.rel])}
    reads = graph.members([os.path.normpath(path) for path in header.files])
    read = {unit.rel: reads(unit.path) for unit in units if unit.rel not in plain}
    return GroupHeader(header, frozenset(plain), read)


def _without_harmful(
    units: Sequence[Unit], wanted: tuple[str, ...], graph: IncludeGraph, foreign: Mapping[str, Mapping[bytes, int]]
) -> tuple[str, ...]:
    """`wanted` without headers whose macros would force more files to be parsed plainly than it costs the others to
    read the header each for itself. The size of what is read stands for its cost."""
    below = {header: graph.below([header]) for header in wanted}
    harmed: dict[str, set[str]] = {}
    for rel, macros in foreign.items():
        for definers in macros.values():
            guilty = [header for header in wanted if below[header] & definers]
            if len(guilty) == 1:
                harmed.setdefault(guilty[0], set()).add(rel)
    harmful = set()
    for header, files in harmed.items():
        others = graph.below(other for other in wanted if other != header)
        if graph.weight(below[header] & ~others) * len(units) < graph.weight(graph.files) * len(files):
            harmful.add(header)
    return tuple(header for header in wanted if header not in harmful)


def with_header(args: Sequence[str], path: str) -> tuple[str, ...]:
    """The arguments to parse a file of the group with the precompiled header at `path`, which holds what the
    -include options name."""
    kept = []
    words = iter(args)
    for word in words:
        if word == "-include":
            next(words, None)
        elif not word.startswith("-include"):
            kept.append(word)
    return (*kept, "-include-pch", path, *_UNCHECKED)


def common_headers(units: Sequence[Unit], reader: Reader) -> tuple[str, ...]:
    """The headers that many of the units include, so ordered that each comes after those that files include
    before it."""
    listings = [[path for path in reader.always(unit.path) if path.endswith(".h")] for unit in units]
    counts = Counter(path for listing in listings for path in listing)
    enough = max(min(2, len(units)), len(units) * _SHARE)
    chosen = {path for path, count in counts.items() if count >= enough}
    return tuple(_order([[path for path in listing if path in chosen] for listing in listings]))


def _order(listings: list[list[str]]) -> list[str]:
    """A topological order of "stands before", by majority; cycles are cut where a header stands earliest."""
    before: Counter[tuple[str, str]] = Counter()
    ranks: dict[str, list[float]] = {}
    for listing in listings:
        for index, path in enumerate(listing):
            ranks.setdefault(path, []).append(index / len(listing))
            for later in listing[index + 1 :]:
                before[path, later] += 1
    waits: dict[str, set[str]] = {path: set() for path in ranks}
    for (first, second), count in before.items():
        if count > before[second, first]:
            waits[second].add(first)
    mean = {path: sum(values) / len(values) for path, values in ranks.items()}
    order: list[str] = []
    left = set(waits)
    while left:
        ready = [path for path in left if not waits[path] & left] or list(left)
        following = min(ready, key=lambda path: (mean[path], path))
        order.append(following)
        left.remove(following)
    return order


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()[:24]


def _command(unit: Unit) -> str:
    """Names a command line: only headers precompiled with the same one can be used."""
    return _digest(_FORMAT, libclang.identity(), unit.args, unit.cwd)


def _find(units: Sequence[Unit], wanted: Sequence[str], folder: Path) -> Precompiled | None:
    """One made earlier that holds enough of `wanted` and is still true."""
    enough = len(wanted) * (_WORTH_USING if len(units) >= _MANY else _WORTH_USING_FOR_FEW)
    candidates: list[tuple[int, int, Path, Precompiled]] = []
    for record in sorted(folder.glob(f"{_command(units[0])}-*.json")):
        try:
            found = msgspec.json.decode(record.read_bytes(), type=Precompiled)
        except (OSError, msgspec.DecodeError):
            _remove(record)
            continue
        held = len(set(wanted).intersection(found.headers))
        if held >= enough:
            candidates.append((held, held - len(found.headers), record, found))
    for _, _, record, found in sorted(candidates, key=lambda candidate: candidate[:2], reverse=True):
        if _is_fresh(record, found):
            with suppress(OSError):  # a cache that cannot be written
                record.touch()
            return found
        _remove(record)
    return None


def _is_fresh(record: Path, header: Precompiled) -> bool:
    try:
        there = Path(header.path).exists() and record.with_suffix(".h").exists()
        return there and all(stamp(path) == known for path, known in header.files.items())
    except OSError:
        return False


def _build(unit: Unit, wanted: Sequence[str], reader: Reader, folder: Path, spelling: Spelling) -> Precompiled | None:
    """Leaves out the headers below which there are errors, and tries again."""
    stem = folder / f"{_command(unit)}-{_digest(wanted)}"
    source, target = stem.with_suffix(".h"), stem.with_suffix(".pch")
    headers = list(wanted)
    start = time.time_ns()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(_ATTEMPTS):
            # A header without a guard must not be read again by the files that include it: #import sees to that.
            lines = [f'#{"include" if reader.is_guarded(path) else "import"} "{path}"\n' for path in headers]
            text = "".join(lines).encode("utf-8", "surrogateescape")
            if _read(str(source)) != text:
                _replace(source, text)
            wrong, files = _save(unit, source, target)
            if not wrong:
                stamps = {path: stamp(path) for path in files}
                contents = {path: digest(reader.text(path)) for path in files}
                made = Precompiled(
                    str(target), tuple(headers), stamps, header_digest(unit, headers, contents, spelling)
                )
                if all(is_settled(found, start) for found in stamps.values()):
                    _replace(stem.with_suffix(".json"), msgspec.json.encode(made))
                _trim(folder)
                return made
            if 0 in wrong:
                return None  # there are errors in what the command line includes
            # The first error may be the cause of the others.
            worst = wrong if attempt >= _ATTEMPTS // 2 else {min(wrong)}
            headers = [path for line, path in enumerate(headers, 1) if line not in worst]
            if not headers:
                return None
    except (OSError, ParseError):
        pass  # no space, no permission: do without
    return None


def header_digest(unit: Unit, headers: Sequence[str], contents: Mapping[str, str], spelling: Spelling) -> str:
    """Names what a precompiled header holds, by the digests of the files' contents, wherever their tree lies."""
    command = map(spelling.of, (*unit.args, unit.cwd))
    named = sorted((spelling.of(path), contents[path]) for path in contents)
    what = (*map(spelling.of, headers), "", *(part for item in named for part in item))
    return digest(str(_FORMAT), *libclang.identity(), *command, "", *what)


def _save(unit: Unit, source: Path, target: Path) -> tuple[set[int], list[str]]:
    """Writes the precompiled form of `source`. Returns the lines whose headers have errors (then nothing is
    written; 0 for errors elsewhere), and the files read."""
    options = libclang.PARSE_INCOMPLETE | libclang.PARSE_FOR_SERIALIZATION | libclang.PARSE_KEEP_GOING
    with parsed(str(source), ["-x", "c-header", *unit.args], unit.cwd, options=options) as tu:
        wrong = error_entries(tu, str(source))
        if not wrong:
            temporary = f"{target}.{os.getpid()}"
            if libclang.load().clang_saveTranslationUnit(tu, os.fsencode(temporary), c_uint(0)):
                return {0}, []
            Path(temporary).replace(target)
        files = [os.path.join(unit.cwd, path) for path in inclusions(tu)]  # noqa: PTH118
        return wrong, [path for path in files if path != str(source)]


def _trim(folder: Path) -> None:
    """Removes the oldest precompiled headers: each takes some 15 MB, and a whole kernel has thousands of groups. What
    a process left that was killed goes with the others."""
    with suppress(OSError):  # another process may remove them as well
        used: dict[str, int] = {}
        for path in folder.iterdir():
            stem = path.name.partition(".")[0]
            used[stem] = max(used.get(stem, 0), path.stat().st_mtime_ns)
        for stem in sorted(used, key=lambda stem: used[stem])[:-_KEEP]:
            _remove(folder / stem)


def _remove(record: Path) -> None:
    with suppress(OSError):
        for path in record.parent.glob(f"{record.stem}.*"):
            path.unlink(missing_ok=True)


def _replace(path: Path, data: bytes) -> None:
    """Writes a file so that no other process ever sees half of it."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
