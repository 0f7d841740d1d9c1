"""The result as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

from gfpcheck.findings import Confidence

from .measure import Verdict


def text(verdicts: Sequence[Verdict], unsure: Counter[str], title: str) -> str:
    """Shares by hazard and depth, by depth and by subsystem, then each miss with the evidence that it is one."""
    counted = [verdict for verdict in verdicts if not verdict.shows_nothing]
    lines = [title, ""]
    lines += _shares("hazard, depth", counted, lambda v: f"{v.claim.hazard}, {_depths(v)}")
    lines += _shares("depth", counted, lambda v: str(v.claim.depth))
    lines += _shares("subsystem", counted, lambda v: v.claim.subsystem)
    lines += _shares("all", counted, lambda v: "all")
    for why, number in sorted(Counter(verdict.shows_nothing for verdict in verdicts if verdict.shows_nothing).items()):
        lines.append(f"{number} not counted: {why}")
    lines.append(f"{sum(unsure.values())} sites left out because the oracle was unsure:")
    lines += [f"  {number:5}  {reason}" for reason, number in unsure.most_common()]
    for heading, misses in (
        ("Missed", [v for v in counted if v.confidence is None]),
        ("Reported with low confidence only", [v for v in counted if v.confidence is Confidence.LOW]),
    ):
        lines += ["", f"{heading}: {len(misses)}"]
        for verdict in misses:
            claim = verdict.claim
            lines.append(f"{claim.place}: {claim.function}(): {claim.hazard}, depth {claim.depth}")
            lines += [f"    {step}" for step in claim.why]
            lines += [f"    ({verdict.note})"] if verdict.note else []
    return "\n".join(lines) + "\n"


def as_json(verdicts: Sequence[Verdict], unsure: Counter[str], seed: str, tree: str) -> str:
    """Everything that the table is made of."""
    rows = [
        {
            "hazard": verdict.claim.hazard,
            "subsystem": verdict.claim.subsystem,
            "depth": verdict.claim.depth,
            "file": verdict.claim.file,
            "line": verdict.claim.lines[0],
            "function": verdict.claim.function,
            "evidence": [str(step) for step in verdict.claim.why],
            "shows_nothing": verdict.shows_nothing,
            "detected": verdict.detected,
            "rule": verdict.rule,
            "confidence": verdict.confidence.value if verdict.confidence else None,
            "note": verdict.note,
        }
        for verdict in verdicts
    ]
    return json.dumps({"tree": tree, "seed": seed, "unsure": dict(unsure), "mutants": rows}, indent=1) + "\n"


def _depths(verdict: Verdict) -> str:
    return "0" if verdict.claim.depth == 0 else "1 to 3"


def _shares(heading: str, verdicts: Sequence[Verdict], key: Callable[[Verdict], str]) -> list[str]:
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(key(verdict), []).append(verdict)
    lines = [f"{heading:28} mutants  detected    share  low only  missed"]
    for name, group in sorted(groups.items()):
        detected = sum(verdict.detected for verdict in group)
        low = sum(verdict.confidence is Confidence.LOW for verdict in group)
        missed = len(group) - detected - low
        lines.append(f"  {name:26} {len(group):7} {detected:9} {detected / len(group):8.0%} {low:9} {missed:7}")
    return [*lines, ""]
