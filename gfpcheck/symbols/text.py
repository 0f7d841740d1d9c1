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
_STATIC = b"\nstatic "
_WORD_BEFORE = re.compile(rb"\b[A-Za-z_]\w*\Z")
_COMMENT = re.compile(rb"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DIRECTIVE = re.compile(rb"^[ \t]*#(?:.*\\\n)*.*$", re.MULTILINE)
_BODY = re.compile(rb"\n\{")
_BRACE = re.compile(rb"\n[A-Za-z_][\w \t*]*\([^;{}=]*\)[ \t]*\{")
"""A head with the brace at the end of its last line."""
_STATEMENTS = frozenset(b"if for while switch return sizeof typeof do else".split())


def definitions(data: bytes) -> list[str]:
    """The names of the functions that the file defines for others, sorted."""
    names = {name for head in _heads(b"\n" + data) if (name := _named(head)) is not None}
    return sorted(name.decode("ascii") for name in names)


def _heads(data: bytes) -> Iterator[bytes]:
    """What may be the heads of functions: the text before a brace that opens a body."""
    for match in _BODY.finditer(data):
        yield _head(data, match.start())
    for match in _BRACE.finditer(data):
        yield _head(data, match.end() - 1)


def _head(data: bytes, end: int) -> bytes:
    """The text between whatever came before and `end`, without comments and directives."""
    low = max(0, end - _HEAD)
    cut = max(data.rfind(b";", low, end), data.rfind(b"}", low, end), low - 1)
    if data.find(_STATIC, cut + 1, end) >= 0:
        return b""  # as most are
    head = data[cut + 1 : end]
    if b"/" in head:
        head = _COMMENT.sub(b"", head)
        head = head[head.rfind(b"*/") + 2 :] if b"*/" in head else head  # of a comment that began before
    return _DIRECTIVE.sub(b"", head) if b"#" in head else head


def _named(head: bytes) -> bytes | None:
    """The name in a function's head; None if it is no such thing, or static."""
    head = head.rstrip()
    words: list[bytes] = []
    while head.endswith(b")"):
        head = head[: max(_opening(head), 0)].rstrip()
        word = _WORD_BEFORE.search(head)
        if word is None:
            return None
        words.append(word[0])
        head = head[: word.start()].rstrip()
    before = head.split()
    if not words or not before or b"static" in before:
        return None
    name = words[0] if len(words) == 1 else _likeliest(words)
    return None if name in _STATEMENTS else name


def _likeliest(words: list[bytes]) -> bytes:
    """The function among words that all have brackets, the last first; the others are attributes."""
    named = [word for word in words if not word.startswith(b"__")]
    return named[0] if named else min(reversed(words), key=b"__attribute__".__eq__)


def _opening(head: bytes) -> int:
    """Where the bracket opens that the last byte of `head` closes; -1 if it does not."""
    start, end = len(head), len(head) - 1
    closed = 1
    while closed and start >= 0:
        start = head.rfind(b"(", 0, start)
        if start >= 0:
            closed += head.count(b")", start, end) - 1
            end = start
    return start
