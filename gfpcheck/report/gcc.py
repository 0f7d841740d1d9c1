"""One line a finding as gcc prints it, for editors and scripts, with `note:` lines for the path."""

from __future__ import annotations

from gfpcheck.findings import Place, Report
from gfpcheck.report.lines import Sink, one_line, place_prefix, printable
from gfpcheck.report.steps import standing, telling


def write(report: Report, sink: Sink, tree: str = "") -> None:
    """Writes `file:line:col: level: message [rule]` and the notes of each finding. Columns are bytes. `tree` is what to
    put before files below the report's root."""

    def at(place: Place) -> str:
        return place_prefix(place) if place.file.startswith("/") else printable(tree) + place_prefix(place)

    for finding in report.findings:
        message = one_line(finding.message + standing(finding))
        lines = [f"{at(finding.place)}: {finding.level}: {message} [{finding.rule}]"]
        lines += [f"{at(step.place)}: note: {one_line(step.text)}" for step in (*telling(finding), *finding.other)]
        sink.write("".join(f"{line}\n" for line in lines))
