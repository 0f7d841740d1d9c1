"""Folders that go with a process, however it is told to end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, shutil, signal, sys
from gfpcheck.cli.interrupts import install
from gfpcheck.workers import scratch
install()
remove = shutil.rmtree
def slowly(*args, **options):
    os.kill(os.getpid(), int(sys.argv[1]))
    remove(*args, **options)
shutil.rmtree = slowly
try:
    with scratch() as folder:
        (folder / "file").touch()
        print(folder)
        if sys.argv[2] == "early":
            os.kill(os.getpid(), int(sys.argv[1]))
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("when", ["early", "late"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_of_a_folder(number: signal.Signals, when: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(int(number)), when],
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        check=True,
        text=True,
    )
    assert str(tmp_path) in done.stdout
    assert done.stdout.endswith("interrupted\n"), done.stderr
    assert list(tmp_path.iterdir()) == []
