"""`gfpcheck diff` and `gfpcheck patch`, as a user runs them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from repository import HAZARD, commit, git

from .cli_run import Cli

FILE = "fs/minifs/inode.c"


@pytest.fixture
def tree(tree: Path) -> Path:
    """The miniature kernel as a git repository."""
    commit(tree, "First")
    return tree


def add(root: Path, text: str = HAZARD) -> None:
    with (root / FILE).open("a") as stream:
        stream.write(text)


def _read_from(path: Path) -> None:
    os.dup2(os.open(path, os.O_RDONLY), 0)


def test_a_clean_tree_introduces_nothing(cli: Cli, tree: Path) -> None:
    done = cli("diff", cwd=tree)
    assert (done.code, done.out) == (0, "No findings in the change: no C code has changed.\n")


def test_the_working_tree_and_what_is_staged(cli: Cli, tree: Path) -> None:
    add(tree)
    for words in ([], ["HEAD"]):
        done = cli("diff", *words, "--format", "gcc", cwd=tree)
        assert done.code == 1
        assert [line.split(": ")[1] for line in done.out.splitlines() if "[GFP" in line] == ["error"]
    assert cli("diff", "--staged", "-q", cwd=tree).code == 0
    git(tree, "add", "--all")
    before = git(tree, "status", "--porcelain")
    assert cli("diff", "--staged", "-q", cwd=tree).code == 1
    assert git(tree, "status", "--porcelain") == before


def test_settings_by_path_are_for_the_tree_wherever_a_side_of_it_is_analysed(cli: Cli, tree: Path) -> None:
    (tree / "gfpcheck.toml").write_text('[[per-path]]\npaths = ["fs"]\nignore = ["GFP101"]\n')
    add(tree)
    git(tree, "add", "--all")
    assert cli("diff", "-q", cwd=tree).code == 0
    assert cli("diff", "--staged", "-q", cwd=tree).code == 0


def test_a_range(cli: Cli, tree: Path) -> None:
    add(tree)
    commit(tree, "Second")
    assert cli("diff", "HEAD~1..HEAD", "-q", cwd=tree).code == 1
    assert cli("diff", "HEAD..HEAD~1", "-q", cwd=tree).code == 0
    assert cli("diff", "nowhere", cwd=tree).code == 2


def test_a_series_on_standard_input(cli: Cli, tree: Path) -> None:
    add(tree)
    commit(tree, "minifs: new things")
    add(tree, HAZARD.replace("minifs_new", "minifs_newer"))
    commit(tree, "minifs: newer things")
    series = git(tree, "format-patch", "--stdout", "HEAD~2")
    git(tree, "checkout", "--quiet", "HEAD~2")
    mbox = tree.parent / "series.mbox"
    mbox.write_text(series)
    done = cli("patch", "-", "--format", "json", cwd=tree, prepare=lambda: _read_from(mbox))
    report = json.loads(done.out)
    assert done.code == 1
    assert [(f["function"], f["properties"]["patch"]) for f in report["findings"]] == [
        ("minifs_new", "minifs: new things"),
        ("minifs_newer", "minifs: newer things"),
    ]
    assert git(tree, "status", "--porcelain") == ""


def test_a_series_as_files_with_a_cover_letter(cli: Cli, tree: Path, tmp_path: Path) -> None:
    add(tree)
    commit(tree, "minifs: new things")
    add(tree, HAZARD.replace("minifs_new", "minifs_newer"))
    commit(tree, "minifs: newer things")
    files = git(tree, "format-patch", "--cover-letter", "-o", str(tmp_path), "HEAD~2").splitlines()
    git(tree, "checkout", "--quiet", "HEAD~2")
    assert len(files) == 3
    done = cli("patch", *files, "--select", "GFP101", cwd=tree)
    assert [line.strip() for line in done.out.splitlines() if "= patch:" in line] == [
        "= patch: 1: minifs: new things",
        "= patch: 2: minifs: newer things",
    ]
    lines = cli("patch", *files, "--select", "GFP101", "--format", "terse", cwd=tree).out.splitlines()
    assert [line.rpartition(" (patch ")[2] for line in lines] == ["1: minifs: new things)", "2: minifs: newer things)"]
    done = cli("patch", files[0], cwd=tree)
    assert (done.code, done.err) == (2, f"gfpcheck: {files[0]}: there is no patch in it\n")


def test_what_is_wrong_is_one_line(cli: Cli, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "x.patch").write_text(f"--- a/{FILE}\n+++ b/{FILE}\n@@ -1 +1 @@\n-nothing like this\n+x\n")
    for words, reason in (
        (["patch", str(tmp_path / "x.patch")], "does not apply: patch failed"),
        (["patch", str(tmp_path / "none.patch")], "No such file or directory"),
        (["patch", str(tree / FILE)], "there is no patch in it"),
        (["diff", "--within", "/"], "--within /: not below"),
        (["diff", "--compile-commands", "x"], "--compile-commands names files of one tree"),
    ):
        done = cli(*words, cwd=tree)
        assert done.code == 2, words
        assert reason in done.err
        assert "Traceback" not in done.err
