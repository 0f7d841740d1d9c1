"""Findings: what rules yield and reporters print. Plain data."""

from gfpcheck.findings.types import (
    Confidence,
    Finding,
    Level,
    Loss,
    Place,
    Report,
    RuleInfo,
    Step,
    fingerprint,
)

__all__ = [
    "Confidence",
    "Finding",
    "Level",
    "Loss",
    "Place",
    "Report",
    "RuleInfo",
    "Step",
    "fingerprint",
]
