"""`gfpcheck b4-check`, run by hand and by the real b4."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from repository import HAZARD

from .cli_run import Cli, Result

FILE = "fs/minifs/inode.c"
_REVIEW = """
import argparse, email, email.policy, json, sys
import b4
from b4.review.checks import load_check_cmds, run_perpatch_checks
b4.setup_config(argparse.Namespace(config={}))
commands, _ = load_check_cmds()
message = email.message_from_file(open(sys.argv[1]), policy=email.policy.default)
json.dump(run_perpatch_checks([("id", message)], commands, "."), sys.stdout)
"""


class Series:
    """The miniature kernel, with a branch that b4 has prepared: a commit that brings a finding, and a harmless one."""

    def __init__(self, root: Path, folder: Path, cli: Cli) -> None:
        self.root = root
        self.cli = cli
        program = folder / "bin/gfpcheck"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gfpcheck "$@"\n')
        program.chmod(0o755)
        home = folder / "home"
        home.mkdir()
        self.environment = {
            **cli.environment,
            "HOME": str(home),
            "PATH": f"{program.parent}:{Path(sys.executable).parent}:{cli.environment['PATH']}",
            "XDG_CACHE_HOME": str(home / "cache"),
        }
        for name, value in (("user.name", "A"), ("user.email", "a@example.org"), ("init.defaultBranch", "main")):
            self.run("git", "config", "--global", name, value)
        self.run("git", "init", "--quiet")
        self.commit("First")
        self.run("b4", "--offline-mode", "prep", "--new", "topic", "--fork-point", "main")
        self.append(HAZARD)
        self.commit("minifs: new things")
        self.append("/* No harm in this. */\n")
        self.commit("minifs: a comment")

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            words,
            cwd=self.root,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def append(self, text: str) -> None:
        with (self.root / FILE).open("a") as stream:
            stream.write(text)

    def commit(self, title: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", title, "--message", "What is done, and why.")

    def patch(self, revision: str) -> str:
        return self.run("git", "format-patch", "--stdout", "-1", revision)

    def check(self, patch: str, *words: str) -> Result:
        """`gfpcheck b4-check` with the patch on standard input."""
        file = self.cli.folder / "a.patch"
        file.write_text(patch)
        return self.cli("b4-check", *words, cwd=self.root, prepare=lambda: _read_from(file))


def _read_from(path: Path) -> None:
    os.dup2(os.open(path, os.O_RDONLY), 0)


@pytest.fixture
def series(tree: Path, tmp_path: Path, cli: Cli) -> Series:
    return Series(tree, tmp_path, cli)


def test_b4_prep_check(series: Series) -> None:
    series.run("git", "config", "b4.prep-perpatch-check-cmd", "gfpcheck b4-check")
    said = series.run("b4", "--offline-mode", "prep", "--check")
    assert f"gfpcheck: {FILE}:181: ERROR:GFP101: kmalloc() with GFP_KERNEL may sleep" in said
    assert "Success: 1, Warning: 0, Error: 1" in said
    assert series.run("git", "status", "--porcelain") == ""


def test_b4_review(series: Series, tmp_path: Path) -> None:
    series.run("git", "config", "b4.review-perpatch-check-cmd", "gfpcheck b4-check --json")
    found = {}
    for revision in ("HEAD~1", "HEAD"):
        file = tmp_path / "one.patch"
        file.write_text(series.patch(revision))
        (found[revision],) = json.loads(series.run(sys.executable, "-c", _REVIEW, str(file)))["id"]
    assert (found["HEAD"]["tool"], found["HEAD"]["status"]) == ("gfpcheck", "pass")
    bad = found["HEAD~1"]
    assert bad["status"] == "fail"
    assert bad["summary"].startswith(f"GFP101 {FILE}:181: kmalloc() with GFP_KERNEL may sleep")
    assert "--> 181" in bad["details"]


def test_a_patch_that_is_no_commit_yet_is_applied(series: Series) -> None:
    patch = series.patch("HEAD~1")
    series.run("git", "checkout", "--quiet", "main")
    done = series.check(patch)
    assert done.code == 1
    assert [line.split(": ")[1] for line in done.out.splitlines()] == ["ERROR:GFP101"]
    assert done.err == ""
    assert series.run("git", "status", "--porcelain") == ""


def test_a_commit_is_known_however_git_is_set_up(series: Series) -> None:
    patch = series.patch("HEAD~1")
    for name, value in (("format.pretty", "oneline"), ("diff.noprefix", "true"), ("color.ui", "always")):
        series.run("git", "config", name, value)
    assert series.check(patch).code == 1


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_what_is_wrong_is_one_line(series: Series, words: tuple[str, ...]) -> None:
    first, second = series.patch("HEAD~1"), series.patch("HEAD")
    for patch, reason in (
        ("nothing\n", "standard input: there is no patch in it"),
        (second + first, "one patch is expected, and there are 2"),
        (second.replace(" }\n", " ]\n"), "does not apply"),
    ):
        done = series.check(patch, *words)
        assert (done.code, done.out) == (2, "")
        assert reason in done.err
        assert len(done.err.splitlines()) == 1
