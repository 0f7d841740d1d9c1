"""A source line made ready to be shown, and where its underline goes."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.report.lines import cells, printable
from gfpcheck.report.source import word_at

WIDTH = 100
_TAB = 8
_CUT = "..."
# Generated code can have lines of megabytes; only the neighbourhood of the caret is looked at.
_NEAR = 1000


class Snippet(NamedTuple):
    """`text` is printable; the underline starts after `indent` terminal columns and takes
    `length` of them, 0 when there is none."""

    text: str
    indent: int
    length: int


def snippet(raw: bytes, col: int, width: int = WIDTH) -> Snippet:
    """The line `raw` with tabs expanded, cut to about `width` terminal columns around the word
    at byte column `col`. No underline when `col` is 0 or past the end (the file has changed)."""
    start = col - 1 if 0 < col <= len(raw) else -1
    word = word_at(raw, col) if start >= 0 else b""
    low = max(0, start - _NEAR)
    high = max(start, 0) + len(word) + _NEAR

    before = _expand(raw[low : max(start, 0)], 0)
    under = _expand(word[:_NEAR], _width(before))
    after = _expand(raw[max(start, 0) + len(word) : high], _width(before) + _width(under))
    text, indent = before + under + after, _width(before)
    length = max(1, _width(under.strip())) if start >= 0 else 0

    cut_left, cut_right = low > 0, high < len(raw)
    if _width(text) > width:
        # A third of the width before the word, if it does not begin near enough to the margin.
        first = max(0, indent - width // 3) if indent + length > width else 0
        text, skipped = _drop(text, first)
        indent -= skipped
        kept = _keep(text, width)
        cut_left, cut_right = cut_left or skipped > 0, cut_right or len(kept) < len(text)
        text, length = kept, min(length, max(0, _width(kept) - indent))
    text = text.rstrip()
    if cut_left:
        text, indent = _CUT + text, indent + len(_CUT)
    return Snippet(text + _CUT if cut_right else text, indent, length)


def _expand(raw: bytes, column: int) -> str:
    """The printable text of `raw`, which begins at terminal column `column`."""
    pieces = []
    for index, piece in enumerate(raw.decode("utf-8", "replace").split("\t")):
        if index:
            blanks = _TAB - column % _TAB
            pieces.append(" " * blanks)
            column += blanks
        shown = printable(piece)
        pieces.append(shown)
        column += _width(shown)
    return "".join(pieces)


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(cells, text))


def _drop(text: str, columns: int) -> tuple[str, int]:
    """`text` without its first `columns` terminal columns, and how many were dropped."""
    dropped = 0
    for index, char in enumerate(text):
        if dropped >= columns:
            return text[index:], dropped
        dropped += cells(char)
    return "", dropped


def _keep(text: str, columns: int) -> str:
    """The beginning of `text` that fits into `columns` terminal columns."""
    for index, char in enumerate(text):
        columns -= cells(char)
        if columns < 0:
            return text[:index]
    return text
