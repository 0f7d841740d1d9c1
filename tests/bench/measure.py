"""Runs a command and says what it cost."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, the peak memory of the largest process, and the exit code."""

    seconds: float
    mib: int
    code: int


def measure(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Cost:
    """Runs `command` in `cwd`; what it prints is thrown away."""
    began = time.monotonic()
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(time.monotonic() - began, usage.ru_maxrss // 1024, process.returncode)
