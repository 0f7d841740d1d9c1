"""What stays where it is while one types."""

from __future__ import annotations

import pytest

from gfpcheck.findings import Level
from gfpcheck.lsp.document import Document, moves
from gfpcheck.lsp.jobs import Hint, Related, Spot

TEXT = "a\nb\nc\nd"


def hint(fingerprint: str, line: int, related: int = 0) -> Hint:
    steps = [Related("/f.c", Spot(related, 0, 1), "taken here"), Related("/f.h", Spot(7, 0, 1), "called here")]
    return Hint("GFP101", Level.ERROR, "message", Spot(line, 2, 4), steps, fingerprint, "")


@pytest.mark.parametrize(
    ("new", "places"),
    [
        (TEXT, [0, 1, 2, 3]),
        ("x\n" + TEXT, [1, 2, 3, 4]),
        (TEXT + "\nx", [0, 1, 2, 3]),
        ("a\nB\nc\nd", [0, None, 2, 3]),
        ("a\nd", [0, None, None, 1]),
        ("a\nx\ny\nb\nc\nd", [0, 3, 4, 5]),
        ("", [None] * 4),
        ("a\na\nb\nc\nd", [0, 2, 3, 4]),
    ],
)
def test_lines_move(new: str, places: list[int | None]) -> None:
    assert list(map(moves(TEXT, new), range(4))) == places


def test_what_only_a_wide_look_sees_stays_where_nothing_was_edited() -> None:
    document = Document("/f.c")
    assert document.narrow(TEXT, [hint("n", 0)]) == [hint("n", 0)]
    both = [hint("n", 0), hint("w", 3, 1)]
    assert document.wide(TEXT, both) == both
    shown = document.narrow("a\nx\nb\nc\nd", [hint("n", 0)])
    assert shown == [hint("n", 0), hint("w", 4, 2)]
    # Step by step, nothing is lost on the way.
    assert document.narrow(TEXT, [hint("n", 0)]) == both
    assert document.narrow("a\nb\nc\nD", [hint("n", 0)]) == [hint("n", 0)]
    (kept,) = document.narrow("a\nB\nc\nd", [])
    assert (kept.spot.line, [each.file for each in kept.related]) == (3, ["/f.h"])


def test_what_is_no_longer_seen_from_wherever_one_looks_is_gone() -> None:
    document = Document("/f.c")
    document.narrow(TEXT, [hint("n", 0)])
    document.wide(TEXT, [hint("n", 0)])
    assert document.narrow("x\n" + TEXT, []) == []


def test_a_wide_look_at_another_text_than_the_narrow_one_keeps_nothing() -> None:
    document = Document("/f.c")
    document.narrow("x\n" + TEXT, [])
    assert document.wide(TEXT, [hint("w", 1)]) == [hint("w", 1)]
    assert document.narrow(TEXT, []) == []
