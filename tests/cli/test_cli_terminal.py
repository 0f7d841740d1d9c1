"""What depends on a terminal: colour and progress."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest
from fixtures_harness import TREE

from .cli_run import ANNOUNCED, COMMAND, TIMEOUT, Cli

JOURNAL = TREE / "fs/minifs/journal.c"
COLOR = "\x1b["


def on_terminal(
    cli: Cli, stream: Literal["stdout", "stderr"], *args: str, env: Mapping[str, str] | None = None
) -> tuple[str, str]:
    """What the command writes to the stream that is a terminal, and to the other one."""
    ours, theirs = pty.openpty()
    environment = cli.environment | {"TERM": "xterm"} | dict(env or {})
    with subprocess.Popen(
        [*COMMAND, *args],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs if stream == "stdout" else subprocess.PIPE,
        stderr=theirs if stream == "stderr" else subprocess.PIPE,
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux says so at the end
                break
            if not part:
                break
            seen += part
        out, err = process.communicate(timeout=TIMEOUT)
    os.close(ours)
    # The terminal makes \r\n of \n.
    return seen.decode().replace("\r\n", "\n"), (out or err or b"").decode()


def test_colour_on_a_terminal(cli: Cli) -> None:
    seen, err = on_terminal(cli, "stdout", str(JOURNAL))
    assert COLOR in seen
    assert err == ANNOUNCED
    plain, _ = on_terminal(cli, "stdout", str(JOURNAL), env={"NO_COLOR": "1"})
    assert COLOR not in plain
    dumb, _ = on_terminal(cli, "stdout", str(JOURNAL), env={"TERM": "dumb"})
    assert dumb == plain == cli(JOURNAL).out


def test_colour_elsewhere(cli: Cli) -> None:
    assert COLOR not in cli(JOURNAL).out
    assert COLOR in cli(JOURNAL, env={"FORCE_COLOR": "1"}).out
    assert COLOR not in cli(JOURNAL, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).out
    assert COLOR not in cli(JOURNAL, "--format", "sarif", "-q", env={"FORCE_COLOR": "1"}).out


def test_progress_on_a_terminal_is_wiped_out(cli: Cli, tmp_path: Path) -> None:
    seen, out = on_terminal(cli, "stderr", str(JOURNAL), env={"GFPCHECK_CACHE": str(tmp_path / "empty")})
    assert seen.startswith(ANNOUNCED)
    progress = seen.removeprefix(ANNOUNCED)
    assert "\rreading 1/1" in progress
    assert "\ranalysing " in progress
    last, after = progress.split("\r")[-2:]
    assert (last.strip(), after) == ("", "")
    assert len(last) >= max(len(line) for line in progress.split("\r"))
    assert out == cli(JOURNAL).out


@pytest.mark.parametrize("path", [JOURNAL, "none.c"])
def test_no_progress_when_quiet(cli: Cli, path: str) -> None:
    seen, _ = on_terminal(cli, "stderr", str(path), "-q")
    assert "\r" not in seen
