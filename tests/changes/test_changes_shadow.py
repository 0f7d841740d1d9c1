"""Trees of links."""

from __future__ import annotations

from pathlib import Path

from gfpcheck.changes import Side, shadow

from .repository import Repository


def test_a_shadow_is_the_tree_but_for_what_differs(repository: Repository, tmp_path: Path) -> None:
    repository.write("src/deep/b.c", "int b;\n")
    repository.write("include/h.h", "int h;\n")
    repository.write("src/gone.c", "int gone;\n")
    side = Side(repository.root, "x", {"src/a.c": b"int a;\n", "src/gone.c": None, "new/n.c": b"int n;\n"})
    (tmp_path / "shadow").mkdir()
    root = shadow(side, tmp_path / "shadow", ["src"])
    assert {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()} == {
        "src/a.c": "int a;\n",
        "src/deep/b.c": "int b;\n",
        "new/n.c": "int n;\n",
    }
    assert (root / "include/h.h").read_text() == "int h;\n"
    assert (root / "include").is_symlink()
    assert not (root / "src").is_symlink()
    assert not (root / "src/deep").is_symlink()
    assert (root / "src").resolve() == root.resolve() / "src"
    assert (repository.root / "src/a.c").read_text() == Repository.before


def test_folders_that_nobody_asks_for_are_links(repository: Repository, tmp_path: Path) -> None:
    repository.write("src/deep/b.c", "int b;\n")
    (tmp_path / "shadow").mkdir()
    root = shadow(Side(repository.root, "x", {"src/a.c": b"int a;\n"}), tmp_path / "shadow", [])
    assert (root / "src/deep").is_symlink()
    assert (root / "src/a.c").read_text() == "int a;\n"
