"""`make C=1` and `make C=2` of a real kernel, prepared as anybody would, with gfpcheck as the checker."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from bytecode import BYTECODE

from .kernel_run import Gfpcheck, Run, listing

pytestmark = pytest.mark.kernel

_PROJECT = Path(__file__).resolve().parents[2]
_PROGRAMS = ("bc", "bison", "flex", "gcc", "make")
_HEADERS = {"gelf.h": "libelf-dev", "openssl/opensslv.h": "libssl-dev"}
_XFS = "fs/xfs/xfs_mount.c"
_CHECKED = "  CHECK   "
_TIMEOUT = 900.0
"""Seconds; against a hang, not a measure."""


def _missing() -> list[str]:
    """The packages without which a kernel cannot be prepared."""
    search = subprocess.run(["gcc", "-xc", "-E", "-v", "/dev/null"], capture_output=True, text=True, check=False)
    folders = [line.strip() for line in search.stderr.splitlines() if line.startswith(" /")]
    there = {header: any(Path(folder, header).exists() for folder in folders) for header in _HEADERS}
    return [name for name in _PROGRAMS if shutil.which(name) is None] + [
        package for header, package in _HEADERS.items() if not there[header]
    ]


class Make:
    """make in the tree of Linux 6.12, with a build directory of its own and `gfpcheck` on the way."""

    def __init__(self, tree: Path, folder: Path, gfpcheck: Gfpcheck) -> None:
        self.tree = tree
        self.build = folder / "build"
        programs = folder / "bin"
        programs.mkdir()
        program = programs / "gfpcheck"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gfpcheck "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self._environment = {
            "HOME": os.environ.get("HOME", "/"),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(_PROJECT),
            **BYTECODE,
            "GFPCHECK_CACHE": str(gfpcheck.cache),
        }

    def __call__(self, *words: str, folder: Path | None = None) -> Run:
        where = ["-C", str(folder)] if folder else ["-C", str(self.tree), f"O={self.build}"]
        done = subprocess.run(
            ["make", "-j2", *where, *words],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Run(done.returncode, done.stdout, done.stderr, 0)

    def done(self, *words: str) -> None:
        """make, which must succeed."""
        run = self(*words)
        assert run.code == 0, run.err


@pytest.fixture(scope="module")
def make(trees: Mapping[str, Path], gfpcheck: Gfpcheck, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A tree after defconfig, with XFS and Minix, and modules_prepare."""
    missing = _missing()
    if missing:
        pytest.fail(f"to prepare a kernel takes more: apt-get install {' '.join(missing)}")
    made = Make(trees["6.12"], tmp_path_factory.mktemp("kbuild"), gfpcheck)
    made.done("defconfig")
    with (made.build / ".config").open("a") as config:
        config.write("CONFIG_XFS_FS=m\nCONFIG_MINIX_FS=m\n")
    made.done("olddefconfig")
    made.done("modules_prepare")
    return made


def checked(run: Run) -> list[str]:
    """The files that make had checked, by name."""
    found = [line.removeprefix(_CHECKED) for line in run.out.splitlines() if line.startswith(_CHECKED)]
    return sorted(Path(name).name for name in found if "/scripts/" not in name)


def test_all_of_a_file_system(make: Make) -> None:
    words = ("CHECK=gfpcheck kbuild", "fs/xfs/")
    run = make("C=2", *words)
    assert run.code == 0, run.err
    folder = make.build / "fs/xfs"
    objects = {path.stem: path for path in folder.rglob("*.o") if path.name not in ("xfs.o", "xfs.mod.o")}
    assert len(objects) > 90
    assert checked(run) == sorted(f"{name}.c" for name in objects)
    assert "gfpcheck:" not in run.err  # nothing that could not be looked at
    assert "[GFP301]" in run.err
    again = ("xfs_ag", "xfs_mount", "xfs_trace")
    for name in again:
        objects[name].unlink()
    assert checked(make("C=1", *words)) == sorted(f"{name}.c" for name in again)
    assert checked(make("C=1", *words)) == []


def test_a_directory_and_a_file(make: Make, gfpcheck: Gfpcheck) -> None:
    before = listing(make.tree)
    run = make("C=1", "CHECK=gfpcheck kbuild", "fs/minix/")
    assert run.code == 0, run.err
    minix = {path.name for path in (make.tree / "fs/minix").glob("*.c")} - {"itree_common.c"}  # others include that
    assert checked(run) == sorted(minix)
    run = make("C=2", "CHECK=gfpcheck kbuild", "fs/xfs/xfs_mount.o")
    assert run.code == 0, run.err
    assert checked(run) == ["xfs_mount.c"]
    alone = gfpcheck("--build-dir", make.build, "--format", "gcc", "-q", make.tree / _XFS)
    assert "[GFP301]" in alone.out
    assert run.err.splitlines() == [f"{make.tree}/{line}" for line in alone.out.splitlines()]
    assert listing(make.tree) == before


def test_make_fails_if_that_is_asked_for(make: Make) -> None:
    run = make("C=2", "CHECK=gfpcheck kbuild --fail-on warning", "fs/xfs/xfs_mount.o")
    assert run.code == 2
    assert "[GFP301]" in run.err


def test_a_module_outside_of_the_tree(make: Make, tmp_path: Path) -> None:
    (tmp_path / "Kbuild").write_text("obj-m := own.o\nccflags-y := -DOWN=GFP_KERNEL\n")
    (tmp_path / "own.c").write_text(
        "#include <linux/slab.h>\n#include <linux/spinlock.h>\n\nvoid *own(spinlock_t *lock);\n"
        "void *own(spinlock_t *lock)\n{\n\tvoid *p;\n\n\tspin_lock(lock);\n\tp = kmalloc(8, OWN);\n"
        "\tspin_unlock(lock);\n\treturn p;\n}\n"
    )
    run = make(f"M={tmp_path}", "C=2", "CHECK=gfpcheck kbuild", "own.o", folder=make.build)
    assert run.code == 0, run.err
    assert f"{tmp_path}/own.c:10:6: error: kmalloc() with GFP_KERNEL" in run.err
