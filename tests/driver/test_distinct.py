"""Which findings are one: what meets at one allocation, and what is doubtful of one call."""

from gfpcheck.findings import Confidence, Finding, Level, Place, Step, distinct


def found(line: int, allocation: int, confidence: Confidence, lock: str = "struct s.lock") -> Finding:
    place = Place("a.c", line, 1, "f")
    flow = (
        Step(place, "called", "call", 0, True),
        Step(Place("a.c", allocation, 1, "g"), "here", "allocation", 1, True),
    )
    subject = ("f", f"g{allocation}", lock)
    locks = [{"class": lock}]
    return Finding("GFP101", Level.ERROR, confidence, place, "It may sleep", flow, subject, (), {"locks": locks})


def told(*findings: Finding) -> list[tuple[int, str]]:
    return [(finding.place.line, finding.message) for finding in distinct(findings)]


def test_what_meets_at_one_allocation_is_one() -> None:
    one, other = found(10, 90, Confidence.MEDIUM), found(20, 90, Confidence.MEDIUM)
    assert told(one, other) == [(10, "It may sleep; the same from 1 other place")]


def test_allocations_below_one_call_are_several() -> None:
    assert len(told(found(10, 90, Confidence.MEDIUM), found(10, 91, Confidence.MEDIUM))) == 2


def test_what_is_doubtful_of_one_call_is_one() -> None:
    three = [found(10, allocation, Confidence.LOW) for allocation in (90, 91, 92)]
    assert told(*three) == [(10, "It may sleep; 2 more allocations are reached there")]


def test_what_is_doubtful_of_one_call_names_the_other_places() -> None:
    low = [found(10, 90, Confidence.LOW), found(10, 91, Confidence.LOW), found(20, 91, Confidence.LOW)]
    assert told(*low) == [(10, "It may sleep; 1 more allocation is reached there; the same from 1 other place")]


def test_what_is_doubtful_stays_apart_from_what_is_not() -> None:
    assert len(told(found(10, 90, Confidence.MEDIUM), found(10, 91, Confidence.LOW))) == 2
    assert len(told(found(10, 90, Confidence.LOW), found(10, 91, Confidence.LOW, "struct s.other"))) == 2
    assert len(told(found(10, 90, Confidence.LOW), found(20, 91, Confidence.LOW))) == 2
