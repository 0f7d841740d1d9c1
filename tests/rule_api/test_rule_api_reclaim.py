"""How sure it is that reclaim waits for the lock that is held."""

import pytest

from gfpcheck.builtin_rules.gfp201_missing_nofs import MissingNofs
from gfpcheck.findings import Confidence, Place
from gfpcheck.models import GfpFlags
from gfpcheck.rule_api import Allocation, Flags, Function, Lock, ReclaimPath, Situation

GFP = GfpFlags({"GFP_KERNEL": 0xC0, "__GFP_FS": 0x80, "__GFP_DIRECT_RECLAIM": 0x40})
PLACE = Place("fs/a.c", 10, 3, "f")


@pytest.mark.parametrize(
    ("kind", "origin", "way", "expected"),
    [
        ("mutex", "taken", True, Confidence.MEDIUM),
        ("mutex", "taken", False, Confidence.LOW),
        ("mutex", "asserted", True, Confidence.LOW),
        ("bit_sleep", "taken", True, Confidence.LOW),
    ],
)
def test_a_claim_on_reclaim_is_as_sure_as_its_lock_and_its_way(
    kind: str, origin: str, way: bool, expected: Confidence
) -> None:
    held = Lock("struct a.lock", kind, "exclusive", "a->lock", PLACE, (), False, origin)
    flags = Flags(0xC0, ~0xC0, GFP)
    allocation = Allocation("kmalloc", PLACE, (Situation((held,), (), flags, flags),), (), "", 0)
    reclaim = {held.cls: (ReclaimPath("shrinker.scan_objects", "", (), way),)}
    (finding,) = MissingNofs().check(Function("f", "fs/a.c", PLACE, (allocation,), (), reclaim, (6, 12, 0), 0, False))
    assert finding.confidence is expected
