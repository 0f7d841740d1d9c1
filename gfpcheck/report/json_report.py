"""The report as one JSON object, for scripts; `report.schema.json` beside this module describes it.

`schema_version` grows when a key changes its meaning or goes away, not when one is added. Keys and
findings come in a fixed order, every key is always there, and each finding is one line of the file.
Columns are bytes, as compilers count them; 0 stands for the whole line.
"""

from __future__ import annotations

from collections import Counter

from gfpcheck.findings import Finding, Level, Place, Report, Scenario, Step
from gfpcheck.report.jsonlines import write_list, write_members
from gfpcheck.report.lines import Sink

SCHEMA_VERSION = 1


def write(report: Report, sink: Sink) -> None:
    """Writes `report` as JSON."""
    names = {rule.id: rule.name for rule in report.rules}
    sink.write("{\n")
    write_members(_head(report), sink)
    write_list("findings", (_finding(finding, names) for finding in report.findings), sink)
    sink.write("\n}\n")


def _head(report: Report) -> dict[str, object]:
    by_level = Counter(finding.level for finding in report.findings)
    by_rule = Counter(finding.rule for finding in report.findings)
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": "gfpcheck",
        "version": report.version,
        "command_line": report.command_line,
        "exit_code": report.exit_code,
        "root": report.root,
        "setup": report.setup,
        "arch": report.arch,
        "kernel": report.kernel,
        "counts": report.counts,
        "summary": {
            "findings": len(report.findings),
            "by_level": {level.value: by_level[level] for level in (Level.ERROR, Level.WARNING, Level.NOTE)},
            "by_rule": dict(sorted(by_rule.items())),
            "losses": len(report.losses),
        },
        "rules": [
            {
                "id": rule.id,
                "name": rule.name,
                "family": rule.family,
                "level": rule.level,
                "default": rule.default,
                "summary": rule.summary,
            }
            for rule in report.rules
        ],
        "stale": [
            {"rule": each.rule, "file": each.file, "function": each.function, "fingerprint": each.fingerprint}
            for each in report.absent
        ],
        "losses": [{"phase": loss.phase, "what": loss.what, "why": loss.why} for loss in report.losses],
    }


def _finding(finding: Finding, names: dict[str, str]) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "name": names.get(finding.rule, ""),
        "level": finding.level,
        "confidence": finding.confidence,
        **_place(finding.place),
        "message": finding.message,
        "fingerprint": finding.fingerprint,
        "flow": [_step(step) for step in finding.flow],
        "other": [_step(step) for step in finding.other],
        "properties": finding.properties,
        "suppressions": [
            {"kind": each.kind, "reason": each.reason, "where": each.where} for each in finding.suppressions
        ],
        "baseline": finding.baseline,
        "scenario": None if finding.scenario is None else _scenario(finding.scenario),
    }


def _scenario(scenario: Scenario) -> dict[str, object]:
    return {
        "lock": scenario.lock,
        "tasks": [
            {"name": task.name, "role": task.role, "steps": [_step(step) for step in task.steps]}
            for task in scenario.tasks
        ],
        "others": list(scenario.others),
        "rest": scenario.rest,
        "no_victims": scenario.mortal,
        "problem": scenario.problem,
    }


def _step(step: Step) -> dict[str, object]:
    return {
        **_place(step.place),
        "kind": step.kind,
        "depth": step.depth,
        "essential": step.essential,
        "text": step.text,
    }


def _place(place: Place) -> dict[str, object]:
    return {"file": place.file, "line": place.line, "column": place.col, "function": place.function}
