"""The surveys on real kernels: totals add up, and what `grep` finds is accounted for."""

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

SMALL = "fs/bfs"
SOME = "fs/ext4/acl.c"
"""It starts transactions."""
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


def test_restricted_flags_of_xfs(trees: Mapping[str, Path], xfs_of: XfsOf, gfpcheck: Gfpcheck) -> None:
    xfs_of("6.12")
    run = gfpcheck("nofs", "-q", "-j2", "--format", "json", "fs/xfs", cwd=trees["6.12"])
    assert (run.code, run.err) == (0, "")
    survey = json.loads(run.out)
    counted(survey)
    assert survey["totals"]["all"] > 15
    assert {mention["fate"] for mention in survey["mentions"]} <= {"listed", "handed on", "comment", "dead"}
    # Most hold the lock of an inode, of which reclaim takes those that nobody uses: lockdep sees one class.
    locks = [call for call in survey["calls"] if call["flag"] == "__GFP_NOLOCKDEP" and call["verdict"] == "lock"]
    assert any("struct xfs_inode.i_lock" in call["reasons"][0]["what"] for call in locks)
    assert all(call["advice"].startswith("a NOFS scope in ") for call in locks)


def added(survey: Any) -> None:
    totals, types = survey["totals"], survey["transactions"]
    allocations = [allocation for each in types for allocation in each["allocations"]]
    assert totals["allocations"] == len(allocations)
    assert totals["starts"] == sum(len(each["starts"]) for each in types)
    assert sum(totals["fates"].values()) == sum(totals["sizes"].values()) == len(allocations)
    for each in types:
        assert all(0 <= number < len(each["loops"]) for a in each["allocations"] for number in a["loops"])
        pages = {
            part: each[part]["pages"] * survey["page"] + each[part]["bytes"] for part in ("bounded", "kept", "once")
        }
        assert pages["kept"] <= pages["bounded"] <= pages["once"]
        assert each["least"]["pages"] * survey["page"] + each["least"]["bytes"] <= pages["bounded"]


def test_the_demand_of_transactions_of_xfs(
    version: str, trees: Mapping[str, Path], xfs_of: XfsOf, gfpcheck: Gfpcheck
) -> None:
    """Read by hand, from the smallest to the largest."""
    xfs_of(version)
    run = gfpcheck("demand", "-q", "-j2", "--format", "json", "fs/xfs", cwd=trees[version])
    assert (run.code, run.err) == (0, "")
    survey = json.loads(run.out)
    added(survey)
    types = {each["type"]: each for each in survey["transactions"]}
    assert {"tr_fsyncts", "tr_ichange", "tr_ifree", "tr_itruncate", "tr_remove", "tr_write"} <= types.keys()
    small = types["tr_fsyncts"]
    assert "xfs_setfilesize" in {start["function"] for start in small["starts"]}
    assert small["least"]["objects"] == 1
    made = {each["cache"]: each for each in small["allocations"]}
    assert {"xfs_trans", "xfs_log_ticket", "xfs_ili"} <= made.keys()
    assert (made["xfs_ili"]["fate"], made["xfs_ili"]["rounds"]) == ("kept", 1)
    vectors = [each for each in small["allocations"] if each["function"] == "xlog_cil_alloc_shadow_bufs"]
    loops = [small["loops"][number]["function"] for each in vectors for number in each["loops"]]
    assert "xlog_cil_alloc_shadow_bufs" in loops
    # A transaction and a ticket, both again if there was no space at first, and the inode's item; for each item a
    # vector, and for each inode the buffer that it is in. The reservation is not permanent: nothing is put off.
    assert (
        small["bounded"]["bytes"]
        == 2 * (made["xfs_trans"]["size"]["size"] + made["xfs_log_ticket"]["size"]["size"])
        + (made["xfs_ili"]["size"]["size"])
    )
    assert (made["xfs_trans"]["fate"], made["xfs_trans"]["outside"]) == ("freed", True)
    assert {"xfs_buf", "xfs_buf_item"} <= made.keys()
    functions = {each["function"] for each in small["allocations"]}
    assert functions.isdisjoint({"xfs_defer_add", "xfs_trans_alloc_dqinfo", "xfs_btree_alloc_cursor"})
    pages = {name: each["bounded"]["bytes"] // survey["page"] for name, each in types.items()}
    # An inode that is freed: its item and those of the list of unlinked ones, buffers, extents that are freed later.
    free = {each["object"] for each in types["tr_ifree"]["allocations"]}
    assert free >= {
        f"struct xfs_{name}" for name in ("inode_log_item", "iunlink_item", "buf_log_item", "defer_pending")
    }
    assert "xfs_btree_lookup" in {loop["function"] for loop in types["tr_ifree"]["loops"]}
    assert 4 <= pages["tr_ifree"] < 20
    # A dquot's block is mapped, which may take any number of levels, and read into a buffer.
    dquot = types["tr_qm_dqalloc"]
    assert "xfs_bmapi_write" in {loop["function"] for loop in dquot["loops"] if not loop["inside"]}
    assert 2 <= pages["tr_qm_dqalloc"] < 10
    # A name that is removed may free blocks at five places of a directory; each level of a tree is counted apart.
    assert pages["tr_ifree"] < pages["tr_remove"] < 200
    assert {"xfs_btree_lookup", "__xfs_bunmapi"} <= {loop["function"] for loop in types["tr_remove"]["loops"]}


def counted(survey: Any) -> None:
    totals = survey["totals"]
    for part in ("verdicts", "flags", "subsystems"):
        assert sum(totals[part].values()) == totals["all"] == len(survey["calls"])
    assert sum(survey["mentioned"].values()) == len(survey["mentions"])


def locks_add_up(survey: Any) -> None:
    totals, classes = survey["totals"], survey["classes"]
    assert totals["classes"] == len(classes) == len({each["cls"] for each in classes}) > 0
    assert sum(totals["kinds"].values()) == sum(totals["folders"].values()) == totals["classes"]
    allocations = [each for lock in classes for each in lock["allocations"]]
    assert sum(totals["hazards"].values()) == totals["allocations"] == len(allocations)
    assert totals["no_fail"] == sum(each["no_fail"] for each in allocations)
    assert sum(totals["confidences"].values()) == totals["findings"] == len(survey["findings"])
    names = {each["cls"] for each in classes}
    assert {name for order in survey["orders"] for name in (order["first"], order["second"])} <= names
    for finding in survey["findings"]:
        assert finding["locks"][0] in names
        assert all(half["steps"] for half in finding["halves"])
        assert (finding["confidence"] == "low") == bool(finding["doubts"])


def test_locks_of_xfs(version: str, trees: Mapping[str, Path], xfs_of: XfsOf, gfpcheck: Gfpcheck) -> None:
    xfs_of(version)
    run = gfpcheck("locks", "-q", "-j2", "--format", "json", "fs/xfs", cwd=trees[version])
    assert (run.code, run.err) == (0, "")
    survey = json.loads(run.out)
    locks_add_up(survey)
    classes = {each["cls"]: each for each in survey["classes"]}
    name = "struct xfs_inode.i_lock" if version == "6.12" else "mrlock_t.mr_lock"  # of its type
    ilock = classes[name]
    # Reclaim takes it of inodes that nobody uses; a system call waits for it whatever happens.
    assert any(way["root"] == "super_operations.free_cached_objects" for way in ilock["reclaim"])
    assert len(ilock["waiters"]) > 1
    orders = {(order["first"], order["second"]) for order in survey["orders"]}
    assert ("struct inode.i_rwsem", name) in orders
    assert (name, "struct xfs_buf.b_sema") in orders
    # The one under which a table grows: found whatever else is.
    found = {finding["key"]: finding for finding in survey["findings"]}
    holder, waiter = found["no-fail xfs_uuid_table_mutex"]["halves"][:2]
    assert [step["place"]["function"] for step in holder["steps"]][-1] == "xfs_uuid_mount"
    assert waiter["steps"][-1]["kind"] == "wait"


def test_a_folder_adds_up_and_is_the_same_for_any_number_of_jobs(
    version: str, trees: Mapping[str, Path], gfpcheck: Gfpcheck, tmp_path: Path
) -> None:
    """One process that starts from nothing, two that have what other tests have left, and what both have kept."""
    checks: dict[str, tuple[Callable[[Any], None], str]] = {
        "inventory": (add_up, SMALL),
        "nofs": (counted, SMALL),
        "locks": (locks_add_up, SMALL),
        "demand": (added, SOME),
    }
    for command, (check, path) in checks.items():
        args = (command, "-q", "--format", "json", path)
        one = gfpcheck(*args, "-j1", cwd=trees[version], cache=tmp_path)
        two = gfpcheck(*args, "-j2", cwd=trees[version])
        kept = gfpcheck(*args, cwd=trees[version], cache=tmp_path)
        assert one.code == two.code == kept.code == 0
        assert one.out == two.out == kept.out
        check(json.loads(one.out))
