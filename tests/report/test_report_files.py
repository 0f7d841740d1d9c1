"""An output file is complete, or it is not there."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gfpcheck.report import FORMATS, ReportError, write_file
from gfpcheck.report.files import replacing

from .report_samples import rendered, report, tree


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_file_holds_what_the_stream_would(tmp_path: Path, fmt: str) -> None:
    what = report(tree(tmp_path / "src"))
    target = tmp_path / "out"
    write_file(str(target), what, fmt)
    assert target.read_bytes().decode() == rendered(what, fmt)
    assert _names(tmp_path) == ["out", "src"]


def test_options_are_passed_on(tmp_path: Path) -> None:
    what = report(tree(tmp_path / "src"))
    target = tmp_path / "out"
    write_file(str(target), what, "text", color=True, verbose=True, quiet=True)
    assert target.read_text() == rendered(what, "text", color=True, verbose=True, quiet=True)


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    target.write_text("old" * 10_000)
    write_file(str(target), report(tmp_path, ()), "text")
    assert target.read_text().startswith("No findings in ")


def test_others_may_read_the_file(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write_file(str(tmp_path / "out"), report(tmp_path, ()), "text")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o644


class _Interrupted(BaseException):
    pass


@pytest.mark.parametrize("reason", [_Interrupted(), RuntimeError(), ValueError("from inside")])
def test_a_break_leaves_the_old_file_and_nothing_else(tmp_path: Path, reason: BaseException) -> None:
    target = tmp_path / "out"
    target.write_text("old")

    def write_half() -> None:
        with replacing(str(target)) as stream:
            stream.write("new")
            raise reason

    with pytest.raises(type(reason)):
        write_half()
    assert target.read_text() == "old"
    assert _names(tmp_path) == ["out"]


@contextmanager
def small_files() -> Iterator[None]:
    """No file can grow beyond 2,000 bytes, as on a disk that is full. No fixture: pytest writes between those."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_a_clear_error(tmp_path: Path) -> None:
    target = tmp_path / "out.sarif"
    target.write_text("old")
    with small_files(), pytest.raises(ReportError, match=r"cannot write .*out\.sarif: "):
        write_file(str(target), report(tmp_path), "sarif")
    assert target.read_text() == "old"
    assert _names(tmp_path) == ["out.sarif"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("no/such/dir/out", "No such file or directory"),
        ("file/out", "Not a directory"),
        ("", "directory"),
        ("loop", "symbolic links"),
        ("x" * 300, "File name too long"),
        ("nul\0byte", "not a file name"),
        ("surrogate\ud800", "not a file name"),
    ],
)
def test_a_place_that_cannot_be_written_to(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ReportError) as caught:
        write_file(os.path.join(tmp_path, path), report(tmp_path, ()), "text")  # noqa: PTH118 - Path() drops the ""
    assert reason in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert _names(tmp_path) == ["file", "loop"]


def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    write_file("/dev/null", report(tmp_path), "json")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(ReportError, match="cannot write /dev/full: No space left on device"):
        write_file("/dev/full", report(tmp_path), "json")


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_file(str(tmp_path / "link"), report(tmp_path, ()), "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text().startswith("No findings")
