"""`gfpcheck locks` on a folder in which each lock has another fate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, golden

FOLDER = "fs/minilocks"


def found(command: Run, *args: str | Path) -> Any:
    result = command("locks", "-q", "--format", "json", *args)
    assert (result.code, result.err) == (0, "")
    return json.loads(result.out)


def cycles(survey: Any) -> dict[str, str]:
    return {each["key"].replace("struct pool.", ""): each["confidence"] for each in survey["findings"]}


def places(half: Any) -> list[tuple[str, str]]:
    return [(step["place"]["function"], step["kind"]) for step in half["steps"]]


@pytest.mark.parametrize(("options", "name"), [(("-v",), "locks.txt"), (("--format", "csv"), "locks.csv")])
def test_the_output_is_as_written_down(command: Run, tree: Path, options: tuple[str, ...], name: str) -> None:
    result = command("locks", "-q", *options, tree / FOLDER)
    assert (result.code, result.err) == (0, "")
    assert result.out == golden(name)


def test_the_cycles_are_those_that_there_are(command: Run, tree: Path) -> None:
    survey = found(command, tree / FOLDER)
    assert cycles(survey) == {
        "no-fail sure_lock": "high",
        "reclaim tree_lock": "medium",
        "reclaim list_lock -> map_lock": "medium",
        "reclaim hook_lock": "low",
    }
    assert survey["left_out"]["cycles in which all only read"] == 1
    assert survey["left_out"]["no-fail allocations under locks that nobody was found to wait for"] == 1


def test_both_halves_are_shown(command: Run, tree: Path) -> None:
    (cycle,) = [each for each in found(command, tree / FOLDER)["findings"] if len(each["locks"]) == 2]
    holder, reclaim, other = cycle["halves"]
    assert places(holder) == [("pool_add", "acquire"), ("pool_add", "call"), ("pool_new", "allocation")]
    assert places(reclaim) == [("pool_evict_inode", "reclaim"), ("pool_evict_inode", "acquire")]
    assert places(other) == [("pool_map", "acquire"), ("pool_map", "call"), ("pool_count", "wait")]


def test_what_is_allocated_after_the_lock_is_given_back_is_not_under_it(command: Run, tree: Path) -> None:
    classes = {each["cls"]: each for each in found(command, tree / FOLDER)["classes"]}
    assert classes["struct pool.stat_lock"]["allocations"] == []
    (scoped,) = classes["struct pool.scope_lock"]["allocations"]
    assert (scoped["hazard"], scoped["no_fail"]) == ("io", False)


def test_what_a_constant_rules_out_is_not_under_it(command: Run, tree: Path) -> None:
    survey = found(command, tree / FOLDER)
    (lock,) = [each for each in survey["classes"] if each["cls"] == "struct pool.name_lock"]
    assert [(each["place"]["function"], each["hazard"]) for each in lock["allocations"]] == [
        ("pool_name", "fs"),
        ("pool_take", "none"),
    ]
    assert survey["left_out"]["allocations under a lock on ways that the functions never go"] == 1


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        ("count = pool_count(pool);", "count = 0;", "reclaim list_lock -> map_lock"),
        (".evict_inode = pool_evict_inode,", "", "reclaim tree_lock"),
        ("pool_new(GFP_KERNEL)", "pool_new(GFP_NOFS)", "reclaim list_lock -> map_lock"),
        (".release = pool_release,", "", ""),
    ],
)
def test_without_one_half_there_is_no_cycle(command: Run, tree: Path, old: str, new: str, gone: str) -> None:
    path = tree / FOLDER / "pool.c"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    survey = found(command, tree / FOLDER)
    assert gone not in cycles(survey)
    # Another system call waits for it: a task that may be killed.
    assert cycles(survey)["no-fail sure_lock"] == "high"


def test_totals_add_up(command: Run, tree: Path) -> None:
    survey = found(command, tree / "fs")
    totals, classes = survey["totals"], survey["classes"]
    assert totals["classes"] == len(classes) > 9
    for part in ("kinds", "folders"):
        assert sum(totals[part].values()) == totals["classes"], part
    assert sum(totals["hazards"].values()) == totals["allocations"] == sum(len(each["allocations"]) for each in classes)
    assert sum(totals["confidences"].values()) == totals["findings"] == len(survey["findings"])
    assert totals["orders"] == len(survey["orders"]) > 3
    assert len({each["key"] for each in survey["findings"]}) == totals["findings"]
    assert len({each["cls"] for each in classes}) == totals["classes"]


def test_the_number_of_jobs_and_the_store_change_nothing(command: Run, tree: Path) -> None:
    one, two = (command("locks", "--no-cache", f"-j{n}", "--format", "json", tree / "fs") for n in (1, 2))
    kept = [command("locks", "--format", "json", tree / "fs") for _ in range(2)]
    assert one.out == two.out == kept[0].out == kept[1].out


def test_no_such_path_is_said(command: Run, tree: Path) -> None:
    result = command("locks", "-q", tree / "fs/nothing")
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
