"""GitHub Actions workflow commands: each finding becomes an annotation of the workflow run."""

from __future__ import annotations

from collections.abc import Iterator

from gfpcheck.findings import Finding, Level, Report
from gfpcheck.report.lines import Sink, one_line, place_prefix, printable
from gfpcheck.report.source import Sources
from gfpcheck.report.steps import standing, telling

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def write(report: Report, sink: Sink) -> None:
    """Writes one `::error`, `::warning` or `::notice` command a finding, on one line."""
    names = {rule.id: rule.name for rule in report.rules}
    sources = Sources(report.root, report.replaced)
    for finding in report.findings:
        place = finding.place
        properties = {"file": printable(place.file), "line": str(place.line)}
        if place.col > 0:
            properties["col"] = str(sources.span(place).start)
        properties["title"] = f"{finding.rule} {names.get(finding.rule, '')}".rstrip()
        head = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        message = _data("\n".join(_message(finding)))
        level = finding.level if finding.counts else Level.NOTE
        sink.write(f"::{_COMMANDS[level]} {head}::{message}\n")


def _message(finding: Finding) -> Iterator[str]:
    # The place once more: the raw log of a job shows the message alone.
    yield f"{place_prefix(finding.place)}: {one_line(finding.message + standing(finding))}"
    for step in (*telling(finding), *finding.other):
        yield f"{place_prefix(step.place)}: note: {one_line(step.text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
