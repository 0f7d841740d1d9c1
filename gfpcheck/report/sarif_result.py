"""Findings as SARIF results."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sarif_om as om

from gfpcheck.findings import Entry, Finding, Place, RuleInfo, Scenario, Step, Suppression
from gfpcheck.report.sarif_places import Locations
from gfpcheck.report.scenario_text import remarks

# GitHub shows no more of these for a result, and rejects a file with far more.
_MAX_RELATED = 100
_MAX_STEPS = 1000

# What SARIF calls each kind of step, and what a link to it says.
_KINDS = {
    "acquire": (["acquire", "lock"], "lock taken"),
    "enter": (["enter", "scope"], "context entered"),
    "call": (["call", "function"], "call"),
    "allocation": (["acquire", "memory"], "allocation"),
    "loop": (["branch", "danger"], "loop"),
    "reclaim": (["enter", "handler"], "reclaim"),
    "entry": (["enter", "function"], "entry"),
    "wait": (["acquire", "lock"], "wait"),
    "oom": (["call", "function"], "OOM killer"),
}

# Text that a reader of SARIF would take for a link of ours.
_LINK_LIKE = re.compile(r"\[(?=[^\]]*\]\()")


class Results:
    """Makes the results of one run."""

    def __init__(self, rules: Sequence[RuleInfo], locations: Locations) -> None:
        self._indices = {rule.id: index for index, rule in enumerate(rules)}
        self._locations = locations

    def result(self, finding: Finding) -> om.Result:
        """The result for one finding."""
        locations = self._locations
        related = list(_related(finding).values())
        line_hash = locations.sources.line_hash(finding.place.file, finding.place.line)
        return om.Result(
            rule_id=finding.rule,
            rule_index=self._indices.get(finding.rule, -1),
            level=finding.level.value,
            message=om.Message(text=_message(finding, [label for _, label in related])),
            locations=[locations.location(finding.place)],
            related_locations=[
                locations.location(step.place, step.text, number) for number, (step, _) in enumerate(related, 1)
            ]
            or None,
            code_flows=self._code_flows(finding),
            fingerprints={"gfpcheck/v1": finding.fingerprint},
            partial_fingerprints={"primaryLocationLineHash": line_hash} if line_hash else None,
            suppressions=[_suppression(each) for each in finding.suppressions] or None,
            baseline_state=finding.baseline or None,
            properties={**finding.properties, "confidence": finding.confidence.value},
        )

    def absent(self, entry: Entry) -> om.Result:
        """The result for what a baseline has and the run does not."""
        return om.Result(
            rule_id=entry.rule,
            rule_index=self._indices.get(entry.rule, -1),
            level="none",
            kind="pass",
            message=om.Message(text=f"Not found any more: {entry}"),
            locations=[self._locations.file(entry.file, entry.function)],
            fingerprints={"gfpcheck/v1": entry.fingerprint},
            baseline_state="absent",
        )

    def _code_flows(self, finding: Finding) -> list[om.CodeFlow] | None:
        sides = [side for side in (finding.flow, finding.other) if side]
        flows = [om.CodeFlow(thread_flows=[self._thread_flow(side) for side in sides])] if sides else []
        if finding.scenario is not None:
            flows.append(self._scenario(finding.scenario))
        return flows or None

    def _scenario(self, scenario: Scenario) -> om.CodeFlow:
        """The tasks of a scenario as threads; a step without a place is none that a viewer could go to."""
        threads = []
        for task in scenario.tasks:
            thread = self._thread_flow([step for step in task.steps if step.place.file])
            if thread.locations:
                thread.id = task.name
                thread.message = om.Message(text=f"{task.name}, {task.role}")
                threads.append(thread)
        over = f" over {scenario.lock}" if scenario.lock else ""
        text = "; ".join([f"Scenario{over}", *(remark.removeprefix("= ") for remark in remarks(scenario))])
        return om.CodeFlow(thread_flows=threads, message=om.Message(text=text))

    def _thread_flow(self, steps: Sequence[Step]) -> om.ThreadFlow:
        return om.ThreadFlow(locations=[self._thread_flow_location(step) for step in steps[:_MAX_STEPS]])

    def _thread_flow_location(self, step: Step) -> om.ThreadFlowLocation:
        kinds = _KINDS.get(step.kind)
        return om.ThreadFlowLocation(
            location=self._locations.location(step.place, step.text),
            importance="essential" if step.essential else "important",
            nesting_level=max(step.depth, 0),
            kinds=kinds[0] if kinds else None,
        )


def _suppression(suppression: Suppression) -> om.Suppression:
    return om.Suppression(
        kind=suppression.kind,
        state="accepted",
        justification=suppression.reason or None,
        properties={"where": suppression.where},
    )


def _related(finding: Finding) -> dict[Place, tuple[Step, str]]:
    """The steps to link to from the message, with the text of the link: the essential ones, each
    place once, not the finding's own."""
    related: dict[Place, tuple[Step, str]] = {}
    for steps, suffix in ((finding.flow, ""), (finding.other, " on the other side")):
        for step in steps:
            if step.essential and step.place != finding.place and len(related) < _MAX_RELATED:
                label = _KINDS[step.kind][1] if step.kind in _KINDS else "step"
                related.setdefault(step.place, (step, label + suffix))
    return related


def _message(finding: Finding, labels: Sequence[str]) -> str:
    """The message, followed by links to the related locations, whose ids count from 1."""
    text = _LINK_LIKE.sub(r"\\[", finding.message) or finding.rule
    if not labels:
        return text
    # A sentence of its own: GitHub shows the first alone where room is scarce.
    links = ", ".join(f"[{label}]({number})" for number, label in enumerate(labels, 1))
    return f"{text}{'' if text.endswith(('.', '!', '?')) else '.'} See {links}."
