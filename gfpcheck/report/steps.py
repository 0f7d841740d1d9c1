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
    """What to add to the message of a finding: the patch of a series that brought it; why it counts for nothing, if it
    is shown because that was asked for."""
    patch = patch_of(finding)
    brought = f" (patch {patch})" if patch else ""
    if finding.suppressions:
        return f"{brought} (suppressed: {finding.suppressions[0].reason or 'no reason given'})"
    return f"{brought} (in the baseline)" if finding.baseline == "unchanged" else brought


def patch_of(finding: Finding) -> str:
    """The patch of a series that brought the finding: its number and its title. Empty if there is no series."""
    number, title = (finding.properties.get(key) for key in ("patch_number", "patch"))
    return f"{number}: {title}" if number and title else ""  # a rule's properties have any names
