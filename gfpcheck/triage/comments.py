"""Suppressions in C: comments like `/* gfpcheck: ignore[GFP301] reason */`, and the lines that they speak of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

MARK = b"gfpcheck:"
"""What every such comment contains."""

_TOKEN = re.compile(r"""/\*.*?(?:\*/|\Z)|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
_OURS = re.compile(r"[\s*!/]*gfpcheck:\s*(.*)", re.DOTALL)
_IGNORE = re.compile(r"ignore\s*\[([^\]]*)\]\s*:?\s*(.*)", re.DOTALL)
_LINE_START = re.compile(r"\n[ \t]*\*(?!/)")
_ENDS = re.compile(r"[;{}]")
_FUNCTION = re.compile(r"[A-Za-z_][^;{}]*\([^;{}]*\{", re.DOTALL)
_LABEL = re.compile(r"\w+\s*:(?!:)")
_LONGEST_STATEMENT = 20
"""Lines of a statement, at most."""
FORM = "a suppression looks like /* gfpcheck: ignore[GFP301] reason */"


class Comment(NamedTuple):
    """A suppression at `line` and byte column `col` for the lines `first` to `last`. `words` name its rules; `wrong`:
    it cannot be understood, and why."""

    line: int
    col: int
    first: int
    last: int
    words: tuple[str, ...]
    reason: str
    wrong: str = ""


def read_comments(data: bytes) -> list[Comment]:
    """The suppressions in a C file, in order."""
    if MARK not in data:
        return []
    text = data.decode("latin-1")  # a character a byte: columns are bytes
    code = _TOKEN.sub(lambda token: re.sub(r"[^\n]", " ", token[0]) if token[0].startswith("/") else token[0], text)
    lines = code.split("\n")
    found = []
    for token in _TOKEN.finditer(text):
        ours = _OURS.match(_body(token[0])) if token[0].startswith("/") else None
        if ours is None:
            continue
        line = text.count("\n", 0, token.start()) + 1
        last = line + token[0].count("\n")
        col = token.start() - (text.rfind("\n", 0, token.start()) + 1) + 1
        found.append(_comment(ours[1], line, col, *_covered(lines, line, last)))
    return found


def _comment(said: str, line: int, col: int, first: int, last: int) -> Comment:
    said = " ".join(said.encode("latin-1").decode("utf-8", "replace").split())
    form = _IGNORE.fullmatch(said)
    if form is None:
        return Comment(line, col, first, last, (), "", FORM)
    words = tuple(dict.fromkeys(word.strip() for word in form[1].split(",") if word.strip()))
    return Comment(line, col, first, last, words, form[2], "" if words else f"it names no rule; {FORM}")


def _body(comment: str) -> str:
    """What a comment says, without its delimiters and the stars that begin its lines."""
    if comment.startswith("//"):
        return comment[2:]
    return _LINE_START.sub("\n", comment[2:].removesuffix("*/"))


def _covered(lines: Sequence[str], line: int, last: int) -> tuple[int, int]:
    """The lines that a comment in `line` to `last` speaks of: the statement beside it, else the one below, or the
    function that begins there. `lines` are those of the file without its comments."""
    if lines[line - 1].strip() or lines[last - 1].strip():
        return _statement_before(lines, line), max(last, _statement_after(lines, line))
    below = last + 1
    while below <= len(lines) and (not lines[below - 1].strip() or lines[below - 1].lstrip().startswith("#")):
        below += 1
    if below > len(lines):
        return line, last
    end = _function_end(lines, below)
    return line, end or _statement_after(lines, below)


def _statement_before(lines: Sequence[str], line: int) -> int:
    """The first line of the statement that `line` is a part of."""
    first = line
    while first > 1 and line - first < _LONGEST_STATEMENT:
        above = lines[first - 2].strip()
        if not above or above.startswith("#") or above.endswith((";", "{", "}", ":")):
            break
        first -= 1
    return first


def _statement_after(lines: Sequence[str], line: int) -> int:
    """The last line of the statement that `line` is a part of."""
    for number in range(line, min(len(lines), line + _LONGEST_STATEMENT) + 1):
        if _ENDS.search(lines[number - 1]):
            return number
    return line


def _function_end(lines: Sequence[str], first: int) -> int:
    """The last line of the function that begins in line `first`, at the margin; 0 if none does. Its body ends at the
    first brace at the margin."""
    if not re.match(r"[A-Za-z_]", lines[first - 1]) or _LABEL.match(lines[first - 1]):
        return 0
    if not _FUNCTION.match("\n".join(lines[first - 1 : first - 1 + _LONGEST_STATEMENT])):
        return 0
    return next((number for number in range(first, len(lines) + 1) if lines[number - 1].startswith("}")), 0)
