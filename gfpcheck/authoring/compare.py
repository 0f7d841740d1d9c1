"""What was expected against what came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from gfpcheck.authoring.marks import Mark, c_text
from gfpcheck.findings import Report


class Found(NamedTuple):
    """A finding as far as marks speak of it; `file` is relative to the root."""

    file: str
    line: int
    rule: str
    message: str = ""


Place = tuple[str, int, str]


def found_in(report: Report) -> list[Found]:
    """The findings of a report."""
    return [Found(f.place.file, f.place.line, f.rule, f.message) for f in report.findings]


def compare(marks: Iterable[Mark], found: Iterable[Found], root: Path) -> list[str]:
    """One complaint for each way in which the findings are not what the marks say; empty if all is well.

    A complaint is a sentence, the source line below `root`, and the messages of what came and should not have.
    """
    by_place: dict[Place, Mark] = {}
    wanted: Counter[Place] = Counter()
    for mark in marks:
        place = (mark.file, mark.line, mark.rule)
        by_place[place] = mark
        wanted[place] += mark.kind == "must"
    came: dict[Place, list[str]] = {}
    for each in found:
        came.setdefault((each.file, each.line, each.rule), []).append(each.message)
    complaints = []
    for place in sorted({*wanted, *came}):
        messages = came.get(place, [])
        complaint = _complaint(by_place.get(place), wanted[place], len(messages))
        if complaint:
            file, line, rule = place
            others = sorted(r for f, n, r in came if (f, n) == (file, line) and r != rule)
            also = f" (reported there: {', '.join(others)})" if others else ""
            lines = [f"{file}:{line}: {rule} {complaint}{also}", f"    {_source(root, file, line)}"]
            if len(messages) > wanted[place]:
                lines += [f"    it says: {message}" for message in messages if message]
            complaints.append("\n".join(lines))
    return complaints


def _complaint(mark: Mark | None, wanted: int, came: int) -> str:
    if mark is None:
        return "is reported where no mark expects it"
    if mark.kind == "not":
        return f"is reported, but must not be: {mark.why}" if came else ""
    if mark.kind == "missed":
        return f"was a known miss ({mark.why}) and is reported now: make it a mark that expects it" if came else ""
    if came < wanted:
        return "is expected and not reported" if not came else f"is expected {wanted} times, reported {came} times"
    return f"is expected once, reported {came} times" if came > wanted else ""


def _source(root: Path, file: str, line: int) -> str:
    try:
        return c_text(root / file).splitlines()[line - 1].strip()
    except (OSError, IndexError):
        return "(no such line)"
