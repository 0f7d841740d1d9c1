"""Every place where a file says __GFP_NOFAIL, as `grep` finds it, and what became of it in the inventory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from gfpcheck.overview.ctext import CText
from gfpcheck.overview.inventory.types import Inventory, Requirement, Span

TOKEN = "__GFP_NOFAIL"
_TOKEN = re.compile(rf"\b{TOKEN}\b")
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


class Mention(msgspec.Struct, frozen=True):
    """One place where the flag is written, and what became of it, one of `FATES`."""

    file: str
    line: int
    column: int
    fate: str
    function: str = ""


def account(inventory: Inventory, paths: Iterable[Path]) -> tuple[Mention, ...]:
    """All mentions of the flag in C files and headers at `paths`, which the inventory was taken of; in order. Files
    that cannot be read have none."""
    root = Path(inventory.root)
    listed: dict[str, list[Requirement]] = {}
    for requirement in inventory.requirements:
        listed.setdefault(requirement.file, []).append(requirement)
    found: list[Mention] = []
    for path in _files(paths):
        try:
            text = path.read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if TOKEN not in text:
            continue
        real = path.resolve()
        name = str(real.relative_to(root)) if real.is_relative_to(root) else str(real)
        found += _mentions(name, CText(text), listed.get(name, ()), inventory.functions.get(name, ()))
    return tuple(sorted(found, key=lambda mention: (mention.file, mention.line, mention.column)))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    seen = set()
    for path in paths:
        inside = (p for p in sorted(path.rglob("*")) if p.suffix in (".c", ".h")) if path.is_dir() else (path,)
        for each in inside:
            real = each.resolve()
            if real not in seen and each.is_file():
                seen.add(real)
                yield each


def _mentions(name: str, text: CText, listed: Sequence[Requirement], spans: Sequence[Span]) -> Iterator[Mention]:
    calls = [(text.offset(each.line), text.call_end(each.line)) for each in listed]
    with_rows = {each.function for each in listed}
    for found in _TOKEN.finditer(text.text):
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
        yield Mention(name, line, text.column(offset), fate, function)
