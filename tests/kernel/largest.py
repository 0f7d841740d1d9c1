"""Runs a command and measures the largest process below it: `largest.py FILE COMMAND...`.

The exit code and the peak resident memory in bytes go to FILE. A program of its own, because a process counts only
children that it waited for: workers of a fork server outlive their parent, and come to whoever takes in orphans.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def main(result: str, *command: str) -> None:
    if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError("orphans cannot be taken in")
    code = subprocess.run(command, check=False).returncode
    while _wait():
        pass
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    Path(result).write_text(json.dumps([code, peak]))


def _wait() -> bool:
    """Waits for one more process; False if none is left."""
    try:
        os.wait()
    except ChildProcessError:
        return False
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
