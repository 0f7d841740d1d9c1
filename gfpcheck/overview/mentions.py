"""Every place where a file names a flag, as `grep` finds it, and what became of it in a survey."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from gfpcheck.overview.ctext import CText
from gfpcheck.overview.surveyed import Span, Survey
from gfpcheck.report.lines import printable
from gfpcheck.report.style import Style

_CLEARED = re.compile(r"~\s*\(?[\w\s|]*\Z")
_TESTED = re.compile(r"&\s*\(?[\w\s|]*\Z")

FATES = {
    "listed": "at an allocation that is listed",
    "handed on": "put into a variable or handed on in a function of which allocations are listed",
    "passed on": "given to something that is not known to allocate with it",
    "tested": "asked for, or taken away, not set",
    "comment": "in a comment or a string",
    "definition": "in the definition of a macro",
    "dead": "in code that this configuration does not compile, or that nobody uses",
}


class Listed(Protocol):
    """What a survey lists: a call."""

    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def function(self) -> str: ...


class Mention(msgspec.Struct, frozen=True):
    """One place where the flag `name` is written, and what became of it, one of `FATES`."""

    name: str
    file: str
    line: int
    column: int
    fate: str
    function: str = ""


def account(survey: Survey, rows: Iterable[Listed], names: Sequence[str], paths: Iterable[Path]) -> tuple[Mention, ...]:
    """All mentions of the flags `names` in C files and headers at `paths`, of which `survey` lists `rows`; in order.
    Files that cannot be read have none."""
    root = Path(survey.root)
    tokens = re.compile(rf"\b(?:{'|'.join(names)})\b")
    listed: dict[str, list[Listed]] = {}
    for row in rows:
        listed.setdefault(row.file, []).append(row)
    found: list[Mention] = []
    for path in _files(paths):
        try:
            text = path.read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if not tokens.search(text):
            continue
        real = path.resolve()
        name = str(real.relative_to(root)) if real.is_relative_to(root) else str(real)
        found += _mentions(name, CText(text), tokens, listed.get(name, ()), survey.functions.get(name, ()))
    return tuple(sorted(found, key=lambda mention: (mention.file, mention.line, mention.column)))


def fates(mentions: Iterable[Mention]) -> dict[str, int]:
    """How many of the mentions there are of each fate, in the order of `FATES`."""
    found = Counter(mention.fate for mention in mentions)
    return {fate: found[fate] for fate in FATES}


def account_lines(mentions: Sequence[Mention], names: Sequence[str], style: Style, verbose: bool) -> Iterator[str]:
    """For people: the numbers, and those that nobody knows of; each of them if `verbose`."""
    yield style.heading(f"== {len(mentions)} mentions of {', '.join(names)} in these files")
    for fate, number in fates(mentions).items():
        if number:
            yield f"{number:7}  {fate}: {FATES[fate]}"
    for mention in mentions if verbose else [mention for mention in mentions if mention.fate == "passed on"]:
        where = f" in {mention.function}()" if mention.function else ""
        yield f"         {printable(mention.file)}:{mention.line}{where}: {mention.fate}"


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    seen = set()
    for path in paths:
        inside = (p for p in sorted(path.rglob("*")) if p.suffix in (".c", ".h")) if path.is_dir() else (path,)
        for each in inside:
            real = each.resolve()
            if real not in seen and each.is_file():
                seen.add(real)
                yield each


def _mentions(
    name: str, text: CText, tokens: re.Pattern[str], listed: Sequence[Listed], spans: Sequence[Span]
) -> Iterator[Mention]:
    calls = [(text.offset(each.line), text.call_end(each.line)) for each in listed]
    with_rows = {each.function for each in listed}
    for found in tokens.finditer(text.text):
        offset = found.start()
        line = text.line(offset)
        function = next((span.name for span in reversed(spans) if span.first <= line <= span.last), "")
        if text.code[offset] == " ":
            fate = "comment"
        elif any(offset in where for where in text.definitions):
            fate = "definition"
        elif any(first <= offset < end for first, end in calls):
            fate = "listed"
        elif not function:
            fate = "dead"
        else:
            before = text.code[max(0, offset - 120) : offset]
            if _CLEARED.search(before) or _TESTED.search(before):
                fate = "tested"
            else:
                fate = "handed on" if function in with_rows else "passed on"
        yield Mention(found[0], name, line, text.column(offset), fate, function)
