"""What a run took."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator

from gfpcheck.findings import Report


def statistics_lines(report: Report, seconds: float) -> Iterator[str]:
    """One line each: elapsed time, the largest process, everything that was counted."""
    rows = [("seconds", f"{seconds:.1f}"), ("MiB in the largest process", f"{_largest_process() >> 20:,}")]
    rows += [(name, f"{count:,}") for name, count in report.counts.items()]
    width = max(len(value) for _, value in rows)
    yield "Statistics:"
    for label, value in rows:
        yield f"  {value:>{width}}  {label}"


def _largest_process() -> int:
    """Peak resident memory in bytes of this process, or of the largest one that it waited for."""
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return peak if sys.platform == "darwin" else peak * 1024
