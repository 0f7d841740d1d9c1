"""Rules as SARIF reporting descriptors."""

from __future__ import annotations

import sarif_om as om

from gfpcheck.findings import Level, RuleInfo

# GitHub's limits for a rule's name and its two descriptions.
_MAX_NAME = 255
_MAX_DESCRIPTION = 1024

_PROBLEM_SEVERITY = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "recommendation"}


def descriptor(rule: RuleInfo) -> om.ReportingDescriptor:
    """The metadata of `rule`. No text is empty: GitHub rejects an empty string."""
    name = rule.name or rule.id
    summary = rule.summary or name
    text = rule.help or summary
    return om.ReportingDescriptor(
        id=rule.id,
        name=name[:_MAX_NAME],
        short_description=om.MultiformatMessageString(text=summary[:_MAX_DESCRIPTION]),
        full_description=om.MultiformatMessageString(text=(_first_paragraph(rule.help) or summary)[:_MAX_DESCRIPTION]),
        help=om.MultiformatMessageString(text=text, markdown=text),
        help_uri=rule.help_uri or None,
        default_configuration=om.ReportingConfiguration(level=rule.level.value, enabled=rule.default),
        properties={
            "precision": _precision(rule),
            "problem.severity": _PROBLEM_SEVERITY[rule.level],
            "tags": [tag for tag in (rule.family, "linux-kernel") if tag],
        },
    )


def _precision(rule: RuleInfo) -> str:
    """What GitHub orders alerts by. Rules that must be asked for are those with false positives by design."""
    if not rule.default:
        return "low"
    return "high" if rule.level is Level.ERROR else "medium"


def _first_paragraph(markdown: str) -> str:
    """The first paragraph that is prose, on one line; empty if there is none."""
    for paragraph in markdown.split("\n\n"):
        lines = [line.strip() for line in paragraph.splitlines() if not line.lstrip().startswith("#")]
        text = " ".join(filter(None, lines))
        if text and not text.startswith(("```", "|", "-", "*")):
            return text
    return ""
