"""Paths, outputs and places that are wrong: exit code 2 and a sentence, nothing half done."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fixtures_harness import TREE

from gfpcheck import report

from .cli_run import ANNOUNCED, COMMAND, Cli, Result
from .conftest import Here

JOURNAL = TREE / "fs/minifs/journal.c"
IS_ROOT = os.geteuid() == 0


def refused(run: Result, sentence: str) -> None:
    """Asserts that a run ended with this sentence alone."""
    assert (run.code, run.out, run.err) == (2, "", f"gfpcheck: {sentence}\n")


def test_no_arguments(cli: Cli) -> None:
    run = cli()
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("Usage: gfpcheck [OPTIONS] PATH...\n")
    assert run.err.endswith("\ngfpcheck: nothing to analyse: name a file or directory\n")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--frobnicate"], "No such option"),
        (["--format", "xml"], "Invalid value for '--format': 'xml' is not one of"),
        (["--fail-on", "fatal"], "Invalid value for '--fail-on'"),
        (["-j", "0"], "Invalid value for '-j' / '--jobs'"),
        (["-j", "many"], "Invalid value for '-j' / '--jobs'"),
    ],
)
def test_wrong_usage(cli: Cli, options: list[str], sentence: str) -> None:
    run = cli(JOURNAL, *options)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("Usage: gfpcheck")
    assert run.err.splitlines()[-1].startswith(f"gfpcheck: {sentence}")


def test_an_option_without_its_argument(cli: Cli) -> None:
    refused(cli(JOURNAL, "--output"), "Option '--output' requires an argument.")


def test_no_such_path(cli: Cli) -> None:
    refused(cli("fs/none"), "fs/none: no such file or directory")
    refused(cli(JOURNAL, "none.c"), "none.c: no such file or directory")
    refused(cli(JOURNAL / "x.c"), f"{JOURNAL}/x.c: no such file or directory")
    refused(cli("x" * 5000), f"{'x' * 5000}: File name too long")


def test_an_empty_directory(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    refused(cli(folder), f"no C files in {folder}")


def test_a_path_that_is_no_c(cli: Cli) -> None:
    makefile = TREE / "fs/minifs/Makefile"
    refused(cli(makefile), f"{makefile}: not a C file (.c)")
    header = TREE / "fs/minifs/minifs.h"
    refused(cli(header), f"{header}: a header is analysed with the C files that include it; name one of those")


def test_a_directory_named_like_a_file(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "x.c"
    folder.mkdir()
    refused(cli(folder), f"no C files in {folder}")
    refused(cli(tmp_path), f"no C files in {tmp_path}")


def test_what_is_neither_file_nor_directory(cli: Cli, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.c"))
        refused(cli("s.c"), "s.c: not a regular file")
    (tmp_path / "dangling.c").symlink_to("nowhere")
    refused(cli("dangling.c"), "dangling.c: no such file or directory")
    (tmp_path / "loop.c").symlink_to("loop.c")
    assert cli("loop.c").code == 2
    refused(cli(tmp_path), f"nothing to analyse in {tmp_path}: all 2 C files are left out (a link to nothing)")


def test_a_file_that_cannot_be_read_among_others(cli: Cli, tree: Path) -> None:
    folder = tree / "fs/minifs"
    (folder / "gone.c").symlink_to("nowhere")
    lost = ["Not everything was looked at: 1 loss, 1 in planning:", "  fs/minifs/gone.c: a link to nothing"]
    run = cli(folder, "-v")
    assert run.code == 1
    assert run.out.splitlines()[-2:] == lost
    strict = cli(folder, "-v", "--strict")
    assert (strict.code, strict.out) == (2, run.out)
    assert strict.err == f"{ANNOUNCED}gfpcheck: not everything could be analysed, and --strict was given\n"
    assert cli(folder, "--strict", "--exit-zero").code == 2


@pytest.mark.skipif(IS_ROOT, reason="root may read everything")
def test_permission_denied(cli: Cli, tree: Path) -> None:
    secret = tree / "fs/minifs/lock.c"
    secret.chmod(0)
    refused(cli(secret), f"{secret}: cannot be read")
    run = cli(tree / "fs/minifs", "-v")
    assert run.code == 1
    assert "  fs/minifs/lock.c: cannot be read\n" in run.out


def test_files_left_out_by_the_configuration_are_no_loss(cli: Cli, tree: Path) -> None:
    (tree / "fs/minifs/orphan.c").write_text("int x;\n")
    run = cli(tree / "fs/minifs", "--strict")
    assert run.code == 1
    assert ", 1 left-out file, " in run.out
    assert "Not everything" not in run.out


def test_a_file_of_no_kernel_code_asked_for_by_name(cli: Cli, tree: Path) -> None:
    tool = tree / "tools/x.c"
    tool.parent.mkdir()
    tool.write_text("int x;\n")
    refused(cli(tool), f"nothing to analyse in {tool}: the only C file is left out (a user-space program)")
    assert "  tools/x.c: a user-space program\n" in cli(tool, tree / "fs/minifs/lock.c", "-v").out


def test_paths_of_several_trees(cli: Cli, tree: Path) -> None:
    run = cli(tree / "fs", TREE / "fs")
    assert run.code == 2
    assert "the paths lie in several kernel trees" in run.err


def test_folders_that_are_none(cli: Cli, tmp_path: Path) -> None:
    refused(cli(JOURNAL, "--build-dir", "none"), "--build-dir none: no such folder")
    refused(
        cli(JOURNAL, "--build-dir", tmp_path),
        f"--build-dir {tmp_path}: not a kernel build directory (it has no .config)",
    )
    refused(
        cli(JOURNAL, "--tree", tmp_path),
        f"--tree {tmp_path}: not a kernel source tree (no Makefile with VERSION and PATCHLEVEL)",
    )
    run = cli(JOURNAL, "--compile-commands", "none.json")
    refused(run, "cannot read none.json: No such file or directory")


# --- the cache ---------------------------------------------------------------------------


def test_a_cache_directory_that_cannot_be_made(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    expected = cli(JOURNAL)
    for cache, why in [("file", "File exists"), ("file/below", "Not a directory")]:
        run = cli(JOURNAL, env={"GFPCHECK_CACHE": str(tmp_path / cache)})
        assert (run.code, run.out) == (1, expected.out)
        where = tmp_path / cache
        line = f"gfpcheck: the cache directory cannot be used ({why}: {where}); going on without one\n"
        assert run.err == line + ANNOUNCED


@pytest.mark.skipif(IS_ROOT, reason="root may write everywhere")
def test_a_cache_directory_without_permission(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    run = cli(JOURNAL, env={"GFPCHECK_CACHE": str(tmp_path / "closed")})
    assert run.code == 1
    assert "Permission denied" in run.err


def files_are_at_most(size: int) -> Callable[[], None]:
    """A full disk, as a limit on the size of files: writing beyond it fails."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def test_a_cache_on_a_full_disk(cli: Cli, tmp_path: Path) -> None:
    run = cli(JOURNAL, env={"GFPCHECK_CACHE": str(tmp_path / "own")}, prepare=files_are_at_most(10))
    where = f"the cache directory {tmp_path}/own"
    refused(
        run,
        f"cannot write generated headers to {where}: File too large; use a cache directory that can be written",
    )
    assert not [path for path in (tmp_path / "own").rglob("*") if path.is_file()]


# --- the output --------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", ["text", "sarif", "json", "github", "gcc"])
def test_no_room_for_the_output(here: Here, tmp_path: Path, fmt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write = report.write_file

    def write_on_a_full_disk(*args: Any, **options: Any) -> None:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
        try:
            write(*args, **options)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    monkeypatch.setattr(report, "write_file", write_on_a_full_disk)
    there = tmp_path / "results"
    there.write_text("as it was")
    run = here(JOURNAL, "--format", fmt, "-o", there)
    assert (run.code, run.out) == (2, "")
    assert run.err == f"{ANNOUNCED}gfpcheck: cannot write {there}: File too large\n"
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
    assert there.read_text() == "as it was"


@pytest.mark.parametrize("fmt", ["text", "sarif"])
def test_a_full_device(cli: Cli, fmt: str) -> None:
    run = cli(JOURNAL, "--format", fmt, "-o", "/dev/full")
    assert (run.code, run.out) == (2, "")
    assert run.err == f"{ANNOUNCED}gfpcheck: cannot write /dev/full: No space left on device\n"


def test_standard_output_on_a_full_device(cli: Cli) -> None:
    shell = ("sh", "-c", 'exec "$@" >/dev/full', "sh", *COMMAND)
    run = cli(JOURNAL, command=shell)
    assert run.code == 2
    assert run.err == f"{ANNOUNCED}gfpcheck: standard output: No space left on device\n"
    assert cli("--help", command=shell).code == 2


def test_outputs_that_cannot_be(cli: Cli, tmp_path: Path) -> None:
    refused(cli(JOURNAL, "-o", "none/x"), "cannot write none/x: no such directory as none")
    refused(cli(JOURNAL, "-o", tmp_path), f"cannot write {tmp_path}: is a directory")


def test_no_output_file_for_a_run_that_fails(cli: Cli, tmp_path: Path) -> None:
    assert cli("none", "-o", tmp_path / "x").code == 2
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_closed_streams_do_not_get_into_the_results(cli: Cli, closed: str) -> None:
    run = cli(JOURNAL, command=("sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND))
    assert (run.code, run.out) == (1, cli(JOURNAL).out)


def test_closed_standard_output(cli: Cli, tmp_path: Path) -> None:
    shell = ("sh", "-c", 'exec "$@" >&-', "sh", *COMMAND)
    refused(cli(JOURNAL, command=shell), "standard output is closed")
    assert cli(JOURNAL, "-o", tmp_path / "x", command=shell).code == 1
    assert (tmp_path / "x").read_text() == cli(JOURNAL).out


# --- libclang ----------------------------------------------------------------------------


@pytest.mark.parametrize("args", [["--version"], [str(JOURNAL)]])
def test_no_libclang(cli: Cli, args: list[str]) -> None:
    run = cli(*args, env={"GFPCHECK_LIBCLANG": "/none/libclang.so"})
    assert (run.code, run.out) == (2, "")
    assert "cannot load libclang from /none/libclang.so" in run.err
