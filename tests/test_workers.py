"""Worker processes, and folders that go with a process, however it is told to end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gfpcheck.workers import spread

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


POOL = """
import os, signal
import parts
from gfpcheck.cli.interrupts import install
from gfpcheck.workers import executor
if __name__ == "__main__":
    install()
    try:
        with executor(2, "parts") as pool:
            futures = [pool.submit(parts.big, number) for number in range(8)]
            futures[0].result()  # while the next one is under way
            os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.parametrize("size", [10, 100_000_000])
def test_a_pool_ends_at_once_and_without_a_word(size: int, tmp_path: Path) -> None:
    """Also amid an answer, the rest of which never comes."""
    (tmp_path / "parts.py").write_text(f"def big(number):\n    return bytes({size})\n")
    (tmp_path / "program.py").write_text(POOL)
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, str(tmp_path / "program.py")],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


def test_parts_are_spread_over_copies() -> None:
    def work(number: int) -> list[int]:
        time.sleep(0.005)
        return [number, os.getpid()]

    found = spread(3, 40, work, list[int])
    assert [number for number, _ in found] == list(range(40))
    assert len({process for _, process in found}) > 1
    assert [number for number, _ in spread(1, 3, work, list[int])] == [0, 1, 2]
    assert spread(2, 0, work, list[int]) == []


def test_what_a_copy_dies_of_is_done_again() -> None:
    here = os.getpid()

    def work(number: int) -> int:
        time.sleep(0.005)
        if number == 20 and os.getpid() != here:
            os._exit(1)
        return number

    assert spread(3, 40, work, int) == list(range(40))


def test_what_a_copy_cannot_say_is_done_again() -> None:
    def work(number: int) -> object:
        time.sleep(0.005)
        return number if number % 2 else object

    found = spread(2, 10, work, object)
    assert found == [number if number % 2 else object for number in range(10)]
