"""`gfpcheck nofs` on a folder in which each flag has another reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, golden


def found(command: Run, *args: str | Path) -> Any:
    result = command("nofs", "-q", "--format", "json", *args)
    assert (result.code, result.err) == (0, "")
    return json.loads(result.out)


@pytest.mark.parametrize(("options", "name"), [(("-v",), "nofs.txt"), (("--format", "csv"), "nofs.csv")])
def test_the_output_is_as_written_down(command: Run, tree: Path, options: tuple[str, ...], name: str) -> None:
    result = command("nofs", "-q", *options, tree / "fs/mininofs")
    assert (result.code, result.err) == (0, "")
    assert result.out == golden(name)


def test_each_flag_has_its_reason(command: Run, tree: Path) -> None:
    calls = found(command, tree / "fs/mininofs")["calls"]
    assert {(call["function"], call["flag"]): call["verdict"] for call in calls} == {
        ("node_insert", "GFP_NOFS"): "lock",
        ("node_write", "GFP_NOFS"): "transaction",
        ("node_scope", "GFP_NOFS"): "scope",
        ("node_list", "GFP_NOFS"): "held",
        ("node_nothing", "GFP_NOFS"): "none",
        ("node_commented", "__GFP_NOLOCKDEP"): "comment",
        ("node_giving", "GFP_NOIO"): "none",
    }


def test_a_scope_stands_where_the_callers_lock_is_taken(command: Run, tree: Path) -> None:
    source = (tree / "fs/mininofs/node.c").read_text().splitlines()
    line = source.index("int node_add(struct node_mount *mp)") + 5
    assert "mutex_lock(&mp->tree_lock)" in source[line - 1]
    (call,) = [call for call in found(command, tree / "fs/mininofs")["calls"] if call["function"] == "node_insert"]
    assert call["advice"] == f"a NOFS scope in node_add(), after fs/mininofs/node.c:{line}, where the lock is taken"
    assert call["reasons"][0]["proof"].startswith("super_operations.evict_inode: node_evict_inode()")


def test_a_lock_that_reclaim_no_longer_takes_asks_for_nothing(command: Run, tree: Path) -> None:
    path = tree / "fs/mininofs/node.c"
    path.write_text(path.read_text().replace(".evict_inode = node_evict_inode,", ""))
    (call,) = [call for call in found(command, tree / "fs/mininofs")["calls"] if call["function"] == "node_insert"]
    assert (call["verdict"], call["advice"]) == ("held", "")


def test_totals_and_mentions_add_up(command: Run, tree: Path) -> None:
    survey = found(command, tree / "fs")
    totals = survey["totals"]
    assert totals["all"] == len(survey["calls"]) > 10
    for part in ("verdicts", "flags", "subsystems"):
        assert sum(totals[part].values()) == totals["all"], part
    assert sum(survey["mentioned"].values()) == len(survey["mentions"])
    assert survey["mentioned"]["passed on"] == 0
    assert len({call["key"] for call in survey["calls"]}) == totals["all"]


def test_the_number_of_jobs_and_the_store_change_nothing(command: Run, tree: Path) -> None:
    one, two = (command("nofs", "--no-cache", f"-j{n}", "--format", "json", tree / "fs") for n in (1, 2))
    kept = [command("nofs", "--format", "json", tree / "fs") for _ in range(2)]
    assert one.out == two.out == kept[0].out == kept[1].out


def test_no_such_path_is_said(command: Run, tree: Path) -> None:
    result = command("nofs", "-q", tree / "fs/nothing")
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
