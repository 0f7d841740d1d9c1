"""Small looks at raw C text, for the few things that libclang does not tell."""

from __future__ import annotations

import re

# Each branch takes what it has begun to the end, closed or not: hostile text must not be read twice.
_TOKEN = re.compile(
    rb"""//[^\n]*+|/\*.*?(?:\*/|\Z)|"(?>[^"\\\n]|\\.)*+"?|'(?>[^'\\\n]|\\.)*+'?|\\\r?\n|\s+|[A-Za-z_]\w*+|.""",
    re.DOTALL,
)
_BLANK = re.compile(rb"//|/\*|\\\r?\n|\s")
_FOR_CLAUSES = 3
# A clause or an operand list longer than this is not worth reading on.
_LIMIT = 100_000


def for_clauses(text: bytes, offset: int) -> list[bool] | None:
    """Which of the three clauses of the `for` at `offset` are written; None if that is no `for`."""
    depth = 0
    written = [False]
    for match in _TOKEN.finditer(text, offset, min(len(text), offset + _LIMIT)):
        token = match.group()
        if _BLANK.match(token):
            continue
        if match.start() == offset:
            if token != b"for":
                return None
        elif token in b"([{":
            depth += 1
            written[-1] |= depth > 1
        elif token in b")]}":
            depth -= 1
            if depth == 0:
                break
        elif token == b";" and depth == 1:
            written.append(False)
        else:
            written[-1] = True
    return written if len(written) == _FOR_CLAUSES else None


def statement_words(text: bytes, offset: int) -> list[bytes]:
    """The identifiers from `offset` to the end of the first parenthesis there."""
    depth = 0
    words = []
    for match in _TOKEN.finditer(text, offset, min(len(text), offset + _LIMIT)):
        token = match.group()
        if token == b"(":
            depth += 1
        elif token == b")":
            depth -= 1
            if depth == 0:
                break
        elif token[:1].isalpha() or token[:1] == b"_":
            words.append(token)
        elif token == b";" and depth == 0:
            break
    return words
