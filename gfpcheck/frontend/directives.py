"""The preprocessor directives of a C file, read as text: what it includes, what it defines before that."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_DIRECTIVE = re.compile(
    rb"^[ \t]*#[ \t]*(include_next|include|define|undef|ifdef|ifndef|if|endif)\b[ \t]*([^\n]*)", re.MULTILINE
)
_TARGET = re.compile(rb'[<"]([^>"\n]+)[>"]')
_NAME = re.compile(rb"[A-Za-z_]\w*")
# What names nothing: comments, strings, definitions of macros. Each branch takes what it has begun to the end,
# closed or not: hostile text must not be read twice.
IDLE = re.compile(
    rb"""//[^\n]*+|/\*.*?(?:\*/|\Z)|"(?>[^"\\\n]|\\.)*+"?|'(?>[^'\\\n]|\\.)*+'?"""
    rb"""|^[ \t]*+\#[ \t]*+define\b(?>[^\n\\]|\\.)*+""",
    re.DOTALL | re.MULTILINE,
)
_QUOTED_ONLY, _BOTH = ("-iquote",), ("-I", "-isystem", "-idirafter")


@dataclass(frozen=True, slots=True)
class Directives:
    """`always` are (name, quoted) of the #includes that stand under no condition, in order, `includes` of all.
    `following` are the names in #include_next. `defines` are the names defined or undefined; `early` those that are
    before the last #include."""

    always: tuple[tuple[str, bool], ...]
    includes: tuple[tuple[str, bool], ...]
    following: tuple[str, ...]
    defines: tuple[bytes, ...]
    early: tuple[bytes, ...]


def read_directives(text: bytes) -> Directives:
    """The directives of one file."""
    always: list[tuple[str, bool]] = []
    includes: list[tuple[str, bool]] = []
    following: list[str] = []
    defines: list[bytes] = []
    defined_before = 0
    depth = 0
    for match in _DIRECTIVE.finditer(text):
        word, rest = match.groups()
        if word in (b"include", b"include_next"):
            target = _TARGET.match(rest)
            if target and word == b"include_next":
                following.append(target.group(1).decode("utf-8", "surrogateescape"))
            elif target:
                include = target.group(1).decode("utf-8", "surrogateescape"), rest[:1] == b'"'
                includes.append(include)
                if depth == 0:
                    always.append(include)
            defined_before = len(defines)
        elif word in (b"define", b"undef"):
            name = _NAME.match(rest)
            if name:
                defines.append(name.group())
        elif word == b"endif":
            depth -= 1
        else:
            depth += 1
    early = tuple(dict.fromkeys(defines[:defined_before]))
    return Directives(tuple(always), tuple(includes), tuple(following), tuple(defines), early)


def search_folders(args: Sequence[str], cwd: str) -> tuple[str, ...]:
    """The folders in which an #include with quotes is looked for after the file's own, in order."""
    return (*_folders(args, cwd, _QUOTED_ONLY), *_everyones(args, cwd))


def _everyones(args: Sequence[str], cwd: str) -> list[str]:
    """The folders of every #include."""
    return [folder for option in _BOTH for folder in _folders(args, cwd, (option,))]


class IncludeSearch:
    """Finds headers as the compiler does, with one command line's search paths."""

    def __init__(self, args: Sequence[str], cwd: str) -> None:
        self._quoted = _folders(args, cwd, _QUOTED_ONLY)
        self._both = _everyones(args, cwd)
        self._found: dict[tuple[str, str], str] = {}

    def find(self, name: str, quoted: bool, folder: str) -> str:
        """The normalised path of a header that a file in `folder` includes; empty if there is none."""
        if quoted:
            return self._first(name, folder, (folder,)) or self._first(name, "", (*self._quoted, *self._both))
        return self._first(name, "<", self._both)

    def after(self, name: str, path: str) -> str:
        """The normalised path that #include_next leads to in the file at `path`; empty if it leads nowhere."""
        places = [os.path.normpath(f"{place}/{name}") for place in self._both]
        later = places[places.index(path) + 1 :] if path in places else []
        return next((place for place in later if os.path.isfile(place)), "")  # noqa: PTH113

    def _first(self, name: str, key: str, places: Sequence[str]) -> str:
        found = self._found.get((key, name))
        if found is None:
            paths = (os.path.normpath(f"{place}/{name}") for place in places)
            found = next((path for path in paths if os.path.isfile(path)), "")  # noqa: PTH113
            self._found[key, name] = found
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


def macros_that_matter(names: Iterable[bytes], texts: Iterable[bytes]) -> set[bytes]:
    """Those of `names` that change what the headers `texts` mean when they are defined before them.

    Harmless are a use inside another macro's definition, which is expanded later anyway, and
    a default (`#ifndef X`, `#define X ...`), which a later definition overrides: pr_fmt() is both.
    """
    left = set(names)
    found: set[bytes] = set()
    for text in texts:
        there = [name for name in left if name in text]
        if there:
            code = IDLE.sub(_keep_definition, text)
            hits = {name for name in there if _matters(name, code)}
            found |= hits
            left -= hits
    return found


def _keep_definition(match: re.Match[bytes]) -> bytes:
    return match.group() if match.group().lstrip().startswith(b"#") else b" "


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
