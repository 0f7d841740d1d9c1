"""A scenario on a real kernel: each step is the line that it says it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from .kernel_run import VERSIONS, Gfpcheck

pytestmark = pytest.mark.kernel

FILES = ("fs/xfs/xfs_mount.c", "fs/xfs/xfs_super.c")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_mount_holds_what_an_unmount_waits_for(trees: Mapping[str, Path], gfpcheck: Gfpcheck, version: str) -> None:
    root = trees[version]
    options = ("--scenarios", "--select", "GFP301", "--follow", "0", "--format", "json", "-j1")
    findings = json.loads(gfpcheck(*FILES, *options, cwd=root).out)["findings"]
    (found,) = [each for each in findings if each["function"] == "xfs_uuid_mount"]
    tasks = {task["name"]: task["steps"] for task in found["scenario"]["tasks"]}
    lines = {
        name: [(step["kind"], (root / step["file"]).read_text().splitlines()[step["line"] - 1]) for step in steps]
        for name, steps in tasks.items()
    }
    held = [line.strip() for kind, line in lines["taskA"] if kind == "acquire"]
    waits = [line.strip() for kind, line in lines["taskB"] if kind == "wait"]
    assert held == waits == ["mutex_lock(&xfs_uuid_table_mutex);"]
    assert tasks["taskB"][0]["function"] == "xfs_fs_put_super"
    for steps, shown in ((tasks[name], lines[name]) for name in tasks):
        for step, (kind, line) in zip(steps, shown, strict=True):
            assert kind != "call" or step["text"].partition("() ")[2].split("(")[0].split()[-1] in line


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_for_any_number_of_jobs(trees: Mapping[str, Path], gfpcheck: Gfpcheck, version: str) -> None:
    options = ("--scenarios", "--follow", "0", "--min-confidence", "low", "--no-cache", "-q")
    one, two = (gfpcheck(*FILES, *options, jobs, cwd=trees[version]).out for jobs in ("-j1", "-j2"))
    assert one == two
    assert "taskB" in one
