"""Functions in the text of a C file, without a parser.

A body begins with a brace that opens a line, as kernel code has it, or that ends a line which begins with a word. What
the preprocessor leaves out is there, too. Wrong guesses do no harm: whoever asks for a function reads its file with the
real parser before believing it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEAD = 1000
"""Bytes before the opening brace in which the function's name is looked for."""
_CALL = re.compile(rb"\b([A-Za-z_]\w*)[ \t\n]*\(")
_DIRECTIVE = re.compile(rb"^[ \t]*#(?:.*\\\n)*.*$", re.MULTILINE)
_ONE_LINE = re.compile(rb"\n([A-Za-z_][\w \t*]*\([^;{}=\n]*\)[ \t]*)\{")
_ATTRIBUTES = frozenset(
    b"__attribute__ __printf __scanf __aligned __section __malloc __alloc_size "
    b"__acquires __releases __must_hold __cond_acquires __counted_by".split()
)
_STATEMENTS = frozenset(b"if for while switch return sizeof typeof do else".split())


def definitions(data: bytes) -> list[str]:
    """The names of the functions that the file defines for others, sorted."""
    names = {name for head in _heads(b"\n" + data) if (name := _named(head)) is not None}
    return sorted(name.decode("ascii") for name in names)


def _heads(data: bytes) -> Iterator[bytes]:
    """What may be the heads of functions: the text before a brace that opens a body."""
    position = data.find(b"\n{")
    while position >= 0:
        yield _head(data, position)
        position = data.find(b"\n{", position + 2)
    yield from _ONE_LINE.findall(data)


def _head(data: bytes, end: int) -> bytes:
    """The text between whatever came before and `end`."""
    low = max(0, end - _HEAD)
    cut = max(data.rfind(b";", low, end), data.rfind(b"}", low, end), data.rfind(b"*/", low, end) + 1, low - 1)
    head = data[cut + 1 : end]
    return _DIRECTIVE.sub(b"", head) if b"#" in head else head


def _named(head: bytes) -> bytes | None:
    """The name in a function's head; None if it is no such thing, or static."""
    if b"=" in head or head.lstrip().startswith(b"static"):
        return None
    for match in _CALL.finditer(head):
        if match[1] in _STATEMENTS:
            return None
        if match[1] not in _ATTRIBUTES:
            return None if b"static" in head[: match.start()].split() else match[1]
    return None
