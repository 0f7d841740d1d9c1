"""Runs git, which neither writes into a repository nor runs anything that one configures."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from gfpcheck.changes.types import ChangeError

_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "diff.external=")


def git(
    folder: Path, words: Sequence[str], stdin: bytes = b"", *, alone: bool = False, accept: Sequence[int] = (0,)
) -> bytes:
    """What `git WORDS` prints, run in `folder`; `alone`: as outside any repository.

    Raises ChangeError with git's own words unless it exits with one of `accept`.
    """
    code, out, err = _run(folder, words, stdin, alone)
    if code not in accept:
        raise ChangeError(_reason(err) or f"git {words[0]} failed with exit code {code}")
    return out


def _run(folder: Path, words: Sequence[str], stdin: bytes, alone: bool) -> tuple[int, bytes, bytes]:
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *_SAFE, *words],
            cwd=folder,
            input=stdin,
            capture_output=True,
            env=_environment(folder if alone else None),
            check=False,
        )
    except FileNotFoundError:
        raise ChangeError("git is not installed, or not on the PATH") from None
    return done.returncode, done.stdout, done.stderr


def _environment(ceiling: Path | None) -> Mapping[str, str]:
    """The user's environment in git's own language; with `ceiling`, no repository at or above that folder is found."""
    found = {**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    if ceiling is not None:
        found = {name: value for name, value in found.items() if not name.startswith("GIT_")}
        found["GIT_CEILING_DIRECTORIES"] = str(ceiling.parent)
        found["GIT_CONFIG_NOSYSTEM"] = "1"
    return found


def _reason(err: bytes) -> str:
    """The first line of git's that says what is wrong, without "fatal: "."""
    lines = [line.strip() for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    return told[0].partition(": ")[2] if told and told[0].startswith(("fatal:", "error:")) else "".join(told[:1])
