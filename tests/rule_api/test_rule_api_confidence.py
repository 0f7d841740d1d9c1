"""How sure a finding says it is."""

import pytest

from gfpcheck.findings import Confidence, Level, Place
from gfpcheck.models import GfpFlags
from gfpcheck.rule_api import Allocation, Flags, Function, Lock, Situation

FLAGS = Flags(0xC0, 0, GfpFlags({"GFP_KERNEL": 0xC0}))
PLACE = Place("fs/a.c", 10, 3, "f")


def lock(via: int = 0, may: bool = False) -> Lock:
    places = tuple(Place("fs/a.c", 100 + n, 1, f"helper{n}") for n in range(via))
    return Lock("struct a.lock", "spin", "exclusive", "a->lock", PLACE, places, may)


def confidence(held: Lock, depth: int = 0, targets: int = 0, uncertain: bool = False) -> Confidence:
    via = tuple(Place("fs/b.c", 200 + n, 1, f"callee{n}") for n in range(depth))
    situation = Situation((held,), (), FLAGS, FLAGS)
    allocation = Allocation("kmalloc", PLACE, (situation,), via, "helper", targets)
    function = Function("f", "fs/a.c", PLACE, (allocation,), (), {}, (6, 12, 0), 0, uncertain)
    finding = function.finding(
        rule="X1", level=Level.ERROR, allocation=allocation, situation=situation, locks=[held], message="m"
    )
    return finding.confidence


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (Confidence.HIGH, confidence(lock())),
        (Confidence.HIGH, confidence(lock(via=2))),
        (Confidence.LOW, confidence(lock(via=4))),
        (Confidence.LOW, confidence(lock(may=True))),
        (Confidence.MEDIUM, confidence(lock(), depth=1)),
        (Confidence.LOW, confidence(lock(), depth=4)),
        (Confidence.MEDIUM, confidence(lock(), targets=1)),
        (Confidence.MEDIUM, confidence(lock(), targets=8)),
        (Confidence.LOW, confidence(lock(), targets=9)),
        (Confidence.LOW, confidence(lock(), uncertain=True)),
    ],
)
def test_confidence_falls_with_depth_and_doubt(expected: Confidence, found: Confidence) -> None:
    assert found == expected
