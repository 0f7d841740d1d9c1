"""How sure it is that reclaim waits for the lock that is held."""

import dataclasses

import pytest

from gfpcheck.builtin_rules.gfp201_missing_nofs import MissingNofs
from gfpcheck.builtin_rules.gfp602_over_restrictive_flags import OverRestrictiveFlags
from gfpcheck.findings import Confidence, Place
from gfpcheck.models import GfpFlags
from gfpcheck.rule_api import Allocation, Allocator, Flags, Function, Lock, ReclaimPath, Situation, Way

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


@pytest.mark.parametrize(
    ("flags", "family", "expected"),
    [
        (0x40, "slab", Confidence.LOW),
        (0x40, "mempool", Confidence.LOW),
        (0x20, "slab", Confidence.MEDIUM),
        (0x20, "mempool", Confidence.LOW),
    ],
)
def test_what_is_careful_may_be_so_for_a_reason(flags: int, family: str, expected: Confidence) -> None:
    """Reclaim may wait for workers; a pool that may not wait fails instead, which is what some want."""
    gfp = GfpFlags(
        {"__GFP_FS": 0x80, "__GFP_DIRECT_RECLAIM": 0x40, "__GFP_KSWAPD_RECLAIM": 0x20, "__GFP_IO": 0x100}
        | {"__GFP_NOWARN": 1, "__GFP_NOMEMALLOC": 2}
    )
    asked = Flags(flags, ~flags, gfp)
    allocation = Allocation("kmalloc", PLACE, (Situation((), (), asked, asked),), (), "", 0)
    allocation = dataclasses.replace(allocation, allocator=Allocator(family))
    function = Function("f", "fs/a.c", PLACE, (allocation,), (), {}, (6, 12, 0), 0, False)
    way = Way("f", "work", (), (), ())
    function = dataclasses.replace(function, find_ways=lambda: (way,))
    (finding,) = OverRestrictiveFlags().check(function)
    assert finding.confidence is expected
