"""SARIF 2.1.0, made for GitHub code scanning and valid for everybody else.

What GitHub requires, reads and limits decides what is in here: each result has its own `level`, one
location of one line, and the line hash by which GitHub recognises alerts; metadata of all rules is
always there; no more results than GitHub takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import sarif_om as om

from gfpcheck.findings import Entry, Finding, Loss, Report
from gfpcheck.report.jsonlines import write_list, write_members
from gfpcheck.report.lines import Sink
from gfpcheck.report.sarif_encode import Encoded, encode
from gfpcheck.report.sarif_places import BASE, Locations
from gfpcheck.report.sarif_result import Results
from gfpcheck.report.sarif_rules import descriptor

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

# GitHub rejects a run with more results.
MAX_RESULTS = 25_000
# Losses beyond these are only counted: nobody reads them one by one.
MAX_NOTIFICATIONS = 1_000

# As semver.org defines it.
_SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")


def write(report: Report, sink: Sink) -> None:
    """Writes `report` as a SARIF log with one run, a result a line."""
    locations = Locations(report.root, report.replaced)
    findings = _most_severe(report.findings)
    run = encode(_run(report, locations, left_out=len(report.findings) - len(findings)))
    results = Results(report.rules, locations)

    sink.write("{\n")
    write_members({"$schema": SCHEMA, "version": "2.1.0"}, sink)
    sink.write('"runs":[{\n')
    write_members(run, sink)
    absent = report.absent[: MAX_RESULTS - len(findings)] if report.show_known else ()
    write_list("results", _encoded(findings, absent, results), sink)
    sink.write("\n}]\n}\n")


def _encoded(findings: Sequence[Finding], absent: Sequence[Entry], results: Results) -> Iterator[Encoded]:
    for finding in findings:
        yield encode(results.result(finding))
    for entry in absent:
        yield encode(results.absent(entry))


def _most_severe(findings: tuple[Finding, ...]) -> Sequence[Finding]:
    """`findings`, or the `MAX_RESULTS` most severe of them, in the order they came in."""
    if len(findings) <= MAX_RESULTS:
        return findings
    ranked = sorted(range(len(findings)), key=lambda at: (-findings[at].level.rank, -findings[at].confidence.rank, at))
    return [findings[at] for at in sorted(ranked[:MAX_RESULTS])]


def _run(report: Report, locations: Locations, left_out: int) -> om.Run:
    """The run without its results."""
    driver = om.ToolComponent(
        name="gfpcheck",
        version=report.version,
        semantic_version=report.version if _SEMVER.fullmatch(report.version) else None,
        rules=[descriptor(rule) for rule in report.rules],
        contents=None,
    )
    return om.Run(
        tool=om.Tool(driver=driver),
        # Up to the last slash this is the category: a later run of the same category replaces this one.
        automation_details=om.RunAutomationDetails(id=f"gfpcheck/{report.arch}/" if report.arch else "gfpcheck/"),
        column_kind="unicodeCodePoints",
        newline_sequences=["\r\n", "\n", "\r"],
        original_uri_base_ids={BASE: locations.base()},
        invocations=[_invocation(report, left_out)],
        properties={
            "arch": report.arch,
            "kernel": report.kernel,
            "setup": report.setup,
            "counts": report.counts,
        },
    )


def _invocation(report: Report, left_out: int) -> om.Invocation:
    notifications = [_loss(loss) for loss in report.losses[:MAX_NOTIFICATIONS]]
    unnamed = len(report.losses) - len(notifications)
    if unnamed:
        notifications.append(_notification(f"{unnamed} more losses are not listed here ({len(report.losses)} in all)."))
    if left_out:
        notifications.append(
            _notification(
                f"{left_out} of {len(report.findings)} results are left out, the least severe ones: "
                f"no more than {MAX_RESULTS} are accepted in one run."
            )
        )
    return om.Invocation(
        # 1 says that there are findings, which is no failure.
        execution_successful=report.exit_code in (0, 1),
        exit_code=report.exit_code,
        command_line=report.command_line or None,
        tool_execution_notifications=notifications,
    )


def _loss(loss: Loss) -> om.Notification:
    notification = _notification(f"{loss.what}: {loss.why}")
    notification.properties = {"phase": loss.phase, "what": loss.what}
    return notification


def _notification(text: str) -> om.Notification:
    return om.Notification(message=om.Message(text=text), level="warning")
