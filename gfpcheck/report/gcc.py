"""One line a finding as gcc prints it, for editors and scripts, with `note:` lines for the path."""

from __future__ import annotations

from gfpcheck.findings import Report
from gfpcheck.report.lines import Sink, one_line, place_prefix
from gfpcheck.report.steps import standing, telling


def write(report: Report, sink: Sink) -> None:
    """Writes `file:line:col: level: message [rule]` and the notes of each finding. Columns are bytes."""
    for finding in report.findings:
        message = one_line(finding.message + standing(finding))
        lines = [f"{place_prefix(finding.place)}: {finding.level}: {message} [{finding.rule}]"]
        lines += [
            f"{place_prefix(step.place)}: note: {one_line(step.text)}" for step in (*telling(finding), *finding.other)
        ]
        sink.write("".join(f"{line}\n" for line in lines))
