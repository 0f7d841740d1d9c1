"""Packages whose `configure` has not run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gfpcheck.kbuild import Plan, make_plan

from .kbuild_tree import make_tree


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A module as its release leaves it: templates, and what makes Makefiles of them."""
    root = tmp_path / "package"
    for name in ("configure", "Makefile.in", "module/Kbuild.in", "module/Makefile.in", "module/core/Makefile.in"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("obj-m := demo.o\n")
    (root / "module/core/main.c").write_text("int x;\n")
    (root / "module/core/deep").mkdir()
    (root / "module/core/deep/part.c").write_text("int y;\n")
    return root


def plan(path: Path, tmp_path: Path) -> Plan:
    tree = tmp_path / "linux"
    if not tree.exists():
        make_tree(tree)
    return make_plan([path], tree=tree, cache_dir=tmp_path / "cache")


@pytest.mark.parametrize("place", ["", "module", "module/core/deep/part.c"])
def test_what_configure_has_not_made_is_told(package: Path, tmp_path: Path, place: str) -> None:
    found = plan(package / place, tmp_path)
    assert found.unmade == (
        f"{package}/module/Kbuild.in has not been made into a Kbuild yet: run configure in {package} first"
    )
    assert found.setup.endswith(f"; {found.unmade}")
    assert found.units


def test_plain_c_may_want_a_configure_too(package: Path, tmp_path: Path) -> None:
    (package / "module/Kbuild.in").unlink()
    found = make_plan([package / "module"], cache_dir=tmp_path / "cache")
    assert (found.source, found.unmade.startswith(f"{package}/module/core/Makefile.in has not")) == ("plain C", True)


def test_what_was_made_is_no_problem(package: Path, tmp_path: Path) -> None:
    (package / "module/core/Makefile").write_text("obj-m := main.o\n")
    (package / "module/Kbuild").write_text("obj-m := core/\n")
    found = plan(package / "module/core/main.c", tmp_path)
    assert (found.unmade, ";" in found.setup) == ("", False)


def test_a_package_without_templates(tmp_path: Path) -> None:
    (tmp_path / "configure").write_text("")
    (tmp_path / "module").mkdir()
    (tmp_path / "module/main.c").write_text("int x;\n")
    assert plan(tmp_path / "module", tmp_path).unmade == ""


def test_nobody_needs_makefiles_who_has_compile_commands(package: Path, tmp_path: Path) -> None:
    entry = {"directory": ".", "file": "module/core/main.c", "command": "gcc -c main.c"}
    (package / "compile_commands.json").write_text(json.dumps([entry]))
    assert plan(package / "module", tmp_path).unmade == ""


def test_a_kernel_has_templates_that_are_none_of_these(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "linux")
    (tree / "fs/demo/Makefile").rename(tree / "fs/demo/Makefile.in")
    assert plan(tree / "fs/demo/inode.c", tmp_path).unmade == ""
