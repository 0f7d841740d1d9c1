"""What a change introduces, and only that."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fixtures_harness import TREE

from gfpcheck import frontend
from gfpcheck.changes import Contents, Side
from gfpcheck.driver.compare import compare
from gfpcheck.driver.options import Options, Progress, RunError
from gfpcheck.driver.run import run
from gfpcheck.findings import Confidence, Report

HEAD = """
#include <linux/spinlock.h>
#include <linux/slab.h>
#include "own.h"

struct box { spinlock_t lock; void *data; };
"""
FILL = """
void box_fill(struct box *b)
{
	b->data = kmalloc(8, GFP_KERNEL);
}
"""
OLD = """
void box_old(struct box *b)
{
	spin_lock(&b->lock);
	b->data = kmalloc(8, GFP_KERNEL);
	spin_unlock(&b->lock);
}
"""
CALLER = """
#include <linux/spinlock.h>
#include <linux/slab.h>
#include "own.h"

struct shelf { spinlock_t lock; };

void shelf_fill(struct shelf *s, struct box *b)
{
	spin_lock(&s->lock);
	box_own(b);
	spin_unlock(&s->lock);
}
"""
HEADER = """
#pragma once
struct box;
#define BOX_FLAGS GFP_ATOMIC
void box_own(struct box *b);
"""
OWN = """
void box_own(struct box *b)
{
	b->data = kmalloc(8, BOX_FLAGS);
}
"""
BOX = HEAD + OLD + FILL + OWN


class Tree:
    """A kernel with a folder fs/box, and what a change to it introduces."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "linux"
        shutil.copytree(TREE, self.root)
        (self.root / "fs/box").mkdir()
        texts = {"box.c": BOX, "shelf.c": CALLER, "own.h": HEADER, "Makefile": "obj-y += box.o shelf.o\n"}
        for name, text in texts.items():
            (self.root / "fs/box" / name).write_text(text)
        self.options = Options(
            paths=(self.root,), select=("GFP101",), jobs=1, cache_dir=folder / "cache", min_confidence=Confidence.LOW
        )

    def side(self, replaced: dict[str, str | None], name: str = "after") -> Side:
        files: Contents = {f"fs/box/{file}": None if text is None else text.encode() for file, text in replaced.items()}
        return Side(self.root, name, files)

    def compare(self, *sides: Side, within: tuple[str, ...] = ()) -> Report:
        return compare([self.side({}, "before"), *sides], within, self.options)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def places(report: Report) -> list[tuple[str, int]]:
    return [(finding.place.file, finding.place.line) for finding in report.findings]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_what_was_there_before_is_not_reported(tree: Tree) -> None:
    report = tree.compare(tree.side({"box.c": BOX.replace("kmalloc(8, GFP_KERNEL);\n}\n", "NULL;\n}\n", 1)}))
    assert places(report) == []
    assert report.counts["older findings"] == 1
    assert report.counts["changed files"] == 1


def test_a_lock_that_covers_an_unchanged_allocation(tree: Tree) -> None:
    after = BOX.replace(
        FILL, FILL.replace("{\n", "{\n\tspin_lock(&b->lock);\n").replace(";\n}", ";\n\tspin_unlock(&b->lock);\n}")
    )
    report = tree.compare(tree.side({"box.c": after}))
    (finding,) = report.findings
    assert finding.place.line == line_of(after, "void box_fill") + 2
    assert finding.message.startswith(f"because of this change, in line {finding.place.line + 1}: kmalloc()")
    assert finding.properties["found_at"] == {"file": "fs/box/box.c", "line": finding.place.line + 1, "column": 12}
    assert finding.properties["hunk"] == {"line": finding.place.line, "count": 1, "removed": []}


def test_a_finding_tells_what_the_change_has_done_there(tree: Tree) -> None:
    after = CALLER.replace("\tbox_own(b);", "\tb = kmalloc(8, GFP_KERNEL);\n\tbox_own(b);").replace(
        "\tspin_lock(&s->lock);", "\tspin_lock_bh(&s->lock);"
    )
    (finding,) = tree.compare(tree.side({"shelf.c": after})).findings
    line = line_of(after, "\tspin_lock_bh")
    assert finding.properties["hunk"] == {"line": line, "count": 2, "removed": ["\tspin_lock(&s->lock);"]}
    removal = CALLER.replace("\tspin_unlock(&s->lock);\n", "\tb = kmalloc(8, GFP_KERNEL);\n")
    (finding,) = tree.compare(tree.side({"shelf.c": removal})).findings
    assert finding.properties["hunk"]["removed"] == ["\tspin_unlock(&s->lock);"]


def test_where_a_change_only_removes(tree: Tree) -> None:
    after = BOX.replace(OLD, OLD + OLD.replace("box_old", "box_new")).replace(
        "\tspin_unlock(&b->lock);\n}", "\tspin_unlock(&b->lock);\n\tb->data = kmalloc(9, GFP_KERNEL);\n}"
    )
    before = tree.side({"box.c": after}, "before")
    later = after.replace("\tspin_unlock(&b->lock);\n\tb->data", "\tb->data", 1)
    report = compare([before, tree.side({"box.c": later})], (), tree.options)
    (finding,) = report.findings
    assert finding.properties["hunk"]["count"] == 0
    assert finding.properties["hunk"]["removed"] == ["\tspin_unlock(&b->lock);"]


def test_flags_of_a_helper_that_others_call_under_a_lock(tree: Tree) -> None:
    after = HEADER.replace("GFP_ATOMIC", "GFP_KERNEL")
    report = tree.compare(tree.side({"own.h": after}))
    (finding,) = report.findings
    assert finding.place.file == "fs/box/own.h"
    assert "fs/box/shelf.c:11" in finding.message


def test_a_call_under_a_lock(tree: Tree) -> None:
    after = CALLER.replace("box_own(b);", "box_fill(b);").replace(
        '#include "own.h"', '#include "own.h"\nvoid box_fill(struct box *);'
    )
    report = tree.compare(tree.side({"shelf.c": after}))
    assert places(report) == [("fs/box/shelf.c", line_of(after, "\tbox_fill(b)"))]


def test_new_and_removed_files(tree: Tree) -> None:
    new = tree.compare(
        tree.side({"new.c": HEAD + OLD.replace("box_old", "box_new"), "Makefile": "obj-y += box.o shelf.o new.o\n"})
    )
    assert [file for file, _ in places(new)] == ["fs/box/new.c"]
    gone = tree.compare(tree.side({"box.c": None, "Makefile": "obj-y += shelf.o\n"}))
    assert places(gone) == []
    assert gone.counts["removed findings"] == 1


def test_lines_that_move_are_no_news(tree: Tree) -> None:
    assert places(tree.compare(tree.side({"box.c": "\n\n\n" + BOX}))) == []


def test_of_a_series_each_finding_names_its_patch(tree: Tree) -> None:
    one = BOX + OLD.replace("box_old", "box_one")
    two = one + OLD.replace("box_old", "box_two") + OLD.replace("box_old", "box_gone")
    three = one + OLD.replace("box_old", "box_two")
    sides = [tree.side({"box.c": text}, name) for name, text in (("One", one), ("Two", two), ("Three", three))]
    report = tree.compare(*sides)
    patches = [(f.place.function, f.properties["patch"], f.properties["patch_number"]) for f in report.findings]
    assert patches == [("box_one", "One", 1), ("box_two", "Two", 2)]
    assert report.counts["findings of one patch that a later one removes"] == 1


def test_of_a_series_a_finding_stands_at_a_line_of_its_patch(tree: Tree) -> None:
    called = BOX.replace(
        FILL, FILL.replace("{\n", "{\n\tspin_lock(&b->lock);\n\tbox_grow(b);\n\tspin_unlock(&b->lock);\n")
    )
    grow = "\nvoid box_grow(struct box *b)\n{\n\tb->data = kmalloc(8, GFP_KERNEL);\n}\n"
    before = called.replace("\tspin_lock(&b->lock);\n\tbox_grow(b);\n\tspin_unlock(&b->lock);\n", "\tbox_grow(b);\n")
    sides = [
        tree.side({"box.c": HEAD + "void box_grow(struct box *b);\n" + text + more}, name)
        for name, text, more in (
            ("before", before.removeprefix(HEAD), grow),
            ("Lock", called.removeprefix(HEAD), grow),
            ("Grow", called.removeprefix(HEAD), grow.replace("kmalloc(8", "kmalloc(16")),
        )
    ]
    report = compare(sides, (), tree.options)
    (finding,) = report.findings
    after = (sides[-1].read("fs/box/box.c") or b"").decode()
    assert finding.properties["patch"] == "Lock"
    assert finding.place.line == line_of(after, "\tspin_lock(&b->lock);\n\tbox_grow")
    assert finding.message.startswith(f"because of this change, in line {finding.place.line + 1}: box_grow()")


def test_the_report_quotes_the_changed_file_of_the_users_tree(tree: Tree) -> None:
    report = tree.compare(tree.side({"box.c": BOX + OLD.replace("box_old", "box_new")}))
    assert report.root == str(tree.root)
    assert b"box_new" in (report.replaced["fs/box/box.c"] or b"")
    assert (tree.root / "fs/box/box.c").read_text() == BOX


def test_the_users_tree_is_named(tree: Tree) -> None:
    """And not the folder of links that stands for it: here of a tree that was prepared, whose headers are in it."""
    (tree.root / ".config").write_text("CONFIG_X86_64=y\nCONFIG_64BIT=y\n")
    told: list[str] = []
    tree.options = replace(tree.options, announce=told.append)
    report = tree.compare(tree.side({"box.c": BOX + OLD.replace("box_old", "box_new")}))
    assert str(tree.root / ".config") in report.setup
    assert told == [report.setup]


def test_nothing_to_look_at(tree: Tree) -> None:
    assert places(tree.compare(tree.side({}))) == []
    header = Side(tree.root, "after", {"include/linux/slab.h": b"/* nothing */\n"})
    report = compare([tree.side({}), header], (), tree.options)
    assert report.setup == "the change: no C file is built together with the changed ones"


def test_what_to_look_at_may_be_named(tree: Tree) -> None:
    text = (tree.root / "include/linux/slab.h").read_text()
    header = Side(
        tree.root,
        "after",
        {"include/linux/slab.h": f"{text}\n#undef GFP_ATOMIC\n#define GFP_ATOMIC GFP_KERNEL\n".encode()},
    )
    report = compare([tree.side({}), header], ("fs/box",), tree.options)
    assert [finding.place.file for finding in report.findings] == ["include/linux/slab.h"]
    with pytest.raises(RunError):
        compare([tree.side({}), header], ("fs/box",), replace(tree.options, select=("nonsense",)))


def test_one_more_caller_of_a_known_hazard(tree: Tree) -> None:
    before = CALLER.replace("box_own(b);", "box_fill(b);").replace(
        '#include "own.h"', '#include "own.h"\nvoid box_fill(struct box *);'
    )
    more = before + before[before.index("void shelf_fill") :].replace("shelf_fill", "shelf_more")
    sides = [tree.side({"shelf.c": text}) for text in (before, more)]
    (finding,) = compare(sides, (), tree.options).findings
    assert finding.place.line >= line_of(more, "void shelf_more")
    assert places(compare([sides[1], sides[0]], (), tree.options)) == []


def test_what_a_change_writes_is_read_once(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    read_units = frontend.read_units

    def reading(units, settings, pool):  # type: ignore[no-untyped-def]
        read.extend(unit.rel for unit in units)
        return read_units(units, settings, pool)

    monkeypatch.setattr(frontend, "read_units", reading)
    one = tree.side({"box.c": BOX + OLD.replace("box_old", "box_one")})
    two = tree.side({"box.c": BOX + OLD.replace("box_old", "box_one"), "shelf.c": CALLER + "\n"})
    tree.compare(one, two)
    first = sorted(read)
    assert first.count("fs/box/box.c") == 2  # as it was, and as the first patch leaves it
    read.clear()
    again = tree.compare(one, two)
    assert read == []
    assert [finding.place.function for finding in again.findings] == ["box_one"]


def test_what_is_known_of_the_tree_as_it_is_is_looked_up_beside_the_change(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysed: list[Path] = []

    def noting(options: Options, progress: Progress | None = None) -> Report:
        analysed.append(options.paths[0])
        return run(options, progress)

    monkeypatch.setattr("gfpcheck.driver.compare.run", noting)
    one = tree.side({"box.c": BOX + OLD.replace("box_old", "box_one")})
    alone = tree.compare(one)
    tree.options = replace(tree.options, jobs=2, cache_dir=tree.root.parent / "other")
    first = tree.compare(one)
    assert analysed[-1] == tree.root / "fs/box"  # nothing was known
    del analysed[:]
    again = tree.compare(one)
    assert len(analysed) == 1
    assert analysed[0] != tree.root / "fs/box"
    assert alone.findings == first.findings == again.findings
    assert alone.counts == first.counts == again.counts
