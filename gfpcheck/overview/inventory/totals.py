"""How many requirements there are, and of which sort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from gfpcheck.overview.inventory.types import KINDS, SIZE_CLASSES, Requirement

NO_LOCK = "(none)"


class Totals(msgspec.Struct, frozen=True):
    """Numbers of requirements. `kinds`, `subsystems` and `sizes` add up to `all`. `locks` counts one under each lock
    class that may be held there, and under `NO_LOCK` if there is none: so it adds up to no less than that."""

    all: int
    kinds: dict[str, int]
    subsystems: dict[str, int]
    sizes: dict[str, int]
    locks: dict[str, int]
    handled: int


def count(requirements: Sequence[Requirement]) -> Totals:
    """The totals of `requirements`."""
    kinds = Counter(each.kind for each in requirements)
    sizes = Counter(each.size_class for each in requirements)
    locks: Counter[str] = Counter()
    for each in requirements:
        locks.update({held.cls for held in each.locks} or {NO_LOCK})
    return Totals(
        len(requirements),
        {kind: kinds[kind] for kind in KINDS},
        dict(sorted(Counter(each.subsystem for each in requirements).items())),
        {name: sizes[name] for name in SIZE_CLASSES},
        dict(sorted(locks.items(), key=lambda item: (-item[1], item[0]))),
        sum(each.handled for each in requirements),
    )
