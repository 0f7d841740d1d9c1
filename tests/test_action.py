"""action.yml: its steps, run as shell on a repository that holds the miniature kernel."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from action import PROJECT, Done, definition, run_action
from bytecode import BYTECODE
from fixtures_harness import TREE
from repository import HAZARD, commit, git

FILE = "fs/minifs/inode.c"


class Runner:
    """A runner on which gfpcheck is installed, and a repository whose last commit has brought a finding."""

    def __init__(self, folder: Path, place: str) -> None:
        self.workspace = folder / "repository"
        self.temporary = folder / "temporary"
        program = self.temporary / "gfpcheck/bin/gfpcheck"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gfpcheck "$@"\n')
        program.chmod(0o755)
        shutil.copytree(TREE, self.workspace / place)
        commit(self.workspace, "First")
        with (self.workspace / place / FILE).open("a") as stream:
            stream.write(HAZARD)
        commit(self.workspace, "Second")

    def __call__(self, event: str = "pull_request", **inputs: str) -> Done:
        named = {name.replace("_", "-"): value for name, value in inputs.items()}
        python = {"PYTHONPATH": str(PROJECT), **BYTECODE}
        return run_action(
            self.workspace, self.temporary, named, event=event, skip=("Install gfpcheck",), environment=python
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path, ".")


def test_a_pull_request(runner: Runner) -> None:
    done = runner()
    assert done.code == 1
    (annotation,) = done.annotations
    assert annotation.startswith(f"::error file={FILE},line=181,col=6,title=GFP101 sleeping-alloc-in-atomic::")
    log = json.loads(Path(done.outputs["sarif-file"]).read_text())
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["GFP101"]
    assert (done.outputs["exit-code"], done.outputs["upload"]) == ("1", "true")
    assert f"{FILE}:181:6: error: kmalloc()" in done.summary
    kept = {step["with"]["path"] for step in definition()["runs"]["steps"] if "actions/cache/" in step.get("uses", "")}
    assert kept == {"${{ runner.temp }}/gfpcheck-cache"}
    assert list((runner.temporary / "gfpcheck-cache").iterdir())
    again = runner(fail_on="never", upload="false")
    assert (again.code, again.annotations) == (0, done.annotations)
    assert (again.outputs["exit-code"], again.outputs["upload"]) == ("0", "false")


def test_a_push_of_a_tree_below_the_root(tmp_path: Path) -> None:
    runner = Runner(tmp_path, "some folder/linux")
    done = runner(
        "push", directory="some folder/linux", paths="fs/minifs/inode.c\nfs/minifs", options="--select GFP101"
    )
    assert done.code == 1
    errors = [line for line in done.annotations if line.startswith("::error")]
    assert errors
    assert all(line.startswith("::error file=some folder/linux/fs/minifs/") for line in errors)
    assert done.outputs["upload"] == "false"
    assert "::notice title=gfpcheck::The results are not uploaded" in done.log


@pytest.mark.parametrize(
    ("event", "inputs", "reason"),
    [
        ("push", {}, "Without a base, paths must say what to analyse."),
        ("push", {"base": "nowhere"}, "gfpcheck: 'nowhere' is no revision of this repository"),
        ("push", {"paths": "fs/nowhere"}, "gfpcheck: fs/nowhere"),
        ("push", {"paths": "fs", "fail-on": "sometimes"}, "Invalid value for '--fail-on'"),
    ],
)
def test_what_is_wrong_is_an_annotation(runner: Runner, event: str, inputs: dict[str, str], reason: str) -> None:
    done = runner(event, **inputs)
    assert done.code == 2
    assert [line for line in done.annotations if reason in line]
    assert done.outputs["exit-code"] == ""


def test_a_pull_request_without_history(runner: Runner) -> None:
    clone = runner.workspace.parent / "clone"
    git(runner.workspace, "clone", "--quiet", "--depth=1", f"file://{runner.workspace}", str(clone))
    runner.workspace = clone
    done = runner()
    assert done.code == 2
    assert "check out with fetch-depth: 2" in done.log


def test_the_workflows_give_it_what_it_takes() -> None:
    """Ours, and the one that the README shows."""
    readme = (PROJECT / "README.md").read_text()
    (shown,) = (text.partition("```")[0] for text in readme.split("```yaml\n") if text.startswith("name:"))
    for text in (shown, (PROJECT / ".github/workflows/ci.yml").read_text()):
        steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
        own = [step for step in steps if step.get("uses", "").startswith(("./", "OWNER/gfpcheck@"))]
        assert own
        assert all(set(step.get("with", ())) <= set(definition()["inputs"]) for step in own)
