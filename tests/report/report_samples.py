"""Reports built by hand over small C sources, for the tests of the reporters."""

from __future__ import annotations

import io
import os
from pathlib import Path

from gfpcheck.findings import Confidence, Finding, Level, Loss, Place, Report, RuleInfo, Step
from gfpcheck.report import write

POOL_C = """\
#include "pool.h"

/* Fills the pool. */
static struct buf *pool_grow(struct pool *p)
{
	return kmalloc(sizeof(struct buf), GFP_KERNEL);
}

struct buf *pool_get(struct pool *p)
{
	struct buf *b;

	spin_lock(&p->lock);
	b = pool_grow(p);
	spin_unlock(&p->lock);
	return b;
}
"""

SHRINK_C = """\
static unsigned long pool_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct pool *p = s->private_data;

	if (!(sc->gfp_mask & __GFP_FS))
		return SHRINK_STOP;
	return pool_drop(p);
}

unsigned long pool_drop(struct pool *p)
{
	mutex_lock(&p->map);	/* blocks */
	return 0;
}

int pool_map(struct pool *p)
{
	mutex_lock(&p->map);
	p->page = kzalloc(64, GFP_KERNEL);
	mutex_unlock(&p->map);
	return 0;
}
"""

RULES = (
    RuleInfo(
        id="GFP101",
        name="sleeping-alloc-in-atomic",
        family="atomic",
        level=Level.ERROR,
        summary="An allocation that may sleep where sleeping is forbidden.",
        help="# What it finds\n\nAn allocation that may sleep is made\nunder a spinlock.\n\n```c\nspin_lock(l);\n```",
    ),
    RuleInfo(
        id="GFP201",
        name="missing-nofs",
        family="reclaim",
        level=Level.WARNING,
        summary="An allocation can enter reclaim, which takes a lock that is held.",
        help="Reclaim may call back into the filesystem.",
    ),
    RuleInfo(
        id="GFP103",
        name="alloc-under-raw-lock",
        family="atomic",
        level=Level.WARNING,
        summary="An allocation under a raw spinlock.",
        help="",
        default=False,
    ),
)

IN_ATOMIC = Finding(
    rule="GFP101",
    level=Level.ERROR,
    confidence=Confidence.HIGH,
    place=Place("mm/pool.c", 14, 6, "pool_get"),
    message="pool_grow() leads to kmalloc() with GFP_KERNEL, which may sleep, under the spinlock pool.lock",
    flow=(
        Step(Place("mm/pool.c", 13, 2, "pool_get"), "the spinlock pool.lock is taken here", "acquire", 0, True),
        Step(Place("mm/pool.c", 14, 6, "pool_get"), "pool_get() calls pool_grow()", "call", 0),
        Step(Place("mm/pool.c", 6, 9, "pool_grow"), "kmalloc() allocates with GFP_KERNEL", "allocation", 1, True),
    ),
    subject=("pool_get", "pool_grow", "pool.lock", "kmalloc"),
    properties={"function": "pool_get", "gfp": "GFP_KERNEL", "depth": 1},
)

MISSING_NOFS = Finding(
    rule="GFP201",
    level=Level.WARNING,
    confidence=Confidence.MEDIUM,
    place=Place("mm/shrink.c", 19, 12, "pool_map"),
    message="kzalloc() with GFP_KERNEL may enter reclaim, which takes pool.map, held here",
    flow=(
        Step(Place("mm/shrink.c", 18, 2, "pool_map"), "the mutex pool.map is taken here", "acquire", 0, True),
        Step(Place("mm/shrink.c", 19, 12, "pool_map"), "kzalloc() allocates with GFP_KERNEL", "allocation", 0, True),
    ),
    other=(
        Step(Place("mm/shrink.c", 1, 22, "pool_scan"), "reclaim calls pool_scan()", "reclaim", 0),
        Step(Place("mm/shrink.c", 7, 9, "pool_scan"), "pool_scan() calls pool_drop()", "call", 0),
        Step(Place("mm/shrink.c", 12, 2, "pool_drop"), "pool_drop() waits for pool.map", "acquire", 1, True),
    ),
    subject=("pool_map", "kzalloc", "pool.map", "pool_scan", "pool_drop"),
    properties={"function": "pool_map", "gfp": "GFP_KERNEL", "locks": [{"class": "pool.map", "kind": "mutex"}]},
)

LOSSES = (
    Loss("parse", "mm/odd.c", "3 errors, the first: unknown type name 'foo_t'"),
    Loss("lower", "huge_switch", "more than 20000 blocks"),
    Loss("lower", "odd_asm", "jumps into a statement expression"),
)

COUNTS = {"files": 3, "functions": 1204, "allocation sites": 61, "unresolved calls": 1}


def tree(root: Path) -> Path:
    """Writes the sources that the findings above are about; returns the tree's root."""
    folder = root / "mm"
    folder.mkdir(parents=True)
    (folder / "pool.c").write_text(POOL_C)
    (folder / "shrink.c").write_text(SHRINK_C)
    return root


def report(
    root: Path,
    findings: tuple[Finding, ...] = (IN_ATOMIC, MISSING_NOFS),
    *,
    losses: tuple[Loss, ...] = LOSSES,
    rules: tuple[RuleInfo, ...] = RULES,
    exit_code: int = 1,
) -> Report:
    """A whole report on the tree at `root`."""
    return Report(
        version="0.1.0",
        root=str(root),
        setup="compile_commands.json",
        arch="x86_64",
        kernel="6.12.3",
        findings=findings,
        rules=rules,
        losses=losses,
        counts=COUNTS,
        command_line="gfpcheck mm/",
        exit_code=exit_code,
    )


def at(file: str, line: int, col: int, *, message: str = "message", function: str = "f") -> Finding:
    """A finding that is nothing but a place and a message."""
    return Finding(
        rule="GFP101",
        level=Level.ERROR,
        confidence=Confidence.HIGH,
        place=Place(file, line, col, function),
        message=message,
        flow=(),
        subject=(function,),
    )


def rendered(what: Report, fmt: str, **options: bool) -> str:
    """What `gfpcheck.report.write` makes of a report."""
    stream = io.StringIO()
    write(what, fmt, stream, **options)
    return stream.getvalue()


def golden(name: str, text: str) -> None:
    """Compares `text` with the file `golden/NAME`, or writes it there if GFPCHECK_BLESS is set."""
    path = Path(__file__).parent / "golden" / name
    if os.environ.get("GFPCHECK_BLESS"):
        path.write_text(text)
    assert text == path.read_text(), f"{path} differs; after a wanted change run the test with GFPCHECK_BLESS=1"
