"""Findings as text to paste into a mail, in the layout in which kernel maintainers know reports of static checkers:
a `file:line function() level: message` line, the function's source with an arrow, the call tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gfpcheck.findings import Finding, Level, Report, Step
from gfpcheck.report.lines import Sink, one_line, printable
from gfpcheck.report.snippet import WIDTH, snippet
from gfpcheck.report.source import Sources
from gfpcheck.report.steps import standing

_LEVELS = {Level.ERROR: "error", Level.WARNING: "warn", Level.NOTE: "note"}
_AROUND = 3
"""Lines shown before and after one that matters."""
_QUOTED = 12
"""Lines of a hunk that are quoted before and after the one that matters."""
_LEFT_OUT = "> [ ... ]"
_ARROW = "--> "


def write(report: Report, sink: Sink) -> None:
    """Writes the findings, with an empty line and a rule between them, and what they were found in. Nothing if there
    are none."""
    names = {rule.id: rule.name for rule in report.rules}
    sources = Sources(report.root, report.replaced)
    for number, finding in enumerate(report.findings):
        if number:
            sink.write(f"\n{'-' * 72}\n\n")
        rule = f"{finding.rule} {names.get(finding.rule, '')}".rstrip()
        sink.write("".join(f"{line}\n" for line in _finding(finding, rule, sources)))
    if report.findings:
        kernel = f", Linux {report.kernel}" if report.kernel else ""
        sink.write(f"\nFound by gfpcheck {one_line(report.version + kernel)}\n")


def _finding(finding: Finding, rule: str, sources: Sources) -> Iterator[str]:
    place = finding.place
    function = f" {printable(place.function)}()" if place.function else ""
    message = one_line(finding.message + standing(finding))
    yield f"{printable(place.file)}:{place.line}{function} {_LEVELS[finding.level]}: {message} [{rule}]"
    yield from _hunk(finding, sources)
    yield from _source(finding, sources)
    yield from _tree("The call tree is:", finding.flow)
    yield from _tree("And on the other side:", finding.other)


def _hunk(finding: Finding, sources: Sources) -> Iterator[str]:
    """The hunk of the patch that brought the finding, as a reply quotes it: but for what is far from the finding."""
    hunk = finding.properties.get("hunk")
    if not isinstance(hunk, dict):
        return
    file, line = finding.place.file, finding.place.line
    start, stop = hunk["line"], hunk["line"] + hunk["count"]
    first, last = max(start, line - _QUOTED), min(stop, line + _QUOTED)
    yield ""
    yield f"> --- a/{printable(file)}"
    yield f"> +++ b/{printable(file)}"
    if first == start:
        yield from _quoted(" ", (sources.line(file, number) for number in range(max(1, start - _AROUND), start)))
        if len(hunk["removed"]) > _QUOTED:
            yield _LEFT_OUT
        yield from _quoted("-", (text.encode() for text in hunk["removed"][-_QUOTED:]))
    else:
        yield _LEFT_OUT
    yield from _quoted("+", (sources.line(file, number) for number in range(first, last)))
    if last == stop:
        yield from _quoted(" ", (sources.line(file, number) for number in range(stop, stop + _AROUND)))
    else:
        yield _LEFT_OUT


def _quoted(sign: str, lines: Iterable[bytes | None]) -> Iterator[str]:
    for line in lines:
        if line is not None:
            yield f"> {sign}{'	'.join(map(printable, line.decode('utf-8', 'replace').split('	')))}".rstrip()


def _source(finding: Finding, sources: Sources) -> Iterator[str]:
    """The lines of the function that matter, each with its neighbours: those of the steps in it, and the finding's
    own."""
    place = finding.place
    told = {
        step.place.line
        for step in finding.flow
        if (step.place.file, step.place.function) == (place.file, place.function) and step.depth == 0
    }
    shown = sorted(
        {
            near
            for line in {place.line, *told}
            for near in range(line - _AROUND, line + _AROUND + 1)
            if near > 0 and sources.line(place.file, near) is not None
        }
    )
    if place.line not in shown:
        return
    yield ""
    yield printable(place.file)
    width = len(str(shown[-1]))
    before = shown[0] - 1
    for number in shown:
        if number != before + 1:
            yield "..."
        before = number
        shot = snippet(sources.line(place.file, number) or b"", place.col if number == place.line else 0, WIDTH)
        arrow = _ARROW if number == place.line else " " * len(_ARROW)
        yield f"{arrow}{number:>{width}} {shot.text}".rstrip()
        if shot.length:
            yield f"{' ' * (len(_ARROW) + width + 1 + shot.indent)}{'^' * shot.length}"


def _tree(title: str, steps: Sequence[Step]) -> Iterator[str]:
    """The functions on the way, one below the other, with what each does."""
    rows = list(_rows(steps))
    if len(rows) < 2:
        return
    yield ""
    yield title
    yield ""
    yield from rows


def _rows(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        function = f"{printable(step.place.function)}()" if step.place.function else "-"
        lead = "   " * (step.depth - 1) + "-> " if step.depth > 0 else ""
        yield f"{lead}{function} <- {one_line(step.text)} ({printable(step.place.file)}:{step.place.line})"
