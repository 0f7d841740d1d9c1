"""`gfpcheck scenario` and `--scenarios`: the deadlock drawn task by task, on the file system whose tasks wait."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fixtures_harness import TREE

from .cli_run import Cli, Result

GOLDEN = Path(__file__).parent / "golden"
FILE = "fs/waitfs/file.c"


def line_of(text: str, function: str) -> int:
    """The line of `FILE` with `text`, in `function`."""
    lines = (TREE / FILE).read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if re.match(rf"\w.*\b{function}\(", line))
    return next(number for number, line in enumerate(lines, 1) if number > start and text in line)


def drawn(cli: Cli, function: str, *args: str) -> Result:
    place = f"{FILE}:{line_of('kmalloc(', function)}"
    return cli("scenario", place, "--format", "text", *args, cwd=TREE)


def tasks(cli: Cli, function: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The scenario of the finding in `function`, as JSON tells it, with the finding."""
    found = cli("fs/waitfs", "--scenarios", "--format", "json", "--min-confidence", "low", cwd=TREE)
    findings = [each for each in json.loads(found.out)["findings"] if each["function"] == function]
    finding = next(each for each in findings if each["rule"] in ("GFP301", "GFP302"))
    return {task["name"]: task for task in finding["scenario"]["tasks"]}, finding


def test_the_three_tasks_are_drawn(cli: Cli) -> None:
    result = drawn(cli, "waitfs_grow_map")
    assert result.code == 0
    assert result.out == (GOLDEN / "scenario.txt").read_text(encoding="utf-8")


def test_mermaid(cli: Cli) -> None:
    place = f"{FILE}:{line_of('kmalloc(', 'waitfs_grow_map')}"
    result = cli("scenario", place, "--format", "mermaid", cwd=TREE)
    assert result.code == 0
    assert result.out == (GOLDEN / "scenario.md").read_text(encoding="utf-8")


def test_exiting_tasks_come_before_system_calls(cli: Cli) -> None:
    found, finding = tasks(cli, "waitfs_grow_map")
    assert found["taskB"]["role"] == "the victim: an exiting task"
    assert [other.partition("(")[0] for other in finding["scenario"]["others"]] == ["waitfs_fsync", "waitfs_grow_map"]


def test_killable_and_tried_acquisitions_are_no_victims(cli: Cli) -> None:
    found, finding = tasks(cli, "waitfs_grow_stat")
    assert "taskB" not in found
    assert finding["scenario"]["problem"].startswith("no task was found that waits for stat_lock")
    assert finding["scenario"]["no_victims"] == 2


def test_without_a_victim_the_finding_is_less_sure(cli: Cli) -> None:
    _, with_victim = tasks(cli, "waitfs_grow_map")
    _, without = tasks(cli, "waitfs_grow_stat")
    assert (with_victim["confidence"], without["confidence"]) == ("high", "medium")


def test_who_has_tried_another_lock_of_the_holder_before_does_not_wait(cli: Cli) -> None:
    found, _ = tasks(cli, "waitfs_grow_tail")
    assert "taskB" not in found


def test_nobody_waits_for_a_lock_that_has_just_been_made(cli: Cli) -> None:
    found, finding = tasks(cli, "waitfs_new_buffer")
    assert "taskB" not in found
    assert finding["scenario"]["problem"] == "no lock is known to be held that another task could wait for"


def test_readers_do_not_wait_for_a_reader(cli: Cli) -> None:
    found, _ = tasks(cli, "waitfs_walk")
    assert found["taskB"]["steps"][-1]["function"] == "waitfs_fsync"


def test_a_loop_is_drawn_with_the_lock_of_its_caller(cli: Cli) -> None:
    found, finding = tasks(cli, "waitfs_memory")
    assert finding["scenario"]["lock"] == "struct waitfs_file.log_lock"
    taken = [step for step in found["taskA"]["steps"] if step["kind"] == "acquire"]
    assert [step["function"] for step in taken] == ["waitfs_grow_log"]
    assert found["taskB"]["role"].startswith("a kernel thread: no victim itself")


def test_reclaim_leads_back_to_the_lock(cli: Cli) -> None:
    result = cli("fs/minifs", "--scenarios", "--select", "GFP201", "--format", "json", cwd=TREE)
    found = next(each for each in json.loads(result.out)["findings"] if each["function"] == "minifs_grow_imap")
    holder, victim, _ = found["scenario"]["tasks"]
    ways = [step["function"] for step in holder["steps"]]
    assert ways == ["minifs_grow_imap"] * 2 + ["minifs_evict_inode"] * 2 + ["minifs_grow_imap"]
    assert victim["role"] == "the victim: an exiting task"


def test_sarif_has_three_threads_in_one_flow(cli: Cli) -> None:
    place = f"{FILE}:{line_of('kmalloc(', 'waitfs_grow_map')}"
    found = json.loads(cli("scenario", place, "--format", "sarif", cwd=TREE).out)
    (result,) = found["runs"][0]["results"]
    flow = result["codeFlows"][-1]
    assert [thread["id"] for thread in flow["threadFlows"]] == ["taskA", "taskB", "taskC"]
    assert "struct waitfs_file.map_lock" in flow["message"]["text"]


def test_a_finding_is_named_by_its_fingerprint(cli: Cli) -> None:
    _, finding = tasks(cli, "waitfs_grow_map")
    result = cli("scenario", finding["fingerprint"][:12], "--within", "fs/waitfs", cwd=TREE)
    assert result.code == 0
    assert "taskB, the victim" in result.out


def test_a_line_on_the_way_means_the_finding_too(cli: Cli) -> None:
    result = cli("scenario", f"{FILE}:{line_of('mutex_lock(', 'waitfs_grow_map')}", cwd=TREE)
    assert result.out == (GOLDEN / "scenario.txt").read_text(encoding="utf-8")


def test_the_kept_report_draws_the_same(cli: Cli) -> None:
    assert drawn(cli, "waitfs_grow_map").out == drawn(cli, "waitfs_grow_map", "-j", "1").out


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("fs/waitfs/none.c:3", "no such file, and no fingerprint of a finding"),
        (f"{FILE}:1", "no finding there that may end in a deadlock"),
        ("0123456789abcdef", "no finding there that may end in a deadlock"),
        ("", "no such file"),
    ],
)
def test_nothing_to_draw(cli: Cli, what: str, said: str) -> None:
    result = cli("scenario", what, "--within", "fs/waitfs", cwd=TREE)
    assert result.code == 2
    assert said in result.err
    assert result.out == ""


def test_without_the_option_there_is_no_scenario(cli: Cli) -> None:
    found = json.loads(cli("fs/waitfs", "--format", "json", cwd=TREE).out)["findings"]
    assert found
    assert all(each["scenario"] is None for each in found)
