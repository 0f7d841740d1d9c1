"""A crude index of a kernel tree's declarations, by regular expressions: enough to check model entries against.

It knows macros, function prototypes and definitions at file scope, and the bodies of structs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

HEADERS = (
    "include/linux",
    "include/net",
    "include/crypto",
    "include/asm-generic",
    "include/scsi",
    "include/rdma",
    "include/sound",
    "include/media",
    "include/drm",
    "include/xen",
    "arch/x86/include/asm",
)
SOURCES = (
    "mm",
    "kernel",
    "lib",
    "block",
    "crypto",
    "drivers/base",
    "net/core",
    "net/netlink",
    "net/sched",
    "arch/x86/mm",
)
FLAT = (
    "fs",
    "fs/proc",
    "fs/debugfs",
    "fs/ext4",
    "fs/iomap",
    "fs/xfs",
    "fs/xfs/libxfs",
    "drivers/md",
    "drivers/usb/storage",
)
"""Folders of which only the files directly inside count."""

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(\([^)]*\))?((?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
_CALLISH = re.compile(r"\b([A-Za-z_]\w*)[ \t]*\(")
_STRUCT = re.compile(r"^(?:typedef\s+)?(struct|union)\s+(\w+)?\s*\{", re.MULTILINE)
_BRACKETS = {"(": re.compile(r"[()]"), "{": re.compile(r"[{}]")}
_ENDS_BEFORE = re.compile(r"[;}]\s*$|^\s*$")
_NOT_BEFORE = re.compile(r"[;:{}=]|\breturn\b|\btypedef\b|\\")
_ATTRIBUTE = re.compile(r"\b__\w+[ \t]*\([^()]*\)")
_NO_FUNCTIONS = frozenset({"__printf", "__scanf", "__alloc_size", "__realloc_size", "__attribute__", "__aligned"})
_WORD = re.compile(r"\s*([A-Za-z_]\w*)\s*")
_TYPEDEF_NAME = re.compile(r"\}\s*(\w+)\s*;")
_FIXES = ((re.compile(r"DECL_BUCKET_PARAMS\((\w+),\s*\w+\)"), r"size_t \1"),)
"""Macros that stand for parameters: include/linux/slab.h."""


class Function(NamedTuple):
    """A prototype or a definition. `ret` is the text before the name, attributes included."""

    name: str
    ret: str
    params: tuple[str, ...]
    body: str
    file: str


class Tree:
    """The index of one tree: of the folders of a kernel where its interfaces are, or of `files`."""

    def __init__(self, root: Path, files: Iterable[Path] | None = None) -> None:
        self.root = root
        self.is_kernel = files is None
        self.macros: dict[str, list[tuple[str, str]]] = {}
        self.functions: dict[str, list[Function]] = {}
        self.structs: dict[str, list[str]] = {}
        self._seen: set[Path] = set()
        self.add(self._files() if files is None else files)

    def _files(self) -> Iterator[Path]:
        for folder in HEADERS:
            yield from sorted((self.root / folder).rglob("*.h"))
        for folder in SOURCES:
            yield from sorted((self.root / folder).rglob("*.[ch]"))
        for folder in FLAT:
            yield from sorted((self.root / folder).glob("*.[ch]"))

    def add(self, files: Iterable[Path]) -> None:
        """Index further files. Raises OSError."""
        for path in files:
            if path not in self._seen:
                self._seen.add(path)
                self._read(path)
        self.__dict__.pop("words", None)

    def _read(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8", errors="replace")
        text = _COMMENT.sub(lambda match: "\n" * match[0].count("\n") or " ", text)
        for pattern, replacement in _FIXES:
            text = pattern.sub(replacement, text)
        for match in _DEFINE.finditer(text):
            self.macros.setdefault(match[1], []).append((match[2] or "", match[3]))
        text = _STRING.sub('""', _DIRECTIVE.sub("", text))
        self._find_structs(text)
        self._find_functions(text, str(path.relative_to(self.root)))

    def _find_structs(self, text: str) -> None:
        for match in _STRUCT.finditer(text):
            end = closing(text, match.end() - 1)
            body = text[match.end() : end]
            typedef = _TYPEDEF_NAME.match(text, end) if match[0].startswith("typedef") else None
            for name in (f"{match[1]} {match[2]}" if match[2] else "", typedef[1] if typedef else ""):
                if name:
                    self.structs.setdefault(name, []).append(body)

    def _find_functions(self, text: str, file: str) -> None:
        position = 0
        while match := _CALLISH.search(text, position):
            position = match.end()
            start = text.rfind("\n", 0, match.start()) + 1
            # A return type may stand on lines of its own: go back to the first line at column 0 of this declaration.
            while start and (text[start] in " \t" or not _ENDS_BEFORE.search(_line_before(text, start))):
                start = text.rfind("\n", 0, start - 1) + 1
            before = text[start : match.start()]
            if not before.strip() or match[1] in _NO_FUNCTIONS or _NOT_BEFORE.search(before):
                continue
            end = closing(text, match.end() - 1)
            after = _after_attributes(text, end + 1)
            if text[after : after + 1] not in (";", "{") or "(" in _ATTRIBUTE.sub("", before):
                continue
            params = split_params(text[match.end() : end])
            body = ""
            if text[after] == "{":
                stop = closing(text, after)
                body = text[after : stop + 1]
                position = stop
            else:
                position = end
            self.functions.setdefault(match[1], []).append(Function(match[1], before.strip(), params, body, file))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every macro and function."""
        return frozenset(self.macros) | frozenset(self.functions)

    def named(self, name: str) -> list[Function]:
        """The functions of that name, with the suffix of Linux 6.10 and without."""
        return self.functions.get(name, []) + self.functions.get(f"{name}_noprof", [])

    def has(self, name: str) -> bool:
        return name in self.words or f"{name}_noprof" in self.words

    def leaves(self, macro: str, seen: frozenset[str] = frozenset()) -> set[str]:
        """The words that a macro may leave when it is expanded, in any configuration."""
        found: set[str] = set()
        for _, body in self.macros.get(macro, []):
            for word in set(re.findall(r"[A-Za-z_]\w*", body)) - seen:
                found.add(word)
                if word in self.macros and word != macro:
                    found |= self.leaves(word, seen | {macro, word})
        return found

    def reach(self, name: str, depth: int, seen: set[str] | None = None) -> Iterator[str]:
        """The bodies of a function or macro and of what it calls, `depth` calls down."""
        seen = set() if seen is None else seen
        if name in seen:
            return
        seen.add(name)
        functions = [function.body for function in self.named(name) if function.body]
        # A macro may call a function that it only names (_Generic), a function does not.
        called = r"[A-Za-z_]\w*(?=\s*\()" if functions else r"[A-Za-z_]\w*"
        for body in functions or [text for _, text in self.macros.get(name, [])]:
            yield body
            if depth:
                for word in sorted(set(re.findall(called, body))):
                    if self.has(word):
                        yield from self.reach(word, depth - 1, seen)

    def member(self, record: str, name: str) -> list[str]:
        """The declarations of `record.name`, in all versions of the struct that the tree has."""
        pattern = re.compile(
            rf"[^;{{}}]*\b{name}\b\s*(?:\)\s*\([^;]*\))?(?:\[[^\]]*\])?(?:\s*:\s*\d+)?(?:\s+__\w+(?:\([^)]*\))?)*\s*[;,]"
        )
        return [match[0].strip() for body in self.structs.get(record, []) for match in pattern.finditer(body)]


def _after_attributes(text: str, position: int) -> int:
    """Where a declaration goes on behind the words and calls that may follow its parameters."""
    while match := _WORD.match(text, position):
        position = match.end()
        if text[position : position + 1] == "(":
            position = closing(text, position) + 1
    while text[position : position + 1].isspace():
        position += 1
    return position


def _line_before(text: str, start: int) -> str:
    return text[text.rfind("\n", 0, start - 1) + 1 : start - 1]


def closing(text: str, start: int) -> int:
    """The index of the bracket that closes the one at `start`, or the end of the text."""
    opening = text[start]
    depth = 0
    for match in _BRACKETS[opening].finditer(text, start):
        depth += 1 if match[0] == opening else -1
        if not depth:
            return match.start()
    return len(text) - 1


def split_params(text: str) -> tuple[str, ...]:
    """The parameters of a prototype, white space made single."""
    parts, depth, current = [], 0, ""
    for char in text:
        if char == "," and not depth:
            parts.append(current)
            current = ""
            continue
        depth += (char in "([{") - (char in ")]}")
        current += char
    parts.append(current)
    cleaned = [re.sub(r"\s+", " ", part).strip() for part in parts]
    return () if cleaned in ([""], ["void"]) else tuple(cleaned)
