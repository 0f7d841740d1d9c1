"""Entries: whole or not there, whatever happens to the disk and whoever else is at work."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfpcheck.store import Contents, Store, digest, entries

KEY = digest("key")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_was_put_is_there_for_the_next_process(tmp_path: Path) -> None:
    Store(tmp_path / "store").put("ir", KEY, b"data")
    again = Store(tmp_path / "store")
    assert again.get("ir", KEY) == b"data"
    assert again.get("ir", digest("other")) is None
    assert again.get("summary", KEY) is None


def test_an_entry_is_replaced(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("ir", KEY, b"old")
    store.put("ir", KEY, b"")
    assert store.get("ir", KEY) == b""


def test_without_a_folder_nothing_is_kept() -> None:
    store = Store(None)
    store.put("ir", KEY, b"data")
    store.trim()
    store.clear()
    assert store.get("ir", KEY) is None
    assert store.contents() == {}
    assert store.problem == ""


@given(st.lists(st.binary(max_size=3), max_size=3), st.lists(st.binary(max_size=3), max_size=3))
def test_digests_differ_when_the_parts_do(first: list[bytes], second: list[bytes]) -> None:
    assert (digest(*first) == digest(*second)) == (first == second)


def test_digests_take_names_that_are_not_utf8() -> None:
    assert digest("a\udcff") == digest(b"a\xff")


@pytest.mark.parametrize("cut", [0, 1, 15, 16, 31, 32, 33, 40])
def test_a_truncated_entry_is_a_miss_and_goes(tmp_path: Path, cut: int) -> None:
    store = Store(tmp_path)
    store.put("ir", KEY, b"some data that is long enough")
    (path,) = _files(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    assert store.get("ir", KEY) is None
    assert not path.exists()


@given(st.data())
def test_a_damaged_entry_is_a_miss(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = Store(folder)
    store.put("ir", KEY, b"some data that is long enough")
    (path,) = _files(folder)
    raw = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(raw)
    assert store.get("ir", KEY) is None


def test_an_entry_that_is_a_folder_is_a_miss(tmp_path: Path) -> None:
    (tmp_path / "ir" / KEY[:2] / KEY[2:]).mkdir(parents=True)
    store = Store(tmp_path)
    assert store.get("ir", KEY) is None
    store.put("ir", KEY, b"data")
    assert store.problem
    assert store.get("ir", KEY) is None


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.put("ir", digest("earlier"), b"data")
    before = _files(tmp_path)

    def full(source: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full)
    store.put("ir", KEY, b"data")
    assert store.problem == "No space left on device"
    assert _files(tmp_path) == before
    assert store.get("ir", digest("earlier")) == b"data"
    monkeypatch.undo()
    store.put("ir", KEY, b"data")  # not tried again in this run
    assert _files(tmp_path) == before


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    size = 10_000
    store = Store(tmp_path, limit=5 * size + 1000)
    keys = [digest(str(number)) for number in range(5)]
    for age, key in enumerate(reversed(keys)):
        store.put("ir", key, os.urandom(size))
        path = tmp_path / "ir" / key[:2] / key[2:]
        then = time.time() - 86_400 * (age + 1)
        os.utime(path, (then, then))
    assert store.get("ir", keys[0]) is not None  # the oldest is used
    store.put("ir", digest("new"), os.urandom(size))
    store.trim()
    kept = [number for number, key in enumerate(keys) if store.get("ir", key) is not None]
    assert kept == [0, 3, 4]
    assert store.get("ir", digest("new")) is not None
    assert store.contents()["ir"].size <= 5 * size + 1000


def test_a_store_below_its_limit_keeps_everything(tmp_path: Path) -> None:
    store = Store(tmp_path, limit=1_000_000)
    for number in range(20):
        store.put("ir", digest(str(number)), b"data")
    store.trim()
    assert store.contents()["ir"].entries == 20


def test_contents_are_told_by_kind(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("summary", KEY, b"x")
    store.put("ir", KEY, b"x")
    store.put("ir", digest("other"), b"x")
    found = store.contents()
    assert list(found) == ["ir", "summary"]
    size = sum(path.stat().st_size for path in _files(tmp_path / "ir"))
    assert found["ir"] == Contents(2, size)


def test_what_a_killed_process_left_goes_when_it_is_old(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("ir", KEY, b"data")
    young, old = tmp_path / "ir/.new-young", tmp_path / "ir/.new-old"
    for path, age in ((young, 0), (old, 7200)):
        path.write_bytes(b"half of an ent")
        os.utime(path, (time.time() - age,) * 2)
    assert store.contents()["ir"].entries == 1
    assert young.exists()
    assert not old.exists()


def test_clear_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    (tmp_path / f"{entries._TEMPORARY}store-abc" / "half").mkdir(parents=True)  # of a clear that was killed
    store = Store(folder)
    store.clear()
    store.put("ir", KEY, b"data")
    store.clear()
    assert list(tmp_path.iterdir()) == []
    store.put("ir", KEY, b"data")
    assert store.get("ir", KEY) == b"data"


def _write_for_ever(folder: str) -> None:
    store = Store(Path(folder))
    number = 0
    while True:
        key = digest(str(number % 4))
        store.put("ir", key, key.encode() * 3000)
        number += 1


def test_readers_see_whole_entries_while_writers_are_killed_and_the_store_is_cleared(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_for_ever, args=(str(folder),)) for _ in range(2)]
    for writer in writers:
        writer.start()
    store = Store(folder)
    seen = 0
    try:
        deadline = time.monotonic() + 60
        while seen < 600 and time.monotonic() < deadline:
            for number in range(4):
                key = digest(str(number))
                data = store.get("ir", key)
                assert data in (None, key.encode() * 3000)
                seen += data is not None
            if seen % 150 == 149:
                store.clear()
    finally:
        for writer in writers:
            assert writer.pid is not None
            os.kill(writer.pid, signal.SIGKILL)
            writer.join()
    assert seen >= 600
    for number in range(4):
        key = digest(str(number))
        assert store.get("ir", key) in (None, key.encode() * 3000)
