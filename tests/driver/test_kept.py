"""What is kept between runs: used when nothing has changed, and never when something has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fixtures_harness import TREE

from gfpcheck import frontend
from gfpcheck.driver import kept, lower
from gfpcheck.driver.options import Options
from gfpcheck.driver.run import run
from gfpcheck.findings import Confidence, Level
from gfpcheck.store import Store
from gfpcheck.triage import Policy

from .kept_project import UNITS, Project, as_text

ALL = set(UNITS)
NOTHING: tuple[set[str], int] = (set(), 0)


def test_unchanged_nothing_is_done(project: Project) -> None:
    assert project.run() == (ALL, 1)
    assert project.run() == NOTHING
    assert [finding.rule for finding in run(project.options).findings] == ["GFP101"]


def test_a_copy_elsewhere_is_known(project: Project) -> None:
    """What units mean does not depend on where their tree lies."""
    project.run()
    copy = project.root.with_name("copy")
    shutil.copytree(project.root, copy)
    project.root = copy
    project.list_units(UNITS)
    assert project.run(paths=(copy,)) == (set(), 1)
    project.edit("include/memory.h", "GFP_ATOMIC 0", "GFP_ATOMIC GFP_KERNEL")
    assert project.run(paths=(copy,)) == (ALL, 1)


def test_touched_nothing_is_done(project: Project) -> None:
    project.run()
    for path in project.root.rglob("*.[ch]"):
        path.write_text(path.read_text())
        os.utime(path)
    assert project.run() == NOTHING


def test_edited_file(project: Project) -> None:
    project.run()
    project.edit("a.c", "GFP_KERNEL", "GFP_ATOMIC")
    assert project.run() == ({"a.c"}, 1)
    project.edit("a.c", "GFP_ATOMIC", "GFP_KERNEL")
    assert project.run() == NOTHING  # as before


def test_same_size_and_time(project: Project) -> None:
    """An edit that hides: the same size, and the time of modification set back."""
    project.run()
    path = project.root / "a.c"
    status = path.stat()
    project.edit("a.c", "GFP_KERNEL", "GFP_ATOMIC")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert project.run() == ({"a.c"}, 1)


def test_lines_above(project: Project) -> None:
    project.run()
    project.edit("a.c", "#include", "\n\n/* more */\n#include")
    assert project.run() == ({"a.c"}, 1)
    assert run(project.options).findings[0].place.line == 9


@pytest.mark.parametrize(
    ("name", "old", "new", "read"),
    [
        ("include/memory.h", "GFP_ATOMIC 0", "GFP_ATOMIC GFP_KERNEL", ALL),
        ("include/queue.h", "spin_enter(&q->lock)", "(void)q", ALL),  # d.c has it precompiled, too
        ("b_part.c", "GFP_ATOMIC", "GFP_KERNEL", {"b.c"}),
    ],
)
def test_edited_include(project: Project, name: str, old: str, new: str, read: set[str]) -> None:
    project.run()
    project.edit(name, old, new)
    assert project.run() == (read, 1)
    project.edit(name, new, old)
    assert project.run() == NOTHING


def test_file_that_appears_in_front_of_another(project: Project) -> None:
    project.list_units(UNITS, ("first", "include"))
    project.run()
    text = (project.root / "include/memory.h").read_text()
    project.write("first/memory.h", text.replace("GFP_ATOMIC 0", "GFP_ATOMIC 16"))
    assert project.run() == (ALL, 1)
    (project.root / "first/memory.h").unlink()
    assert project.run() == NOTHING


def test_file_that_appears_beside_its_includer(project: Project) -> None:
    project.edit("b.c", '"b_part.c"', '"part.h"')
    project.write("include/part.h", (project.root / "b_part.c").read_text())
    project.run()
    project.write("part.h", (project.root / "b_part.c").read_text().replace("GFP_ATOMIC", "GFP_KERNEL"))
    assert project.run() == ({"b.c"}, 1)


def test_include_that_is_missing_at_first(project: Project) -> None:
    project.edit("a.c", "<queue.h>", '<queue.h>\n#include "late.h"')
    assert project.run() == (ALL, 1)
    assert project.run() == ({"a.c"}, 1)  # not kept
    project.write("late.h", "#undef GFP_KERNEL\n#define GFP_KERNEL 0\n")
    assert project.run() == ({"a.c"}, 1)
    assert project.run() == NOTHING


def test_errors_are_kept(project: Project) -> None:
    project.edit("a.c", "queue_leave(q);", "queue_leave(q); nonsense;")
    assert project.run() == (ALL, 1)
    assert [loss.phase for loss in run(project.options).losses] == ["parse"]
    assert project.run() == NOTHING


def test_file_added_and_removed(project: Project) -> None:
    project.run()
    project.write("e.c", (project.root / "a.c").read_text().replace("void a(", "void e("))
    project.list_units((*UNITS, "e.c"))
    assert project.run() == ({"e.c"}, 1)
    (project.root / "c.c").unlink()
    project.list_units(("a.c", "b.c", "d.c", "e.c"))
    assert project.run() == (set(), 1)
    project.list_units(("b.c", "d.c", "e.c"))
    assert project.run() == (set(), 1)  # e.c provides the header functions that a.c did


def test_other_arguments(project: Project) -> None:
    project.run()
    project.list_units(UNITS, ("include", "other"))
    assert project.run() == (ALL, 1)


def test_other_models(project: Project) -> None:
    project.run()
    model = project.model.read_text()
    project.model.write_text(model.replace('"GFP_KERNEL"', '"GFP_ATOMIC"'))
    assert project.run() == (set(), 1)
    project.model.write_text(model.replace("take_big", "take_bigger"))
    assert project.run() == (ALL, 1)  # functions that models know are not looked into
    project.model.write_text(model)
    assert project.run() == NOTHING


def _rule_folder(project: Project) -> Path:
    """A folder with a rule of one's own: GFP101 under another name, with a word in its message."""
    folder = project.root.parent / "rules"
    folder.mkdir()
    text = (TREE.parent.parent / "rules/gfp101_sleeping_alloc_in_atomic.py").read_text()
    text = text.replace("GFP101", "OWN101").replace("sleeping-alloc-in-atomic", "own-rule")
    (folder / "own.py").write_text(text)
    return folder


def test_other_rules(project: Project) -> None:
    rules = _rule_folder(project)
    assert project.run(rule_dirs=(rules,)) == (ALL, 1)
    assert project.run(rule_dirs=(rules,)) == NOTHING
    assert project.run() == (set(), 1)
    text = (rules / "own.py").read_text()
    (rules / "own.py").write_text(text.replace("own-rule", "own-other"))
    assert project.run(rule_dirs=(rules,)) == (set(), 1)
    (rules / "_helper.py").write_text("X = 1\n")
    assert project.run(rule_dirs=(rules,)) == (set(), 1)
    assert project.run(rule_dirs=(rules,)) == NOTHING


def test_other_options(project: Project) -> None:
    project.run()
    assert project.run(select=("GFP3",)) == (set(), 1)
    assert project.run(ignore=("GFP101",)) == (set(), 1)
    assert project.run(min_confidence=Confidence.HIGH) == NOTHING
    assert project.run(policy=Policy(levels={"GFP101": Level.NOTE}, record=True)) == NOTHING
    assert project.run(paths=(project.root / "a.c",)) == (set(), 1)
    assert project.run(jobs=2) == NOTHING
    assert project.run(command_line="gfpcheck --quiet") == NOTHING


def test_other_version_of_the_tool(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.run()
    monkeypatch.setattr(kept, "code_digest", lambda *_: "another")
    assert project.run() == (set(), 1)
    monkeypatch.setattr(lower, "code_digest", lambda *_: "another")
    assert project.run() == (ALL, 1)


def test_other_libclang(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.run()
    monkeypatch.setattr(frontend, "identity", lambda: ("another",))
    assert project.run() == (ALL, 1)


@pytest.mark.parametrize("harm", [lambda data: b"", lambda data: data[:-1], lambda data: data[:40] + b"!" + data[41:]])
def test_damaged_entries(project: Project, harm: Callable[[bytes], bytes]) -> None:
    project.run()
    kinds = {path.name: sorted(path.rglob("*")) for path in (project.cache / "store").iterdir()}
    assert {"ir", "inputs", "report", "stamps", "constants"} <= set(kinds)
    for files in kinds.values():
        for path in files:
            if path.is_file():
                path.write_bytes(harm(path.read_bytes()))
    assert project.run() == (ALL, 1)
    assert project.run() == NOTHING


@pytest.mark.parametrize("kind", ["ir", "inputs", "report", "stamps", "constants", "header", "pieces"])
def test_entries_that_went(project: Project, kind: str) -> None:
    project.run()
    before = set((project.cache / "store").iterdir())
    shutil.rmtree(project.cache / "store" / kind)
    project.edit("d.c", "64", "65")
    project.run()
    assert project.run() == NOTHING
    assert set((project.cache / "store").iterdir()) == before


def test_file_that_changes_while_it_is_read(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made of the old contents must not be taken for what the new ones mean, nor the other way round."""
    read_units = frontend.read_units
    project.settle()

    def edit_after(units, settings, pool):  # type: ignore[no-untyped-def]
        for number, batch in enumerate(read_units(units, settings, pool)):
            if not number:
                project.edit("include/memory.h", "GFP_ATOMIC 0", "GFP_ATOMIC GFP_KERNEL")
                project.edit("d.c", "take_big(64)", "take(64, 1)")
            yield batch

    monkeypatch.setattr(frontend, "read_units", edit_after)
    run(project.options)
    monkeypatch.setattr(frontend, "read_units", read_units)
    assert project.run() == (ALL, 1)
    project.edit("d.c", "take(64, 1)", "take_big(64)")
    project.edit("include/memory.h", "GFP_ATOMIC GFP_KERNEL", "GFP_ATOMIC 0")
    assert project.run() == (ALL, 1)
    project.edit("include/memory.h", "GFP_ATOMIC 0", "GFP_ATOMIC GFP_KERNEL")
    assert project.run() == ({"d.c"}, 1)


def test_disk_that_is_full(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gfpcheck.store.entries._write", full)
    assert project.run() == (ALL, 1)
    assert project.run() == (ALL, 1)
    said = "the cache cannot be written (No space left on device); the next run will start from nothing"
    assert said in project.said


def test_limit(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def size() -> int:
        return sum(path.stat().st_size for path in (project.cache / "store").rglob("*") if path.is_file())

    project.run()
    limit = size() * 2 // 3
    monkeypatch.setattr("gfpcheck.driver.run.open_store", lambda cache: Store(cache and cache / "store", limit))
    for number in range(3):
        project.edit("a.c", "take(", f"take({number} + ")
        project.run()
        assert 0 < size() <= limit


# --- a kernel ---------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "linux"
    shutil.copytree(TREE, root)
    return root


EDITS = {
    "Kconfig": ("fs/minifs/Kconfig", "config MINIFS_QUOTA", "config MINIFS_OTHER"),
    "Makefile": ("fs/minifs/Makefile", "inode.o ", ""),
    "top Makefile": ("Makefile", "PATCHLEVEL = 12", "PATCHLEVEL = 11"),
    "header": ("include/linux/spinlock.h", "#define", "#define MORE\n#define"),
}


@pytest.mark.parametrize("which", EDITS)
def test_kernel(tree: Path, tmp_path: Path, which: str, project: Project) -> None:
    options = Options(paths=(tree / "fs/minifs",), jobs=1, cache_dir=tmp_path / "kernel-cache")

    def check() -> str:
        project.settle()
        text = as_text(run(options))
        assert text == as_text(run(replace(options, cache_dir=None)))
        return text

    first = check()
    project.analysed = 0
    run(options)
    assert project.analysed == 0
    name, old, new = EDITS[which]
    text = (tree / name).read_text()
    assert old in text
    (tree / name).write_text(text.replace(old, new, 1))
    check()
    (tree / name).write_text(text)
    assert check() == first


def test_kernel_with_a_cache_that_cannot_hold_its_headers(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/overlay").write_text("no folder")
    said: list[str] = []
    options = Options(paths=(tree / "fs/minifs",), jobs=1, cache_dir=tmp_path / "own", announce=said.append)
    assert as_text(run(options)) == as_text(run(replace(options, cache_dir=None, announce=None)))
    assert (
        f"cannot write generated headers to the cache directory {tmp_path}/own: File exists; going on without it"
        in said
    )
