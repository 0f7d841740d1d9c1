"""The tutorial of CONTRIBUTING.md, followed to the letter: commands are run, files made, outputs compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures_harness import TREE

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
TUTORIAL = TEXT.split("## A rule of your own, in ten minutes\n", 1)[1].split("\n### ", 1)[0]
BLOCK = re.compile(r"([^\n]*)\n\n(?P<fence>````?)(\w+)\n(.*?)(?P=fence)\n", re.DOTALL)
FILE = re.compile(r"`([\w./-]+)`:$")


def commands(block: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with what it says."""
    for text in re.split(r"(?m)^\$ ", block)[1:]:
        command, _, output = text.partition("\n")
        yield command, output


def without_lines(text: str) -> str:
    """Line numbers in gfpcheck's own sample are left out: it grows."""
    return re.sub(r"(?m)(?<=^fs/minifs/)([\w.]+):\d+:\d+:|(?<= since line )\d+(?= \[)", r"\1", text)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a checkout as the tutorial uses."""
    shutil.copytree(TREE, tmp_path / "fixtures/linux")
    (tmp_path / ".git").mkdir()  # from which paths are spelled
    return tmp_path


def run(command: str, folder: Path) -> str:
    """What a command says on a terminal, standard error and output together."""
    program, *words = command.split()
    assert program == "gfpcheck"
    env = os.environ | {"PYTHONPATH": str(ROOT), "GFPCHECK_CACHE": str(folder / "cache"), "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-m", "gfpcheck", *words],
        cwd=folder,
        env={name: value for name, value in env.items() if name not in ("FORCE_COLOR", "NO_COLOR")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def test_it_says_what_happens(checkout: Path) -> None:
    written, executed = [], []
    for before, _, language, block in BLOCK.findall(TUTORIAL):
        named = FILE.search(before)
        if named:
            target = checkout / named[1]
            assert target.exists(), "the tutorial changes files that are there"
            target.write_text(block, encoding="utf-8")
            written.append(language)
        elif language == "console":
            for command, output in commands(block):
                assert without_lines(run(command, checkout)) == without_lines(output), command
                executed.append(command)
    assert written == ["c", "python"]
    assert len(executed) == 6


def test_its_rule_is_good_python(tmp_path: Path) -> None:
    [module] = [block for _, _, language, block in BLOCK.findall(TUTORIAL) if language == "python"]
    path = tmp_path / "rule.py"
    path.write_text(module, encoding="utf-8")
    for tool in (["ruff", "check", "--no-cache"], ["ruff", "format", "--check", "--no-cache"], ["mypy", "--strict"]):
        done = subprocess.run([sys.executable, "-m", *tool, str(path)], capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_facts_in_the_readme(checkout: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.split("$ gfpcheck facts ", 1)[1].split("```", 1)[0]
    command, _, output = block.partition("\n")
    _, said = run(f"gfpcheck facts {command}", checkout).split("\n", 1)
    assert re.sub(r"\d+", "N", said) == re.sub(r"\d+", "N", output)
