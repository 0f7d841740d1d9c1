"""What b4 understands of a checker: lines as checkpatch's for its plain checks, or JSON for `b4 review`."""

from __future__ import annotations

import io

import msgspec

from gfpcheck.findings import Finding, Level, Report
from gfpcheck.report import mail, terse
from gfpcheck.report.jsonlines import dumps
from gfpcheck.report.lines import Sink, one_line, printable
from gfpcheck.report.steps import standing

_TOOL = "gfpcheck"


def write_lines(report: Report, sink: Sink) -> None:
    """Writes a line a finding, and one if something was not looked at. b4 takes a line with `ERROR:` for a failure, any
    other for a warning, and none at all for a success."""
    terse.write(report, sink)
    if report.losses:
        sink.write(f"WARNING: {_not_seen(report)}\n")


def write_json(report: Report, sink: Sink) -> None:
    """Writes a JSON list of results, each with the keys `tool`, `status` ("pass", "warn", "fail"), `summary`, `url` and
    `details`: one a finding, and one if something was not looked at; a "pass" if there is neither."""
    pages = {rule.id: rule.help_uri for rule in report.rules}
    results = [_result(finding, report, pages.get(finding.rule, "")) for finding in report.findings]
    if report.losses:
        details = "\n".join(one_line(f"{loss.what}: {loss.why}") for loss in report.losses)
        results.append(_entry("warn", _not_seen(report), details=details))
    if not results:
        results.append(_entry("pass", "the patch introduces no findings"))
    sink.write(f"{dumps(results)}\n")


def _result(finding: Finding, report: Report, url: str) -> dict[str, str]:
    status = "fail" if finding.level is Level.ERROR else "warn"
    place = f"{printable(finding.place.file)}:{finding.place.line}"
    details = io.StringIO()
    mail.write(msgspec.structs.replace(report, findings=(finding,)), details)
    return _entry(status, f"{finding.rule} {place}: {one_line(finding.message + standing(finding))}", url, details)


def _entry(status: str, summary: str, url: str = "", details: io.StringIO | str = "") -> dict[str, str]:
    text = details if isinstance(details, str) else details.getvalue()
    return {"tool": _TOOL, "status": status, "summary": summary, "url": url, "details": text}


def _not_seen(report: Report) -> str:
    first, number = report.losses[0], len(report.losses)
    more = f", and {number - 1} more losses" if number > 1 else ""
    return f"not everything was looked at: {one_line(f'{first.what}: {first.why}')}{more}"
