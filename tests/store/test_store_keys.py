"""How paths are spelled in keys."""

from __future__ import annotations

import pytest

from gfpcheck.store import Spelling


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("/src/linux/fs/a.c", "<root>/fs/a.c"),
        ("-I/src/linux/include", "-I<root>/include"),
        ("/src/linux", "<root>"),
        ("/src/linux-headers/a.h", "/src/linux-headers/a.h"),
        ("/other/src/linux/a.h", "/other/src/linux/a.h"),
        ("include/linux/fs.h", "include/linux/fs.h"),
        ("-D__KERNEL__", "-D__KERNEL__"),
    ],
)
def test_paths_below_the_root_are_spelled_without_it(word: str, name: str) -> None:
    assert Spelling("/src/linux/").of(word) == name


@pytest.mark.parametrize("path", ["/src/linux/fs/a.c", "/usr/include/a.h", "fs/a.c"])
def test_a_spelling_leads_back(path: str) -> None:
    spelling = Spelling("/src/linux")
    assert spelling.path(spelling.of(path)) == path
    assert Spelling("/copy").path(spelling.of(path)) == path.replace("/src/linux", "/copy")
