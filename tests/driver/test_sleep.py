"""What sleeps under a lock anyway makes a finding under that lock doubtful."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fixtures_harness import TREE

from gfpcheck.driver.options import Options
from gfpcheck.driver.run import run

TEXT = """
#include <linux/delay.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

struct slp { spinlock_t lock; struct mutex mutex; struct timer_list timer; void *buf; };

static void slp_wait(struct slp *s)
{
	mutex_lock(&s->mutex);
	mutex_unlock(&s->mutex);
}

static void slp_wait_unless(struct slp *s)
{
	if (s->buf)
		slp_wait(s);
}

void slp_locked(struct slp *s)
{
	spin_lock(&s->lock);
	s->buf = kmalloc(64, GFP_KERNEL);
	BEFORE
	spin_unlock(&s->lock);
	AFTER
}

static void slp_expired(struct timer_list *t)
{
	struct slp *s = container_of(t, struct slp, timer);

	s->buf = kmalloc(64, GFP_KERNEL);
	BEFORE
}

void slp_init(struct slp *s)
{
	timer_setup(&s->timer, slp_expired, 0);
}
"""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", {"GFP101": "high", "GFP102": "high"}),
        ("", "slp_wait(s);", {"GFP101": "high", "GFP102": "high"}),
        ("slp_wait(s);", "", {"GFP101": "low", "GFP102": "low"}),
        ("if (s->buf) slp_wait(s);", "", {"GFP101": "low", "GFP102": "low"}),
        ("slp_wait_unless(s);", "", {"GFP101": "high", "GFP102": "high"}),
    ],
)
def test_confidence(tmp_path: Path, before: str, after: str, expected: dict[str, str]) -> None:
    tree = tmp_path / "linux"
    shutil.copytree(TREE, tree)
    folder = tree / "fs" / "slp"
    folder.mkdir()
    (folder / "slp.c").write_text(TEXT.replace("BEFORE", before).replace("AFTER", after))
    (folder / "Makefile").write_text("obj-y += slp.o\n")
    report = run(Options(paths=(folder,), select=("GFP101", "GFP102"), jobs=1))
    assert report.losses == ()
    assert {finding.rule: str(finding.confidence) for finding in report.findings} == expected
