"""How many locks, allocations under them and cycles there are, and of which sort."""

from __future__ import annotations

from collections import Counter

import msgspec

from gfpcheck.overview.locks.types import CONFIDENCES, HAZARDS, Locks


class Totals(msgspec.Struct, frozen=True):
    """`folders` and `kinds` add up to `classes`. `hazards` add up to `allocations`, which counts an allocation once
    under each class that may be held there; `no_fail` are among them. `confidences` add up to `findings`."""

    classes: int
    kinds: dict[str, int]
    folders: dict[str, int]
    allocations: int
    hazards: dict[str, int]
    no_fail: int
    reclaim: int
    orders: int
    findings: int
    confidences: dict[str, int]


def count(found: Locks) -> Totals:
    """The totals of a survey. `reclaim` are the classes that reclaim waits for."""
    hazards: dict[str, int] = {hazard: sum(each.count(hazard) for each in found.classes) for hazard in HAZARDS}
    confidences = Counter(finding.confidence for finding in found.findings)
    return Totals(
        len(found.classes),
        dict(sorted(Counter(each.kind for each in found.classes).items())),
        dict(sorted(Counter(each.folder for each in found.classes).items())),
        sum(len(each.allocations) for each in found.classes),
        hazards,
        sum(each.no_fail for each in found.classes),
        sum(bool(each.reclaim) for each in found.classes),
        len(found.orders),
        len(found.findings),
        {confidence: confidences[confidence] for confidence in CONFIDENCES},
    )
