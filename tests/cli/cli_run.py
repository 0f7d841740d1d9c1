"""Runs the real command in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from bytecode import BYTECODE

ROOT = Path(__file__).resolve().parent.parent.parent
PLAIN = Path(__file__).parent / "plain"
TIMEOUT = 120.0
ANNOUNCED = "gfpcheck: Linux 6.12.0, x86, unconfigured tree: generated headers supplied by gfpcheck\n"
"""What is said about the miniature tree before the work begins."""

COMMAND = (sys.executable, "-m", "gfpcheck")


class Result(NamedTuple):
    """What a run left behind."""

    code: int
    out: str
    err: str


class Cli:
    """The command with an environment of its own: cache, temporary files, nothing of the terminal it runs on."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        kept = ("HOME", "LANG", "LC_ALL", "PATH", "LD_LIBRARY_PATH")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ}
        self.environment |= {
            "PYTHONPATH": str(ROOT),
            **BYTECODE,
            "GFPCHECK_CACHE": str(cache),
            "TMPDIR": str(self.temporary),
            "COLUMNS": "80",
        }

    def __call__(
        self,
        *args: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        prepare: Callable[[], None] | None = None,
        command: tuple[str, ...] = COMMAND,
    ) -> Result:
        """Runs to the end. Whatever happens, there must be no traceback and no file left behind."""
        done = subprocess.run(
            [*command, *map(str, args)],
            cwd=cwd or self.folder,
            env=self.environment | dict(env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            preexec_fn=prepare,
            check=False,
        )
        result = Result(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))
        self.check_clean(result.out, result.err)
        return result

    @contextmanager
    def start(
        self, *args: str | Path, env: Mapping[str, str] | None = None, stdout: int = subprocess.PIPE
    ) -> Iterator[subprocess.Popen[bytes]]:
        """The command running in a session of its own, which is ended when the block is left."""
        process = subprocess.Popen(
            [*COMMAND, *map(str, args)],
            cwd=self.folder,
            env=self.environment | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            for member in session(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(member, signal.SIGKILL)
            process.communicate()

    def check_clean(self, out: str, err: str) -> None:
        """Asserts that a run that is over left no traceback and no temporary file."""
        assert "Traceback" not in err + out
        assert "internal error" not in err
        assert not list(self.temporary.iterdir())


def session(leader: int) -> list[int]:
    """The living processes of a session."""
    members = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # "pid (name) state parent group session ..."; the name may hold blanks and parentheses.
            fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] not in "ZX":
            members.append(int(entry.name))
    return members


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits for something that must become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def built_folder(tree: Path, name: str, files: Mapping[str, str | bytes]) -> Path:
    """A new folder below fs/ with these C files (named without their suffix), which the tree's Makefiles build."""
    folder = tree / "fs" / name
    folder.mkdir()
    for stem, text in files.items():
        (folder / f"{stem}.c").write_bytes(text if isinstance(text, bytes) else text.encode())
    objects = " ".join(f"{stem}.o" for stem in files)
    (folder / "Makefile").write_text(f"obj-y += {objects}\n")
    with (tree / "fs/Makefile").open("a") as makefile:
        makefile.write(f"obj-y += {name}/\n")
    return folder
