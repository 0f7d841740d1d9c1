"""Findings of one run found again in another, and numbers for equal ones."""

from __future__ import annotations

import msgspec

from gfpcheck.findings import Confidence, Finding, Known, Level, Place, Step, distinct, match, numbered


def finding(file: str, line: int, subject: str = "f", *, rule: str = "GFP301") -> Finding:
    place = Place(file, line, 1, "f")
    return Finding(rule, Level.WARNING, Confidence.HIGH, place, "m", (), (subject,))


def known(one: Finding, file: str | None = None) -> Known:
    return Known(one.fingerprint, one.place.file if file is None else file)


def never(file: str) -> bool:
    return False


def always(file: str) -> bool:
    return True


def test_equal_ones_of_a_file_are_numbered_in_order() -> None:
    first, second, third = numbered([finding("a.c", 9), finding("a.c", 3), finding("a.c", 3, "g")])
    assert [each.place.line for each in (first, second, third)] == [3, 3, 9]
    assert len({each.fingerprint for each in (first, second, third)}) == 3
    assert third.subject == ("f", "2")


def test_a_number_does_not_depend_on_other_files() -> None:
    alone = numbered([finding("b.c", 1)])
    together = numbered([finding("a.c", 1), finding("b.c", 1)])
    assert together[1] == alone[0]


def test_one_place_is_one_finding() -> None:
    steps = tuple(Step(Place("h.c", line, 1), "t", "call") for line in (1, 2, 5))
    short, long, elsewhere = (
        msgspec.structs.replace(finding("a.c", 1), flow=flow) for flow in (steps[1:], steps, steps[:1])
    )
    assert numbered([long, short]) == [short]
    assert [each.flow for each in numbered([long, elsewhere])] == [steps[:1], steps]


def test_the_file_decides_first() -> None:
    here, there = finding("a.c", 1), finding("b.c", 1)
    assert match([known(here)], [there, here], never) == {1: known(here)}
    assert match([known(here)], [there, here], always) == {1: known(here)}


def test_what_has_moved_is_known_once() -> None:
    old = finding("a.c", 1)
    moved = [finding("b.c", 1), finding("c.c", 1)]
    assert match([known(old)], moved, always) == {0: known(old)}
    assert match([known(old)], moved, never) == {}
    assert match([known(old, "")], moved, never) == {0: known(old, "")}


def test_places_where_a_hazard_begins_have_fingerprints() -> None:
    meeting = Step(Place("h.c", 5, 1, "h"), "allocates", "allocation", 1)
    lock = {"locks": [{"class": "struct s.lock"}]}
    two = [msgspec.structs.replace(finding(file, 1, file), flow=(meeting,), properties=lock) for file in ("a.c", "b.c")]
    [shown] = distinct(two)
    assert shown.message == "m; the same from 1 other place"
    assert [entry.fingerprint for entry in shown.entries()] == [each.fingerprint for each in two]
    assert [entry.file for entry in shown.entries()] == ["a.c", "b.c"]
