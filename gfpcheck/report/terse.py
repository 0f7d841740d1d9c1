"""One line a finding as the kernel's scripts/checkpatch.pl prints it with --terse --show-types."""

from __future__ import annotations

from gfpcheck.findings import Level, Report
from gfpcheck.report.lines import Sink, one_line, printable
from gfpcheck.report.steps import standing

_LEVELS = {Level.ERROR: "ERROR", Level.WARNING: "WARNING", Level.NOTE: "CHECK"}


def write(report: Report, sink: Sink) -> None:
    """Writes `file:line: LEVEL:RULE: message`."""
    for finding in report.findings:
        place = f"{printable(finding.place.file)}:{finding.place.line}"
        message = one_line(finding.message + standing(finding))
        sink.write(f"{place}: {_LEVELS[finding.level]}:{finding.rule}: {message}\n")
