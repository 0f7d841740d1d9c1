"""What reclaim surely does: findings of the built-in models that are not of low confidence."""

from __future__ import annotations

from fixtures_harness import TREE

from gfpcheck.driver.options import Options
from gfpcheck.driver.run import run
from gfpcheck.findings import Confidence


def test_a_lock_that_kswapd_takes_to_write_a_page_counts() -> None:
    """With __GFP_FS a task waits for kswapd: throttle_direct_reclaim() in mm/vmscan.c."""
    file = TREE / "rules/GFP201/roots.c"
    line = 1 + file.read_text().splitlines().index("\tsbi->buf = kmalloc(64, GFP_KERNEL);\t/* GFP201 */")
    report = run(Options(paths=(file,), select=("GFP201",), jobs=1))
    finding = next(finding for finding in report.findings if finding.place.line == line)
    assert "write_lock" in finding.message
    assert finding.confidence is Confidence.MEDIUM
