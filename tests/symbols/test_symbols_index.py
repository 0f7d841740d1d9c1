"""The index of a tree, and what is kept of it."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from gfpcheck.changes.shadow import shadow
from gfpcheck.changes.types import Side
from gfpcheck.store import Store, is_settled, stamp
from gfpcheck.symbols import Index, index, open_index


class Tree:
    """A tree with some C files, and a store."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self.store = Store(folder / "store")
        self.write("fs/inode.c", "iget_locked", "iput")
        self.write("lib/list.c", "list_sort")
        self.write("tools/list.c", "list_sort")

    def write(self, rel: str, *names: str) -> None:
        path = self.root / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"int {name}(void)\n{{\n}}\n" for name in names))

    def settle(self) -> None:
        probe = self.root.parent / "probe"
        probe.write_text("")
        while not is_settled(stamp(str(probe)), time.time_ns()):
            time.sleep(0.01)

    def open(self, jobs: int = 1) -> Index:
        self.settle()
        return open_index(str(self.root), ["tools"], self.store, time.time_ns(), jobs)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def _reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read from now on."""
    found: list[str] = []
    read_files = index.read_files

    def noting(root: str, rels: list[str]) -> list[tuple[str, list[str] | None]]:
        found.extend(rels)
        return read_files(root, rels)

    monkeypatch.setattr(index, "read_files", noting)
    return found


def test_names_lead_to_files(tree: Tree) -> None:
    found = tree.open()
    assert found.places("iget_locked") == ("fs/inode.c",)
    assert found.places("list_sort") == ("lib/list.c",)
    assert found.places("nothing") == ()
    assert found.lost == 0


def test_only_what_has_changed_is_read_again(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree.open().digest
    reads = _reads(monkeypatch)
    assert tree.open().digest == before
    assert reads == []
    tree.write("fs/inode.c", "iput")
    tree.write("fs/new.c", "iget_locked")
    (tree.root / "lib/list.c").unlink()
    found = tree.open()
    assert sorted(reads) == ["fs/inode.c", "fs/new.c"]
    assert found.places("iget_locked") == ("fs/new.c",)
    assert found.places("list_sort") == ()
    assert found.digest != before


def test_the_digest_tells_of_names_not_of_stamps(tree: Tree) -> None:
    before = tree.open().digest
    os.utime(tree.root / "fs/inode.c", ns=(1, 1))
    assert tree.open().digest == before


def test_a_file_that_was_changed_just_now_is_not_kept(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    open_index(str(tree.root), ["tools"], tree.store, 0, 1)
    reads = _reads(monkeypatch)
    tree.open()
    assert reads == ["fs/inode.c", "lib/list.c"]


@pytest.mark.parametrize("damage", [b"", b"\x80", b"gfpcheck entry 1", b"\xff" * 50])
def test_a_damaged_index_is_made_again(tree: Tree, damage: bytes) -> None:
    before = tree.open().digest
    for path in (tree.root.parent / "store/symbols").rglob("*"):
        if path.is_file():
            path.write_bytes(damage)
    assert tree.open().digest == before


def test_what_cannot_be_read_is_counted(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write("fs/secret.c", "secret")
    read = index._definitions
    monkeypatch.setattr(index, "_definitions", lambda path: None if path.endswith("secret.c") else read(path))
    assert tree.open().lost == 1


def test_a_name_that_is_no_text_is_counted(tree: Tree) -> None:
    Path(os.fsdecode(bytes(tree.root) + b"/fs/\xff.c")).write_text("int odd(void)\n{\n}\n")
    for _ in range(2):
        found = tree.open()
        assert (found.lost, found.places("odd"), found.places("iput")) == (1, (), ("fs/inode.c",))


def test_links_and_folders_with_names_of_files_do_no_harm(tree: Tree) -> None:
    (tree.root / "fs/loop").symlink_to(tree.root)
    (tree.root / "fs/nowhere.c").symlink_to("nothing.c")
    (tree.root / "fs/folder.c").mkdir()
    assert tree.open().places("iput") == ("fs/inode.c",)


def test_a_tree_of_links_shares_what_is_kept(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.open()
    other = tmp_path / "other"
    side = Side(tree.root, "", {"fs/inode.c": b"int inode(void)\n{\n}\n"})
    other.mkdir()
    shadow(side, other, ())
    reads = _reads(monkeypatch)
    found = open_index(str(other), ["tools"], tree.store, time.time_ns(), 1)
    assert reads == ["fs/inode.c"]
    assert found.places("list_sort") == ("lib/list.c",)
    assert found.places("iput") == ()


def test_links_that_lead_in_circles_end(tree: Tree, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (away / "far.c").write_text("int far(void)\n{\n}\n")
    (away / "home").symlink_to(tree.root)
    (away / "again").symlink_to(away)
    (away / "above").symlink_to(tmp_path)
    for name in ("first", "second"):
        (tree.root / "fs" / name).symlink_to(away)
    found = tree.open()
    assert len(found.places("far")) == 1
    assert found.places("iput") == ("fs/inode.c",)


def test_without_a_store(tree: Tree) -> None:
    tree.store = Store(None)
    assert tree.open().places("iput") == ("fs/inode.c",)


def test_processes_find_the_same(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_WORTH_PROCESSES", 1)
    parallel = tree.open(jobs=2).digest
    tree.store = Store(None)
    assert tree.open().digest == parallel


def _build(root: str, store: str) -> None:
    open_index(root, [], Store(Path(store)), time.time_ns(), 1)


def test_two_at_once(tree: Tree) -> None:
    tree.settle()
    context = multiprocessing.get_context("spawn")
    args = (str(tree.root), str(tree.root.parent / "store"))
    both = [context.Process(target=_build, args=args) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
        assert process.exitcode == 0
    assert tree.open().places("iput") == ("fs/inode.c",)
