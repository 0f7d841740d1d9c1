"""What the line-oriented formats show of the path that proves a finding."""

from __future__ import annotations

from gfpcheck.findings import Finding, Step

_INDENT = 2
_MAX_DEPTH = 8


def telling(finding: Finding) -> list[Step]:
    """The steps of the flow without those at the finding's own place, which its message covers."""
    return [step for step in finding.flow if step.place != finding.place]


def indent(step: Step) -> str:
    """Blanks that make a chain of calls look like one."""
    return " " * _INDENT * min(step.depth, _MAX_DEPTH)


def standing(finding: Finding) -> str:
    """What to add to the message of a finding that counts for nothing, and is shown because that was asked for."""
    if finding.suppressions:
        return f" (suppressed: {finding.suppressions[0].reason or 'no reason given'})"
    return " (in the baseline)" if finding.baseline == "unchanged" else ""
