"""Callees outside the paths asked for."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fixtures_harness import TREE

from gfpcheck import frontend
from gfpcheck.driver.options import Options
from gfpcheck.driver.run import run
from gfpcheck.findings import Report
from gfpcheck.store import is_settled, stamp

CALLER = """
#include <linux/spinlock.h>
#include <linux/slab.h>

void *library_grow(size_t size);
void *library_deeper(size_t size);
void *library_twin(size_t size);
void library_lock(spinlock_t *lock);
void library_unlock(spinlock_t *lock);

struct caller { spinlock_t lock; void *data; };

void caller_grow(struct caller *c)
{
	spin_lock(&c->lock);
	c->data = library_grow(8);
	spin_unlock(&c->lock);
}

void caller_deeper(struct caller *c)
{
	spin_lock(&c->lock);
	c->data = library_deeper(8);
	spin_unlock(&c->lock);
}

void caller_twin(struct caller *c)
{
	spin_lock(&c->lock);
	c->data = library_twin(8);
	spin_unlock(&c->lock);
}

void caller_wrapped(struct caller *c)
{
	library_lock(&c->lock);
	c->data = kmalloc(8, GFP_KERNEL);
	library_unlock(&c->lock);
}
"""
LIBRARY = """
#include <linux/spinlock.h>
#include <linux/slab.h>

static DEFINE_SPINLOCK(library_own);

void *bottom_grow(size_t size);

static void *grow(size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}

void *library_grow(size_t size)
{
	return grow(size);
}

void *library_deeper(size_t size)
{
	return bottom_grow(size);
}

void library_lock(spinlock_t *lock)
{
	spin_lock(lock);
}

void library_unlock(spinlock_t *lock)
{
	spin_unlock(lock);
}

void library_unasked(void)
{
	spin_lock(&library_own);
	kmalloc(8, GFP_KERNEL);
	spin_unlock(&library_own);
}
"""
BOTTOM = """
#include <linux/slab.h>

void *bottom_grow(size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}
"""
TWIN = """
#include <linux/slab.h>

void *library_twin(size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}
"""


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """A run over fs/caller of a kernel that has a library in three other folders."""
    root = tmp_path / "linux"
    shutil.copytree(TREE, root)
    files = {"fs/caller/caller": CALLER, "lib/library": LIBRARY, "mm/bottom": BOTTOM, "net/one": TWIN, "ipc/two": TWIN}
    for name, text in files.items():
        path = root / f"{name}.c"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (path.parent / "Makefile").write_text(f"obj-y += {path.stem}.o\n")
    return Options(paths=(root / "fs/caller",), select=("GFP101",), jobs=1, cache_dir=tmp_path / "cache", follow=1)


def _found(report: Report) -> set[str]:
    return {finding.place.function for finding in report.findings}


def test_what_is_called_in_another_folder_is_known(options: Options) -> None:
    report = run(options)
    assert _found(report) == {"caller_grow", "caller_wrapped"}
    assert report.losses == ()
    assert report.counts["followed files"] == 1
    assert report.counts["distant callees"] == 1
    assert report.counts["ambiguous callees"] == 1
    assert report.counts["files"] == 1


def test_nothing_is_followed_unless_asked(options: Options) -> None:
    report = run(replace(options, follow=0))
    assert _found(report) == set()
    assert "followed files" not in report.counts or report.counts["followed files"] == 0


def test_farther_files_are_followed_if_asked(options: Options) -> None:
    report = run(replace(options, follow=2))
    assert _found(report) == {"caller_grow", "caller_deeper", "caller_wrapped"}
    assert report.counts["followed files"] == 2


def test_the_chain_leads_into_the_other_file(options: Options) -> None:
    (finding,) = (f for f in run(options).findings if f.place.function == "caller_grow")
    assert [step.place.file for step in finding.flow][-1] == "lib/library.c"
    assert finding.place.file == "fs/caller/caller.c"


def test_a_primitive_is_not_looked_into(options: Options, tmp_path: Path) -> None:
    model = tmp_path / "model.toml"
    model.write_text('opaque = ["lib/"]\n')
    report = run(replace(options, models=(model,)))
    assert _found(report) == set()
    assert report.counts["opaque callees"] == 4
    # Whether it is built makes no difference: its parts may be included by another file.
    (options.paths[0].parent.parent / "lib/Makefile").write_text("obj-n += library.o\n")
    report = run(replace(options, models=(model,)))
    assert (report.counts["opaque callees"], report.counts["unbuilt callees"]) == (4, 0)


def test_what_is_followed_decides_whether_a_report_is_kept(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    root = options.paths[0].parent.parent
    read: list[str] = []
    read_units = frontend.read_units

    def reading(units, settings, pool):  # type: ignore[no-untyped-def]
        read.extend(unit.rel for unit in units)
        return read_units(units, settings, pool)

    monkeypatch.setattr(frontend, "read_units", reading)

    def again() -> set[str]:
        read.clear()
        kept, fresh = run(options), run(replace(options, cache_dir=None))
        assert kept == fresh
        return _found(kept)

    library = root / "lib/library.c"
    while not is_settled(stamp(str(library)), time.time_ns()):  # what has just changed is not kept
        time.sleep(0.01)
    again()
    library.write_text(LIBRARY.replace("kmalloc(size, GFP_KERNEL)", "kmalloc(size, GFP_ATOMIC)"))
    assert again() == {"caller_wrapped"}
    assert read[0] == "lib/library.c"
    library.write_text(LIBRARY.replace("*library_grow", "*library_gone"))  # defined nowhere now
    assert again() == {"caller_wrapped"}
    (root / "lib/other.c").write_text(
        "#include <linux/slab.h>\nvoid *library_grow(size_t s)\n{\n\treturn vmalloc(s);\n}\n"
    )
    (root / "lib/Makefile").write_text("obj-y += library.o other.o\n")
    assert again() == {"caller_grow", "caller_wrapped"}


def test_a_makefile_decides_between_twins(options: Options) -> None:
    root = options.paths[0].parent.parent
    run(options)
    (root / "ipc/Makefile").write_text("obj-n += two.o\n")
    kept, fresh = run(options), run(replace(options, cache_dir=None))
    assert kept == fresh
    assert _found(kept) == {"caller_grow", "caller_twin", "caller_wrapped"}
    assert kept.counts["ambiguous callees"] == 0
    (root / "net/Makefile").write_text("obj-n += one.o\n")
    kept = run(options)
    assert "caller_twin" not in _found(kept)
    assert kept.counts["unbuilt callees"] == 1


def test_a_nearer_definition_is_taken(options: Options) -> None:
    root = options.paths[0].parent.parent
    (root / "fs/near.c").write_text(TWIN)
    (root / "fs/Makefile").write_text("obj-y += near.o caller/\n")
    assert "caller_twin" in _found(run(options))


def test_a_static_function_is_nobody_elses(options: Options) -> None:
    root = options.paths[0].parent.parent
    (root / "net/one.c").write_text(TWIN.replace("void *", "static void *"))
    report = run(options)
    assert report.counts["ambiguous callees"] == 0
    assert "caller_twin" in _found(report)


def test_a_name_in_text_that_is_no_function_is_unknown(options: Options) -> None:
    root = options.paths[0].parent.parent
    (root / "lib/library.c").write_text(f"#if 0\n{LIBRARY}\n#endif\n")
    report = run(options)
    assert _found(report) == set()
    assert report.counts["unknown callees"] == 4


def test_tables_of_other_files_are_no_way_into_them(options: Options) -> None:
    """Followed files give facts of what is called. Their tables neither make reclaim enter, nor widen pointers."""
    root = options.paths[0].parent.parent
    table = """
static unsigned long library_scan(struct shrinker *s, struct shrink_control *sc)
{
	library_unasked();
	return 0;
}

static struct shrinker library_shrinker = { .scan_objects = library_scan };
"""
    (root / "lib/library.c").write_text(LIBRARY.replace("#include <linux/slab.h>", "#include <linux/fs.h>") + table)
    with_table = run(options)
    assert with_table.losses == ()
    assert with_table.counts["reclaim roots"] == 0
    assert _found(with_table) == {"caller_grow", "caller_wrapped"}


def test_recursion_through_two_files_ends(options: Options) -> None:
    root = options.paths[0].parent.parent
    (root / "mm/bottom.c").write_text(
        "#include <linux/slab.h>\nint more;\nvoid *library_deeper(size_t);\nvoid *bottom_grow(size_t n)\n{\n"
        "\tif (more)\n\t\treturn library_deeper(n);\n\treturn kmalloc(n, GFP_KERNEL);\n}\n"
    )
    assert "caller_deeper" in _found(run(replace(options, follow=9)))


def test_a_broken_file_is_a_loss_of_its_own(options: Options) -> None:
    broken = "void *broken(void)\n{\n\treturn nothing + nowhere;\n}\n"
    (options.paths[0].parent.parent / "lib/library.c").write_text(f"{LIBRARY}{broken}")
    report = run(options)
    (loss,) = report.losses
    assert loss.phase == "follow"
    assert loss.why.endswith("(and 1 more)")
    assert "caller_grow" in _found(report)
