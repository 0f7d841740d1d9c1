"""`gfpcheck inventory` on real kernels: its totals add up, and what `grep` finds is accounted for."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from .conftest import XfsOf
from .kernel_run import VERSIONS, Gfpcheck

pytestmark = pytest.mark.kernel

SMALL = "fs/ramfs"
Taken = Callable[[str], Path]


@pytest.fixture(scope="module")
def taken(
    trees: Mapping[str, Path], xfs_of: XfsOf, gfpcheck: Gfpcheck, tmp_path_factory: pytest.TempPathFactory
) -> Taken:
    """The inventory of fs/xfs of a version, in the cache that the shared run has filled."""
    folder = tmp_path_factory.mktemp("inventory")

    @functools.cache
    def take(version: str) -> Path:
        xfs_of(version)
        path = folder / f"{version}.json"
        run = gfpcheck("inventory", "-q", "-j2", "--format", "json", "-o", path, "fs/xfs", cwd=trees[version])
        assert (run.code, run.out, run.err) == (0, "", "")
        return path

    return take


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def add_up(inventory: Any) -> None:
    totals, found = inventory["totals"], inventory["requirements"]
    assert totals["all"] == len(found)
    for part in ("kinds", "subsystems", "sizes"):
        assert sum(totals[part].values()) == len(found)
    assert sum(totals["locks"].values()) == sum(max(1, len({held["cls"] for held in r["locks"]})) for r in found)
    assert sum(inventory["mentioned"].values()) == len(inventory["mentions"])
    assert len({each["key"] for each in found}) == len(found)


def test_totals_of_xfs_add_up(version: str, taken: Taken) -> None:
    inventory = json.loads(taken(version).read_text())
    add_up(inventory)
    assert inventory["losses"] == []
    assert inventory["totals"]["all"] > 100


def test_what_grep_finds_is_accounted_for(version: str, taken: Taken, trees: Mapping[str, Path]) -> None:
    inventory = json.loads(taken(version).read_text())
    files = [path for path in sorted((trees[version] / "fs/xfs").rglob("*")) if path.suffix in (".c", ".h")]
    written = sum(len(re.findall(r"\b__GFP_NOFAIL\b", path.read_text("utf-8", "replace"))) for path in files)
    assert len(inventory["mentions"]) == written
    assert {mention["fate"] for mention in inventory["mentions"]} <= {"listed", "handed on", "comment"}


def test_the_wrappers_of_6_1_have_become_explicit(taken: Taken) -> None:
    """kmem_alloc() tried until it had some: that was nowhere to be seen at its callers."""
    old, new = (json.loads(taken(version).read_text()) for version in ("6.1", "6.12"))
    wrapped = [each for each in old["requirements"] if each["call"] in ("kmem_alloc", "kmem_zalloc")]
    assert len(wrapped) > 40
    assert {each["kind"] for each in wrapped} == {"helper"}
    assert new["totals"]["kinds"]["explicit"] - old["totals"]["kinds"]["explicit"] > 40
    assert not [each for each in new["requirements"] if each["call"].startswith("kmem_alloc")]


def test_a_folder_adds_up_and_is_the_same_for_any_number_of_jobs(
    version: str, trees: Mapping[str, Path], gfpcheck: Gfpcheck, tmp_path: Path
) -> None:
    args = ("inventory", "-q", "--format", "json", SMALL)
    one, two = (gfpcheck(*args, f"-j{n}", cwd=trees[version], cache=tmp_path / str(n)) for n in (1, 2))
    again = gfpcheck(*args, cwd=trees[version], cache=tmp_path / "1")
    assert one.code == two.code == 0
    assert one.out == two.out == again.out
    add_up(json.loads(one.out))
