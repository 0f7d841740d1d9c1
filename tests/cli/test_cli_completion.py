"""Completion in real shells, set up as the README says."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from fixtures_harness import TREE

from .cli_run import Cli

_PATIENCE = 60.0
"""Seconds until an answer that does not come is missed."""


@pytest.fixture
def environment(cli: Cli, tmp_path: Path) -> Mapping[str, str]:
    """One in which the command is called gfpcheck, and the user's home is empty."""
    command = tmp_path / "bin/gfpcheck"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gfpcheck "$@"\n')
    command.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    path = f"{command.parent}:{os.environ['PATH']}"
    return cli.environment | {"PATH": path, "HOME": str(home), "TERM": "dumb", "PS1": "> "}


def _needed(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")


def _run(environment: Mapping[str, str], *command: str) -> list[str]:
    done = subprocess.run(
        command, cwd=TREE, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_bash(environment: Mapping[str, str]) -> None:
    script = """
set -e
eval "$(_GFPCHECK_COMPLETE=bash_source gfpcheck)"
ask() {
    COMP_WORDS=(gfpcheck "$@") COMP_CWORD=$# COMPREPLY=()
    _gfpcheck_completion gfpcheck
    echo "${COMPREPLY[@]}"
}
ask su
ask check --write
ask check --format te
ask explain gfp30
ask fs --select GFP1,GFP20
"""
    assert _run(environment, "bash", "--norc", "-c", script) == [
        "suppress",
        "--write-baseline",
        "text terse",
        " ".join(f"GFP30{number}" for number in range(1, 10)),
        "GFP1,GFP201 GFP1,GFP202 GFP1,GFP203",
    ]


def test_fish(environment: Mapping[str, str]) -> None:
    _needed("fish")
    place = Path(environment["HOME"], ".config/fish/config.fish")
    place.parent.mkdir(parents=True)
    place.write_text("_GFPCHECK_COMPLETE=fish_source gfpcheck | source\n")
    for typed, completed in {
        "gfpcheck su": ["suppress\tAccept a finding, with a reason, outside of the source."],
        "gfpcheck --sel": ["--select\tOnly these: ids, prefixes, names, or all."],
        "gfpcheck fs/minifs --format te": ["terse", "text"],
        "gfpcheck fs/mini": ["fs/minifs/"],
        "gfpcheck explain GFP20": ["GFP201\tmissing-nofs", "GFP202\tmissing-noio", "GFP203\treclaim-lock-without-gate"],
        "gfpcheck -o Kb": ["Kbuild"],
    }.items():
        assert _run(environment, "fish", "-c", f"complete -C '{typed}'") == completed


def test_zsh(environment: Mapping[str, str]) -> None:
    _needed("zsh")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(TREE)
        os.execvpe("zsh", ["zsh", "-f", "-i"], environment)
    try:
        setup = (
            'autoload -Uz compinit; compinit -u -D; eval "$(_GFPCHECK_COMPLETE=zsh_source gfpcheck)"; print rea""dy\n'
        )
        os.write(terminal, setup.encode())
        _await(terminal, "ready")
        for typed, completed in {
            "gfpcheck supp": "gfpcheck suppress ",
            "gfpcheck check --write": "gfpcheck check --write-baseline ",
            "gfpcheck fs/minifs --format sar": "gfpcheck fs/minifs --format sarif ",
            "gfpcheck fs/mini": "gfpcheck fs/minifs/",
            "gfpcheck explain GFP50": "GFP506",  # one of several, as a list
        }.items():
            os.write(terminal, f"{typed}\t".encode())
            _await(terminal, completed)
            os.write(terminal, b'\x15print rea""dy\n')  # the line is given up
            _await(terminal, "ready")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


def _await(terminal: int, text: str) -> None:
    """Reads until the terminal shows `text`."""
    seen = ""
    deadline = time.monotonic() + _PATIENCE
    while text not in seen:
        assert select.select([terminal], [], [], max(deadline - time.monotonic(), 0))[0], seen
        seen += os.read(terminal, 65536).decode("utf-8", "replace")
