"""Who includes whom, read as text: what a file would not have seen without a precompiled header."""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from gfpcheck.frontend.directives import IDLE, Directives, IncludeSearch, macros_that_matter, read_directives
from gfpcheck.kbuild.types import Unit

# #ifndef X, #if !defined(X), #pragma once as the first thing.
_GUARD = re.compile(
    rb"(?>\s+|//[^\n]*+|/\*.*?\*/)*+\#[ \t]*(?:ifndef\b|if[ \t(]*!|pragma[ \t]+once\b)",
    re.DOTALL,
)
_IDENTIFIER = re.compile(rb"[A-Za-z_]\w*")


class Reader:
    """Files of one command line, each read once: their text and directives, and the files that they include."""

    def __init__(self, unit: Unit) -> None:
        self._search = IncludeSearch(unit.args, unit.cwd)
        self._texts: dict[str, bytes] = {}
        self._directives: dict[str, Directives] = {}
        self._targets: dict[str, list[str]] = {}
        self.forced = _forced_includes(unit)

    def text(self, path: str) -> bytes:
        """A file's contents; empty if it cannot be read."""
        found = self._texts.get(path)
        if found is None:
            try:
                found = Path(path).read_bytes()
            except OSError:
                found = b""
            self._texts[path] = found
        return found

    def directives(self, path: str) -> Directives:
        """A file's directives."""
        found = self._directives.get(path)
        if found is None:
            found = self._directives[path] = read_directives(self.text(path))
        return found

    def is_guarded(self, path: str) -> bool:
        """True if the file takes care itself that it is read once, or read again only on purpose."""
        return bool(_GUARD.match(self.text(path)))

    def always(self, path: str) -> list[str]:
        """The headers that a file includes under no condition, in order."""
        return self._find(path, self.directives(path).always)

    def targets(self, path: str) -> list[str]:
        """All files that a file includes, on whatever condition."""
        found = self._targets.get(path)
        if found is None:
            directives = self.directives(path)
            following = [self._search.after(name, path) for name in directives.following]
            found = [*self._find(path, directives.includes), *filter(None, following)]
            self._targets[path] = found
        return found

    def _find(self, path: str, includes: Iterable[tuple[str, bool]]) -> list[str]:
        folder = os.path.dirname(path)  # noqa: PTH120
        found = [self._search.find(name, quoted, folder) for name, quoted in includes]
        return list(dict.fromkeys(target for target in found if target))


class IncludeGraph:
    """What `headers` and the command line's own -include options lead to. Conditions are not looked at: a file
    counts as seen if any #include leads to it. Sets of files are bits of an integer."""

    def __init__(self, reader: Reader, headers: Sequence[str]) -> None:
        self._reader = reader
        self._numbers: dict[str, int] = {}
        self._below: dict[str, int] = {}
        self._forced = self.below(reader.forced)
        self.files = self._forced | self.below(headers)
        self._named: dict[str, set[bytes]] = {}
        self._definers: dict[bytes, int] = {}
        for path, number in list(self._numbers.items()):
            for name in reader.directives(path).defines:
                self._definers[name] = self._definers.get(name, 0) | 1 << number

    def below(self, paths: Iterable[str]) -> int:
        """The files that `paths` are or lead to."""
        bits = 0
        for path in paths:
            found = self._below.get(path)
            if found is None:
                found = self._below[path] = self._walk(path)
            bits |= found
        return bits

    def _walk(self, path: str) -> int:
        bits = 0
        stack = [path]
        while stack:
            path = stack.pop()
            bit = 1 << self._numbers.setdefault(path, len(self._numbers))
            if not bits & bit:
                bits |= bit
                known = self._below.get(path)
                if known is None:
                    stack += self._reader.targets(path)
                else:
                    bits |= known
        return bits

    def members(self, files: Sequence[str]) -> Callable[[str], bytes]:
        """A function that says which of `files` a path, or the command line, leads to: bit n of the little-endian bytes
        stands for the nth. A file that no plain #include names (but a macro does) may be included by anyone."""
        numbers = [(1 << place, self._numbers.get(path, -1)) for place, path in enumerate(files)]
        size = -(-len(files) // 8)

        def members_below(path: str) -> bytes:
            met = self._forced | self.below([path])
            return sum(bit for bit, number in numbers if number < 0 or met >> number & 1).to_bytes(size, "little")

        return members_below

    def weight(self, files: int) -> int:
        """The size of a set of files, in bytes."""
        return sum(len(self._reader.text(path)) for path, number in self._numbers.items() if files >> number & 1)

    def matter(self, macros: Iterable[bytes]) -> set[bytes]:
        """Those of `macros` that change what the headers mean when they are defined before them."""
        names = {name for name in macros if name}
        paths = [path for path, number in self._numbers.items() if self.files >> number & 1]
        return macros_that_matter(names, [self._reader.text(path) for path in paths]) if names else names

    def foreign_macros(self, path: str) -> dict[bytes, int]:
        """Macros that the file `path`, or a header of its own, names and that only headers define which it does not
        include, with those headers: precompiled, they would turn a plain name into a macro."""
        own = [path]
        met = {path}
        seen = self._forced
        named: set[bytes] = set()
        defined: set[bytes] = set()
        for file in own:  # which grows
            for target in self._reader.targets(file):
                if target not in met:
                    met.add(target)
                    number = self._numbers.get(target)
                    if number is not None and self.files >> number & 1:
                        seen |= self.below([target])
                    else:
                        own.append(target)
            named |= self._macros_named(file)
            defined.update(self._reader.directives(file).defines)
        found = {}
        for name in named - defined:
            definers = self._definers[name]
            if not definers & seen:
                found[name] = definers
        return found

    def _macros_named(self, path: str) -> set[bytes]:
        """The headers' macros that a file names outside of comments, strings and macro definitions."""
        found = self._named.get(path)
        if found is None:
            words = set(_IDENTIFIER.findall(IDLE.sub(b" ", self._reader.text(path))))
            found = self._named[path] = self._definers.keys() & words
        return found


def _forced_includes(unit: Unit) -> list[str]:
    """The headers of -include options."""
    words = unit.args
    named = [words[index + 1] for index, word in enumerate(words[:-1]) if word == "-include"]
    return [os.path.normpath(os.path.join(unit.cwd, name)) for name in named]  # noqa: PTH118
