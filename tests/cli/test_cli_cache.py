"""`gfpcheck cache info` and `gfpcheck cache clear`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .cli_run import PLAIN
from .conftest import Here


def _rows(out: str) -> dict[str, str]:
    return dict(re.split(r"  +", line, maxsplit=1) for line in out.splitlines())


@pytest.fixture
def place(tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory of its own, which does not exist yet."""
    monkeypatch.setenv("GFPCHECK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_an_empty_cache(here: Here, place: Path) -> None:
    result = here("cache", "info")
    assert (result.code, result.err) == (0, "")
    assert _rows(result.out)["folder"] == str(place)
    assert _rows(result.out)["all together"] == "0.0 MiB"
    assert here("cache", "clear") == (0, "", "")
    assert not place.exists()


def test_clear_removes_what_gfpcheck_keeps_and_nothing_else(here: Here, tree: Path, place: Path) -> None:
    place.mkdir()
    (place / "mine").write_text("text")
    assert here("-q", tree / "fs/minifs").code == 1
    before = _rows(here("cache", "info").out)
    assert int(before["generated headers"].split()[0]) > 0
    assert here("cache", "clear") == (0, "", "")
    after = _rows(here("cache", "info").out)
    assert after["generated headers"] == "0 files, 0.0 MiB"
    assert [path.name for path in place.iterdir()] == ["mine"]
    assert here("-q", tree / "fs/minifs").code == 1


def test_a_cache_that_cannot_be_removed(here: Here, place: Path) -> None:
    (place / "pch").mkdir(parents=True)
    (place / "overlay").write_text("no folder")
    result = here("cache", "clear")
    assert result.code == 2
    assert re.fullmatch(r"gfpcheck: cannot clear the cache: Not a directory: \S+\n", result.err)


def test_a_folder_called_cache_is_a_path_with_a_slash(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/a.c").write_bytes((PLAIN / "queue.c").read_bytes())
    (tmp_path / "cache/memory.h").write_bytes((PLAIN / "memory.h").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert here("cache/", "--model", PLAIN / "model.toml").code == 1
