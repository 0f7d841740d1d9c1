"""From all that the rules yield to what a person is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from gfpcheck.findings.types import Confidence, Finding


def numbered(findings: Iterable[Finding]) -> list[Finding]:
    """`findings`, sorted, each of a rule and its subject once for each way between two places, and those that would
    have one fingerprint in one file told apart by a number. So what a fingerprint names does not depend on which files
    are looked at together.
    """
    best: dict[tuple[object, ...], Finding] = {}
    for finding in sorted(findings, key=_preference):
        best.setdefault((finding.rule, finding.subject, finding.place, finding.meeting), finding)
    seen: Counter[tuple[str, str]] = Counter()
    result = []
    for finding in sorted(best.values(), key=lambda finding: (finding.sort_key, finding.meeting)):
        same = (finding.fingerprint, finding.place.file)
        seen[same] += 1
        if seen[same] > 1:
            finding = msgspec.structs.replace(finding, subject=(*finding.subject, str(seen[same])))
        result.append(finding)
    return result


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each hazard, sorted: of those of one rule that meet at one allocation under locks of the
    same classes the one with the shortest flow, which names the other places. What is doubtful is said once for each
    call, however many allocations lie below it. What is suppressed, or is otherwise of another kind than the rest, is
    not put together with that."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    doubted: dict[tuple[object, ...], list[Finding]] = {}
    for finding in sorted(findings, key=_preference):
        locks = tuple(sorted({lock["class"] for lock in finding.properties.get("locks", ())}))
        kind = (finding.rule, locks, finding.level, finding.suppressions, finding.baseline)
        hazard = (kind, finding.meeting if locks else finding.place)
        if hazard not in groups and locks and finding.confidence is Confidence.LOW:
            groups[hazard] = doubted.setdefault((kind, finding.place), [])
        groups.setdefault(hazard, []).append(finding)
    once = {id(group): group for group in groups.values()}
    return [_with_others(nearest, others) for nearest, *others in sorted(once.values(), key=lambda g: g[0].sort_key)]


def _preference(finding: Finding) -> tuple[object, ...]:
    return (-finding.confidence.rank, len(finding.flow), finding.sort_key)


def _with_others(finding: Finding, others: Sequence[Finding]) -> Finding:
    """`finding`, naming the other places where the same hazard begins, and counting the other allocations below."""
    if not others:
        return finding
    places = sorted({other.place for other in others} - {finding.place})
    ends = {other.flow[-1].place for other in others if other.flow} - {step.place for step in finding.flow[-1:]}
    message = finding.message
    members = sorted({(other.place.file, other.place.function, other.fingerprint) for other in others})
    properties: dict[str, Any] = {**finding.properties}
    if ends:
        message += f"; {len(ends)} more {'allocation is' if len(ends) == 1 else 'allocations are'} reached there"
    if places:
        properties["also"] = [{"file": p.file, "line": p.line, "function": p.function} for p in places]
        message += f"; the same from {len(places)} other {'place' if len(places) == 1 else 'places'}"
    properties["members"] = [{"file": file, "function": name, "fingerprint": print_} for file, name, print_ in members]
    return msgspec.structs.replace(finding, message=message, properties=properties)
