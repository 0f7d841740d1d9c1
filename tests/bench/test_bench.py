"""The benchmark edits a copy and nothing else, and tells what a command cost."""

import os
import sys
from pathlib import Path

from bench.farm import farm, touch
from bench.measure import measure


def test_only_the_copy_is_edited(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "fs" / "a").mkdir(parents=True)
    (tree / "fs" / "b").mkdir()
    (tree / "Makefile").write_text("")
    (tree / "fs" / "a" / "x.c").write_text("int x;\n")
    copy = farm(tree, "fs/a", tmp_path / "farm")
    touched = touch(copy)
    assert touched.read_text().startswith("int x;\n")
    assert "gfpcheck_bench_touched" in touched.read_text()
    assert (tree / "fs" / "a" / "x.c").read_text() == "int x;\n"
    assert (tmp_path / "farm" / "Makefile").is_symlink()
    assert (tmp_path / "farm" / "fs" / "b").is_symlink()


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    cost = measure([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, os.environ)
    assert cost.code == 3
    assert cost.mib > 0
