"""Stamps of files: cheap to look at, and never believed when they could deceive."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gfpcheck.store import Files, Store, digest, is_settled, stamp
from gfpcheck.store import stamps as module


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("one")
    _wait(path)
    return path


def _wait(path: Path) -> None:
    while not is_settled(stamp(str(path)), time.time_ns()):
        time.sleep(0.01)


def test_contents_are_named_by_their_digest(file: Path) -> None:
    files = Files(Store(None), "x")
    assert files.digest(str(file)) == digest(b"one")
    assert files.settled([str(file)])


def test_a_file_with_a_known_stamp_is_not_read_again(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")
    monkeypatch.setattr(module, "stamp", lambda _: (5, 5, 3))
    first = Files(store, "x")
    first.digest(str(file))
    first.save()
    file.write_text("two")
    assert Files(store, "x").digest(str(file)) == digest(b"one")
    assert Files(store, "y").digest(str(file)) == digest(b"two")


@pytest.mark.parametrize("keep_time", [False, True])
def test_an_edit_is_seen(file: Path, tmp_path: Path, keep_time: bool) -> None:
    store = Store(tmp_path / "store")
    first = Files(store, "x")
    first.digest(str(file))
    first.save()
    before = file.stat()
    file.write_text("two")
    if keep_time:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert Files(store, "x").digest(str(file)) == digest(b"two")


def test_what_was_written_just_now_is_not_believed_later(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another edit could leave the same stamp: the clock of files ticks slowly."""
    store = Store(tmp_path / "store")
    monkeypatch.setattr(module, "stamp", lambda _: (5, time.time_ns(), 3))
    first = Files(store, "x")
    assert first.digest(str(file)) == digest(b"one")
    assert not first.settled([str(file)])
    first.save()
    assert store.get("stamps", digest("stamps", "x")) is None


def test_a_file_that_changes_during_the_run(file: Path) -> None:
    files = Files(Store(None), "x")
    assert files.digest(str(file)) == digest(b"one")
    assert files.settled([str(file)])
    file.write_text("two")
    assert files.settled([str(file)])  # looked at before
    files.look_again()
    assert not files.settled([str(file)])
    assert files.digest(str(file)) == digest(b"one")  # one answer a run


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    files = Files(Store(None), "x")
    for path in (tmp_path / "none", tmp_path, tmp_path / "a\0b"):
        assert files.digest(str(path)) is None
        assert not files.settled([str(path)])
    assert files.settled([])


def test_times_in_whole_seconds_are_coarse() -> None:
    second = 1_000_000_000
    now = 1_700_000_000 * second
    assert is_settled((0, now - second // 10 + 1, 0), now)
    assert not is_settled((0, now - second, 0), now)
    assert is_settled((0, now - 3 * second, 0), now)
    assert not is_settled((0, now + 1, 0), now)


def test_a_table_that_makes_no_sense(file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.put("stamps", digest("stamps", "x"), b"\x93\x01\x02\x03")
    assert Files(store, "x").digest(str(file)) == digest(b"one")
