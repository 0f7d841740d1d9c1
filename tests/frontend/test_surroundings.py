"""Which files that are not read would be, if they were there."""

from __future__ import annotations

import pytest
from frontend_source import Source

from gfpcheck.frontend import Surroundings
from gfpcheck.store import Spelling

ARGS = ("-Ifirst", "-Isecond", "-isystem", "third")
READ = ("a/x.c", "second/linux/x.h", "third/y.h", "a/own.h")


@pytest.mark.parametrize(
    ("name", "matters"),
    [
        ("first/linux/x.h", True),
        ("first/y.h", True),
        ("second/y.h", True),
        ("third/linux/x.h", False),  # comes later
        ("first/linux/z.h", False),
        ("a/y.h", True),  # an #include "y.h" in a/x.c
        ("second/linux/own.h", True),
        ("b/y.h", False),
        ("y.h", False),
    ],
)
def test_files_that_appear(source: Source, name: str, matters: bool) -> None:
    paths = []
    for read in READ:
        source.unit(read, "")
        paths.append(str(source.root / read))

    def look() -> str:
        return Surroundings(Spelling(str(source.root))).digest(ARGS, str(source.root), paths)

    before = look()
    assert look() == before
    source.unit(name, "")
    assert (look() != before) == matters
    (source.root / name).unlink()
    assert look() == before
