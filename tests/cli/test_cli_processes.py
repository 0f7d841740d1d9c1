"""Interrupts, processes that die, readers that go away."""

from __future__ import annotations

import functools
import json
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from fixtures_harness import TREE

from .cli_run import ANNOUNCED, COMMAND, TIMEOUT, Cli, built_folder, session, wait_until

SAMPLE = TREE / "fs/minifs"


class Gate:
    """A header that is a named pipe: whoever reads it waits until the gate is opened.

    So a test knows that a worker is in the middle of its work, and which one it is.
    """

    def __init__(self, tree: Path) -> None:
        plain = "#include <linux/slab.h>\nint {0}(void)\n{{\n\treturn 0;\n}}\n"
        files = {"a": plain.format("a"), "b": plain.format("b"), "gated": '#include "gate.h"\n' + plain.format("g")}
        self.folder = built_folder(tree, "gated", files)
        self.path = self.folder / "gate.h"
        os.mkfifo(self.path)

    @contextmanager
    def reached(self, process: subprocess.Popen[bytes]) -> Iterator[int]:
        """Waits for a worker of the run to read the gate; gives its number. At the end the gate opens."""
        while True:
            found = self._wait(process)
            assert found is not None, "the run is over"
            descriptor, reader = found
            try:
                if reader != process.pid:
                    yield reader
                    return
            finally:
                os.close(descriptor)
            wait_until(functools.partial(self._is_not_open_in, process.pid))  # the parent only looks what it includes

    def kill_every_reader(self, process: subprocess.Popen[bytes]) -> None:
        """Kills every worker that reads the gate, until the run is over."""
        while (found := self._wait(process)) is not None:
            descriptor, reader = found
            if reader != process.pid:
                os.kill(reader, signal.SIGKILL)
            os.close(descriptor)
            wait_until(functools.partial(self._is_not_open_in, reader))

    def remove(self) -> None:
        """Puts an ordinary header in its place."""
        ordinary = self.path.with_name("ordinary.h")
        ordinary.write_text("")
        ordinary.replace(self.path)

    def _wait(self, process: subprocess.Popen[bytes]) -> tuple[int, int] | None:
        """A descriptor that keeps the gate shut, and who reads it; None if the run is over."""
        found: tuple[int, int] | None = None

        def is_read() -> bool:
            nonlocal found
            try:
                descriptor = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it yet
                return process.poll() is not None
            while not is_without_reader(descriptor):
                for member in session(process.pid):
                    if self._is_open_in(member):
                        found = descriptor, member
                        return True
            os.close(descriptor)  # whoever read it was about to die
            return False

        wait_until(is_read)
        return found

    def _is_not_open_in(self, process: int) -> bool:
        return not self._is_open_in(process)

    def _is_open_in(self, process: int) -> bool:
        try:
            return any(path.readlink() == self.path for path in Path(f"/proc/{process}/fd").iterdir())
        except OSError:
            return False


def is_without_reader(descriptor: int) -> bool:
    """Whether nobody has the other end of a pipe open, whose end for writing this is."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


@pytest.fixture
def gate(tree: Path) -> Gate:
    return Gate(tree)


def finish(cli: Cli, process: subprocess.Popen[bytes]) -> tuple[str, str]:
    """Standard output and error of a run that must come to its end and leave nothing behind."""
    out, err = process.communicate(timeout=TIMEOUT)
    wait_until(lambda: not session(process.pid))
    cli.check_clean(out.decode(), err.decode())
    return out.decode(), err.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_during_the_work(cli: Cli, gate: Gate, tmp_path: Path, number: signal.Signals) -> None:
    there = tmp_path / "results"
    with cli.start(gate.folder, "-j", "2", "--no-cache", "-o", there) as process, gate.reached(process):
        os.killpg(process.pid, number)
        out, err = finish(cli, process)
    assert (process.returncode, out, err) == (2, "", f"{ANNOUNCED}gfpcheck: interrupted\n")
    assert not there.exists()


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.2, 0.4, 0.6])
def test_an_interrupt_at_any_time(cli: Cli, delay: float) -> None:
    with cli.start(TREE, "-j", "2", "--no-cache") as process:
        wait_until(lambda: catches(process.pid, signal.SIGTERM))
        with suppress(subprocess.TimeoutExpired):
            process.wait(delay)
        os.killpg(process.pid, signal.SIGINT)
        out, err = finish(cli, process)
    # CPython ends with the signal by itself if it came while a dataclass or named tuple was made.
    assert process.returncode in ((1, 2) if out else (2, -signal.SIGINT))
    assert err.removeprefix(ANNOUNCED) in ("", "gfpcheck: interrupted\n")


def catches(process: int, number: signal.Signals) -> bool:
    """Whether the process has a handler for the signal: the interpreter itself catches SIGINT alone."""
    status = Path(f"/proc/{process}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_a_worker_that_dies_once(cli: Cli, gate: Gate) -> None:
    with cli.start(gate.folder, "-j", "2", "--format", "json") as process:
        with gate.reached(process) as worker:
            assert worker != process.pid
            gate.remove()
            os.kill(worker, signal.SIGKILL)
        out, err = finish(cli, process)
    assert process.returncode == 0
    assert err.startswith(ANNOUNCED)
    report = json.loads(out)
    assert report["losses"] == []
    assert report["counts"]["files"] == 3


def test_a_worker_that_dies_whenever_it_reads_a_file(cli: Cli, gate: Gate) -> None:
    with cli.start(gate.folder, "-j", "2", "-v") as process:
        gate.kill_every_reader(process)
        out, err = finish(cli, process)
    assert (process.returncode, err) == (0, ANNOUNCED)
    assert out.endswith("1 in parsing:\n  fs/gated/gated.c:0: the process that read it died\n")


def test_workers_end_with_a_parent_that_is_killed(cli: Cli, gate: Gate) -> None:
    with cli.start(gate.folder, "-j", "2") as process, gate.reached(process):
        os.kill(process.pid, signal.SIGKILL)
        process.wait(TIMEOUT)
        wait_until(lambda: not session(process.pid))


@pytest.mark.parametrize("fmt", ["text", "sarif"])
def test_a_reader_that_goes_away(cli: Cli, fmt: str) -> None:
    read, write = os.pipe()
    with cli.start(SAMPLE, "--format", fmt, stdout=write) as process:
        os.close(write)
        os.close(read)
        err = process.communicate(timeout=TIMEOUT)[1].decode()
        cli.check_clean("", err)
    assert (process.returncode, err) == (2, ANNOUNCED)


def test_a_reader_that_goes_away_from_both_streams(cli: Cli) -> None:
    run = cli(SAMPLE, command=("sh", "-c", '{ "$@"; echo $? >code; } 2>&1 | true', "sh", *COMMAND))
    assert run.code == 0
    wait_until((cli.folder / "code").exists)
    assert (cli.folder / "code").read_text() == "2\n"


def test_head(cli: Cli) -> None:
    run = cli(SAMPLE, command=("sh", "-c", '"$@" | head -1', "sh", *COMMAND))
    assert len(run.out.splitlines()) == 1
    assert run.err == ANNOUNCED
