"""A function with many callers: one finding for one hazard, with a count and the shortest chain; none for others."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from fixtures_harness import TREE

from gfpcheck.driver.options import Options
from gfpcheck.driver.run import run
from gfpcheck.findings import Finding

HEAD = """
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

struct many { spinlock_t lock; spinlock_t other; struct mutex mutex; void *buf; };

static void *many_grow(struct many *m)
{
	return kmalloc(64, GFP_KERNEL);
}

static void many_fill(struct many *m)
{
	m->buf = many_grow(m);
}
"""


def caller(number: int, lock: str, callee: str) -> str:
    kind, _, member = lock.partition(" ")
    take, give = (f"{kind}_lock(&m->{member});", f"{kind}_unlock(&m->{member});") if lock else ("", "")
    return f"""
void many_caller_{number}(struct many *m)
{{
	{take}
	{callee}(m);
	{give}
}}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "linux"
    shutil.copytree(TREE, tree)
    return tree


def found(tree: Path, callers: Iterable[str], files: int = 1) -> list[Finding]:
    """What is found in the functions, spread over `files` files that include the helpers."""
    folder = tree / "fs" / "many"
    folder.mkdir()
    texts = list(callers)
    (folder / "many.h").write_text(HEAD)
    for number in range(files):
        (folder / f"many{number}.c").write_text('#include "many.h"\n' + "".join(texts[number::files]))
    objects = " ".join(f"many{number}.o" for number in range(files))
    (folder / "Makefile").write_text(f"obj-y += {objects}\n")
    report = run(Options(paths=(folder,), jobs=1))
    assert report.losses == ()
    return list(report.findings)


def test_fifty_callers_are_one_finding(tree: Path) -> None:
    """Most come by way of another function; number 30 calls it directly."""
    callers = [caller(n, "spin lock", "many_grow" if n == 30 else "many_fill") for n in range(50)]
    (finding,) = found(tree, callers)
    assert (finding.rule, finding.place.function) == ("GFP101", "many_caller_30")
    assert finding.message.endswith("; the same from 49 other places")
    assert len(finding.properties["also"]) == 49
    assert {place["function"] for place in finding.properties["also"]} == {
        f"many_caller_{n}" for n in range(50) if n != 30
    }
    assert [step.place.function for step in finding.flow] == ["many_caller_30", "many_caller_30", "many_grow"]


def test_fifty_callers_in_five_files_are_one_finding(tree: Path) -> None:
    (finding,) = found(tree, (caller(n, "spin lock", "many_fill") for n in range(50)), 5)
    assert finding.message.endswith("; the same from 49 other places")


def test_one_of_two_hundred_callers_holds_a_lock(tree: Path) -> None:
    callers = [caller(n, "spin lock" if n == 137 else "mutex mutex" if n % 3 else "", "many_fill") for n in range(200)]
    (finding,) = found(tree, callers)
    assert (finding.rule, finding.place.function) == ("GFP101", "many_caller_137")
    assert "other place" not in finding.message


def test_two_hundred_callers_that_hold_none(tree: Path) -> None:
    assert found(tree, (caller(n, "mutex mutex" if n % 2 else "", "many_fill") for n in range(200))) == []


def test_callers_under_locks_of_two_classes_are_two_findings(tree: Path) -> None:
    callers = [caller(n, "spin lock" if n % 2 else "spin other", "many_fill") for n in range(20)]
    findings = found(tree, callers)
    assert [finding.message.rpartition("; ")[2] for finding in findings] == ["the same from 9 other places"] * 2
    assert {lock["class"] for finding in findings for lock in finding.properties["locks"]} == {
        "struct many.lock",
        "struct many.other",
    }


def test_the_flags_asked_for_are_told_where_a_scope_changes_them(tree: Path) -> None:
    scoped = """
void many_scoped(struct many *m)
{
	unsigned int scope = memalloc_nofs_save();

	spin_lock(&m->lock);
	m->buf = kmalloc(64, GFP_KERNEL);
	spin_unlock(&m->lock);
	memalloc_nofs_restore(scope);
}
"""
    findings = found(tree, ["#include <linux/sched/mm.h>\n" + scoped, caller(1, "spin lock", "many_grow")])
    asked = {
        finding.place.function: (finding.properties.get("gfp_asked"), finding.properties["gfp"]) for finding in findings
    }
    assert asked == {"many_scoped": ("GFP_KERNEL", "GFP_NOFS"), "many_caller_1": (None, "GFP_KERNEL")}
