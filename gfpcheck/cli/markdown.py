"""Markdown for the terminal: the little of it that rule documentation uses."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator

from gfpcheck.report.lines import printable
from gfpcheck.report.style import Style

_ITEM = re.compile(r"([*-]|\d+\.) +")
_CODE = re.compile(r"`([^`]+)`")
INDENT = "  "
WIDEST = 96
"""Columns beyond which prose is hard to read."""


def page_width() -> int:
    """The columns to set prose to: those of the terminal, within reason."""
    return min(shutil.get_terminal_size().columns, WIDEST)


def render(markdown: str, style: Style, width: int) -> Iterator[str]:
    """The lines to print. Headings, paragraphs and lists are set anew to `width` columns, code and tables stay as
    they are; text below a heading is indented."""
    margin = ""
    for kind, lines in _blocks(markdown):
        if kind == "heading":
            margin = INDENT
            yield style.title(printable(lines[0].lstrip("#").strip()))
            continue
        if kind == "code":
            yield from (style.code(f"{margin}{INDENT}{printable(line.expandtabs(8))}".rstrip()) for line in lines)
        elif kind == "table":
            yield from (margin + printable(line) for line in lines)
        else:
            for item in _items(lines):
                yield from _paragraph(item, margin, style, width)
        yield ""


def _blocks(markdown: str) -> Iterator[tuple[str, list[str]]]:
    """The text in pieces: (heading, code, table or text; its lines)."""
    lines: list[str] = []
    fenced = False
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("```"):
            if lines or fenced:
                yield "code" if fenced else _kind(lines), lines
            lines, fenced = [], not fenced
        elif fenced or (line.strip() and not line.startswith("#")):
            lines.append(line)
        else:
            if lines:
                yield _kind(lines), lines
            lines = []
            if line.startswith("#"):
                yield "heading", [line]


def _kind(lines: list[str]) -> str:
    return "table" if all(line.startswith("|") for line in lines) else "text"


def _items(lines: Iterable[str]) -> Iterator[str]:
    """The list items among the lines, or the whole as one."""
    item: list[str] = []
    for line in lines:
        if _ITEM.match(line) and item:
            yield " ".join(item)
            item = []
        item.append(line.strip())
    yield " ".join(item)


def _paragraph(text: str, margin: str, style: Style, width: int) -> Iterator[str]:
    item = _ITEM.match(text)
    hanging = margin + " " * (item.end() if item else 0)
    # A blank inside of code is no place to break a line at, and the backticks go where there is colour instead.
    kept = _CODE.sub(lambda code: code[0].replace(" ", "\N{NO-BREAK SPACE}"), text)
    wrapper = textwrap.TextWrapper(
        width, initial_indent=margin, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )
    for line in wrapper.wrap(printable(kept)):
        yield _CODE.sub(lambda code: style.inline_code(code[1]), line).replace("\N{NO-BREAK SPACE}", " ")
