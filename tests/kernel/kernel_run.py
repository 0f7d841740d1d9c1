"""Runs the real command on real kernels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bytecode import BYTECODE

VERSIONS = ("6.12", "6.1")
_PROJECT = Path(__file__).resolve().parents[2]
_LARGEST = Path(__file__).with_name("largest.py")
_TIMEOUT = 900.0
"""Seconds; against a hang, not a measure."""


class Run(NamedTuple):
    """What a run left behind. `peak` is the memory of its largest process, in bytes."""

    code: int
    out: str
    err: str
    peak: int


class Gfpcheck:
    """The command, with a cache that all runs share unless they are given another."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache

    def __call__(self, *args: str | Path, cwd: Path | None = None, cache: Path | None = None) -> Run:
        """Runs to the end. Whatever happens, there must be no traceback and no temporary file left."""
        with tempfile.TemporaryDirectory() as scratch:
            temporary = Path(scratch, "temporary")
            temporary.mkdir()
            kept = {
                name: os.environ[name] for name in ("HOME", "LANG", "PATH", "LD_LIBRARY_PATH") if name in os.environ
            }
            command = [sys.executable, _LARGEST, Path(scratch, "result"), sys.executable, "-m", "gfpcheck", *args]
            process = subprocess.Popen(
                list(map(str, command)),
                cwd=cwd or scratch,
                env=kept
                | {
                    "PYTHONPATH": str(_PROJECT),
                    **BYTECODE,
                    "GFPCHECK_CACHE": str(cache or self.cache),
                    "TMPDIR": str(temporary),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            try:
                out, err = (stream.decode("utf-8") for stream in process.communicate(timeout=_TIMEOUT))
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                raise
            code, peak = json.loads(Path(scratch, "result").read_text())
            run = Run(code, out, err, peak)
            assert "Traceback" not in run.out + run.err
            assert "internal error" not in run.err
            assert not list(temporary.iterdir())
            return run


class Hit(NamedTuple):
    """A result of a SARIF log: what the tests ask about."""

    rule: str
    file: str
    line: int
    function: str
    confidence: str
    properties: dict[str, Any]


def hits(log: Any) -> list[Hit]:
    """All results of a log."""
    return [_hit(result) for result in log["runs"][0]["results"]]


def _hit(result: Any) -> Hit:
    (location,) = result["locations"]
    place, properties = location["physicalLocation"], result["properties"]
    return Hit(
        result["ruleId"],
        place["artifactLocation"]["uri"],
        place["region"]["startLine"],
        properties["function"],
        properties["confidence"],
        properties,
    )


_WATCHED = ("include", "arch/x86/include", "fs/xfs")


def listing(root: Path) -> dict[str, tuple[int, int, int]]:
    """What lies in a tree, with kinds, sizes and times of change: two levels, and all of the folders that a run over
    fs/xfs looks into."""
    return {str(path): _state(path) for path in _entries(root)}


def _entries(root: Path) -> Iterator[Path]:
    yield root
    for entry in root.iterdir():
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from entry.iterdir()
    for folder in _WATCHED:
        yield from (root / folder).rglob("*")


def _state(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_mode, status.st_size, status.st_mtime_ns
