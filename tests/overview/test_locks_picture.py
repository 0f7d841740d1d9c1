"""The picture of `gfpcheck locks`: where things are, and what it is made of."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path

import msgspec
import pytest

from gfpcheck.findings import Place, Step
from gfpcheck.overview.locks.picture.graph import RECLAIM, graph_of
from gfpcheck.overview.locks.picture.layers import HEIGHT, Layout, lay_out
from gfpcheck.overview.locks.picture.page import html
from gfpcheck.overview.locks.types import Allocation, Finding, Half, LockClass, Locks, Order, Taken

from .conftest import Run

HOSTILE = "</script><script>alert(1)</script>\"'&\x1b[31m"


def lock(cls: str, hazards: str = "", reclaim: bool = False) -> LockClass:
    """A lock under which there is an allocation for each letter, f or i."""
    place = Place("fs/a.c", 3, 1, "a")
    allocations = tuple(
        Allocation(place, "kmalloc", "GFP_KERNEL", "fs" if each == "f" else "io", False, "a", place, 0)
        for each in hazards
    )
    steps = (Step(place, f"{cls} is waited for", "acquire"),)
    taken = (Taken("super_operations.evict_inode", "__GFP_FS", "exclusive", True, False, steps),) if reclaim else ()
    return LockClass(cls, "mutex", "fs", 1, 0, 0, allocations, taken, (), 0)


def survey(classes: list[LockClass], orders: list[tuple[str, str]], findings: tuple[Finding, ...] = ()) -> Locks:
    step = Step(Place("fs/a.c", 5, 1, "a"), "waits", "wait")
    made = tuple(Order(a, "exclusive", b, "exclusive", 1, True, (step,)) for a, b in orders)
    return Locks(
        version="1",
        root="/",
        setup="",
        kernel="6.12",
        arch="x86",
        functions={},
        losses=(),
        classes=tuple(classes),
        orders=made,
        findings=findings,
        left_out={},
    )


def finding(*locks: str, message: str = "kmalloc() under it") -> Finding:
    place = Place("fs/a.c", 3, 1, "a")
    half = Half("task 1 allocates", (Step(place, message, "allocation"),))
    return Finding(f"reclaim {locks}", "reclaim", "medium", locks, place, message, (half,), 1, ())


def test_low_arrows_that_close_a_circle_are_seen_on_demand() -> None:
    low = msgspec.structs.replace(finding("struct a.lock"), confidence="low")
    for found, faint in ((low, True), (finding("struct a.lock"), False)):
        locks = survey([lock("struct a.lock", "f", reclaim=True), lock("struct b.lock", "f")], [], (found,))
        up = [arrow for arrow in graph_of(locks).arrows if arrow.up]
        assert [arrow.faint for arrow in up] == [faint]
        page = "".join(html(locks))
        assert page.count("enters faint") == faint
        assert ("1 arrow of low confidence closes" in page) == faint


def apart(layout: Layout) -> bool:
    """No two boxes overlap."""
    return all(
        abs(a.y - b.y) >= HEIGHT or abs(a.x - b.x) >= (a.width + b.width) / 2
        for a, b in itertools.combinations(layout.boxes.values(), 2)
    )


@pytest.mark.parametrize("seed", range(8))
def test_boxes_do_not_overlap_and_arrows_lead_down(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"lock {n}" for n in range(chance.randrange(1, 40))]
    widths = {name: chance.uniform(60, 300) for name in names}
    arrows = [pair for pair in itertools.combinations(names, 2) if chance.random() < 0.12]
    layout = lay_out(widths, arrows)
    assert apart(layout)
    for (first, second), route in zip(arrows, layout.routes, strict=True):
        heights = [y for _, y in route]
        assert heights == sorted(heights)
        assert heights[0] == layout.boxes[first].y + HEIGHT
        assert heights[-1] == layout.boxes[second].y
    for box in layout.boxes.values():
        assert 0 <= box.x - box.width / 2 <= box.x + box.width / 2 <= layout.width
        assert 0 <= box.y <= box.y + HEIGHT <= layout.height


def test_reclaim_stands_between_those_who_enter_it_and_what_it_takes() -> None:
    found = survey([lock("a", "f"), lock("b", reclaim=True), lock("c")], [("a", "b"), ("c", "a")])
    graph = graph_of(found)
    assert {each.cls for each in graph.locks} == {"a", "b"}
    # a -> b follows from the other two.
    assert {arrow.ends for arrow in graph.arrows} == {("a", RECLAIM), (RECLAIM, "b")}
    assert (graph.more_locks, graph.implied) == (1, 1)


def test_one_arrow_of_a_circle_leads_up_and_all_of_it_is_drawn() -> None:
    found = survey([lock("a", "f"), lock("b", reclaim=True)], [("b", "a")], (finding("a", "b"),))
    graph = graph_of(found)
    assert {(arrow.first, arrow.second) for arrow in graph.arrows} == {("a", RECLAIM), (RECLAIM, "b"), ("b", "a")}
    assert [arrow.first for arrow in graph.arrows if arrow.up] == ["a"]
    assert {arrow.cycle for arrow in graph.arrows} == {"medium"}


def test_a_lock_that_reclaim_takes_from_its_own_holder_has_two_arrows() -> None:
    graph = graph_of(survey([lock("a", "f", reclaim=True)], [], (finding("a"),)))
    assert sorted((arrow.how, arrow.up) for arrow in graph.arrows) == [("enters", True), ("takes", False)]


def test_nothing_of_the_sources_is_markup_and_nothing_is_loaded() -> None:
    named = msgspec.structs.replace(lock(HOSTILE, "fi", reclaim=True), waiters=(HOSTILE,), folder=HOSTILE)
    found = survey([named], [], (finding(HOSTILE, message=HOSTILE),))
    page = "\n".join(html(msgspec.structs.replace(found, losses=(HOSTILE,), left_out={HOSTILE: 1})))
    assert page.isascii()
    assert page.count("<script") == page.count("</script>") == 1
    assert "\x1b" not in page
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"', page) == []
    assert set(re.findall(r"https?://[^\s\"<]+", page)) == {"http://www.w3.org/2000/svg"}


def test_there_may_be_nothing_to_draw() -> None:
    page = "\n".join(html(survey([lock("a")], [])))
    assert "<svg id=" not in page
    assert "nothing to draw" in page


def test_the_command_writes_the_page(command: Run, tree: Path, tmp_path: Path) -> None:
    output = tmp_path / "locks.html"
    result = command("locks", "-q", "--format", "html", "-o", output, tree / "fs/minilocks")
    assert (result.code, result.out, result.err) == (0, "", "")
    page = output.read_text("ascii")
    assert "pool.list_lock waits for" not in page
    assert "pool.map_lock is held while one waits for pool.list_lock" in page
    assert "memory reclaim waits for pool.map_lock" in page
    assert page.count('<details class="cycle"') == 4
