"""Findings: what rules yield and reporters print. Plain data."""

from gfpcheck.findings.distinct import distinct, numbered
from gfpcheck.findings.matching import Known, match
from gfpcheck.findings.types import (
    Confidence,
    Entry,
    Finding,
    Level,
    Loss,
    Place,
    Report,
    RuleInfo,
    Scenario,
    Step,
    Suppression,
    Task,
    fingerprint,
    names_rule,
)

__all__ = [
    "Confidence",
    "Entry",
    "Finding",
    "Known",
    "Level",
    "Loss",
    "Place",
    "Report",
    "RuleInfo",
    "Scenario",
    "Step",
    "Suppression",
    "Task",
    "distinct",
    "fingerprint",
    "match",
    "names_rule",
    "numbered",
]
