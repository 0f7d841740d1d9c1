"""action.yml on a repository that holds a part of Linux: all of its steps that are shell, the installation as well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from action import run_action
from repository import git

from .test_kernel_scopes import copy_of

pytestmark = pytest.mark.kernel

FOLDER = "fs/minix"
FILE = f"{FOLDER}/bitmap.c"
LOCK = "\tspin_lock(&bitmap_lock);\n"
HAZARD = f"{LOCK}\tkfree(kmalloc(8, GFP_KERNEL));\n"


def test_a_pull_request(trees: Mapping[str, Path], tmp_path: Path) -> None:
    tree, temporary = tmp_path / "linux", tmp_path / "temporary"
    temporary.mkdir()
    copy_of(trees["6.12"], tree, FOLDER)
    git(tree, "init", "--quiet")
    git(tree, "add", FOLDER)
    git(tree, "commit", "--quiet", "--message", "First")
    text = (tree / FILE).read_text()
    assert LOCK in text
    (tree / FILE).write_text(text.replace(LOCK, HAZARD, 1))
    line = text[: text.index(LOCK)].count("\n") + 2
    git(tree, "commit", "--quiet", "--all", "--message", "minix: hazard")

    done = run_action(tree, temporary, {})
    assert done.code == 1, done.log
    (annotation,) = done.annotations
    assert annotation.startswith(f"::error file={FILE},line={line},col=8,title=GFP101 sleeping-alloc-in-atomic::")
    log = json.loads(Path(done.outputs["sarif-file"]).read_text())
    (run,) = log["runs"]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("GFP101", "error")
    assert result["partialFingerprints"]["primaryLocationLineHash"]
    assert run["automationDetails"]["id"] == "gfpcheck/x86/"
    assert (done.outputs["exit-code"], done.outputs["upload"]) == ("1", "true")

    again = run_action(tree, temporary, {"fail-on": "never"}, skip=("Install gfpcheck",))
    assert (again.code, again.annotations) == (0, [annotation])
