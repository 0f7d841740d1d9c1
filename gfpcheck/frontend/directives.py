"""The preprocessor directives of a C file, read as text: what it includes, what it defines before that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_DIRECTIVE = re.compile(rb"^[ \t]*#[ \t]*(include|define|undef|ifdef|ifndef|if|endif)\b[ \t]*([^\n]*)", re.MULTILINE)
_TARGET = re.compile(rb'[<"]([^>"\n]+)[>"]')
_NAME = re.compile(rb"[A-Za-z_]\w*")
_QUOTED_ONLY, _BOTH = ("-iquote",), ("-I", "-isystem", "-idirafter")


@dataclass(frozen=True, slots=True)
class Directives:
    """`includes` are (name, quoted) of the unconditional #includes, in order; `defines` the names defined or
    undefined before the last #include of any kind."""

    includes: tuple[tuple[str, bool], ...]
    defines: tuple[bytes, ...]


def read_directives(text: bytes) -> Directives:
    """The directives of one file."""
    includes: list[tuple[str, bool]] = []
    defines: list[bytes] = []
    defined_before = 0
    depth = 0
    for match in _DIRECTIVE.finditer(text):
        word, rest = match.groups()
        if word == b"include":
            target = _TARGET.match(rest)
            if target and depth == 0:
                includes.append((target.group(1).decode("utf-8", "surrogateescape"), rest[:1] == b'"'))
            defined_before = len(defines)
        elif word in (b"define", b"undef"):
            name = _NAME.match(rest)
            if name:
                defines.append(name.group())
        elif word == b"endif":
            depth -= 1
        else:
            depth += 1
    return Directives(tuple(includes), tuple(dict.fromkeys(defines[:defined_before])))


class IncludeSearch:
    """Finds headers as the compiler does, with one command line's search paths."""

    def __init__(self, args: Sequence[str], cwd: str) -> None:
        self._quoted = _folders(args, cwd, _QUOTED_ONLY)
        self._both = [folder for option in _BOTH for folder in _folders(args, cwd, (option,))]
        self._found: dict[tuple[str, str], str] = {}

    def find(self, name: str, quoted: bool, folder: str) -> str:
        """The path of a header that a file in `folder` includes, spelled as libclang spells it; empty if not found."""
        key = (folder if quoted else "", name)
        found = self._found.get(key)
        if found is None:
            places = [folder, *self._quoted, *self._both] if quoted else self._both
            found = next((path for path in (f"{place}/{name}" for place in places) if Path(path).is_file()), "")
            self._found[key] = found
        return found


def _folders(args: Sequence[str], cwd: str, options: tuple[str, ...]) -> list[str]:
    found = []
    words = iter(args)
    for word in words:
        for option in options:
            if word == option:
                found.append(next(words, ""))
            elif word.startswith(option):
                found.append(word[len(option) :])
    return [folder if folder.startswith("/") else f"{cwd}/{folder}" for folder in found if folder]


def macros_that_matter(names: Iterable[bytes], texts: Sequence[bytes]) -> set[bytes]:
    """Those of `names` that change what the headers `texts` mean when they are defined before them.

    Harmless are a use inside another macro's definition, which is expanded later anyway, and
    a default (`#ifndef X`, `#define X ...`), which a later definition overrides: pr_fmt() is both.
    """
    return {name for name in names if any(name in text and _matters(name, text) for text in texts)}


def _matters(name: bytes, text: bytes) -> bool:
    for match in re.finditer(rb"\b" + re.escape(name) + rb"\b", text):
        start = text.rfind(b"\n", 0, match.start()) + 1
        while text[start - 2 : start - 1] == b"\\" and start > 1:  # continued lines
            start = text.rfind(b"\n", 0, start - 1) + 1
        line = text[start : match.start()].lstrip()
        if line.startswith(b"#"):
            word = line[1:].lstrip()
            if word.startswith(b"define"):
                if word[len(b"define") :].strip():
                    continue  # in a macro's definition
                before = text[:start].rstrip().rsplit(b"\n", 1)[-1]
                if re.match(rb"\s*#\s*ifndef\s+" + re.escape(name) + rb"\b", before):
                    continue  # a default
            elif word.startswith(b"ifndef"):
                end = text.find(b"\n", match.end())
                if re.match(rb"\s*#\s*define\s+" + re.escape(name) + rb"\b", text[end:]):
                    continue
        return True
    return False
