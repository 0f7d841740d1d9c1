"""The IR of the files of a plan."""

from __future__ import annotations

import os
from pathlib import Path

from gfpcheck import frontend
from gfpcheck.driver.cache import pch_folder
from gfpcheck.driver.options import Options, Progress
from gfpcheck.ir import Module
from gfpcheck.kbuild import Plan
from gfpcheck.models import Models


def _spellings(names: frozenset[str]) -> frozenset[str]:
    """Model names with the functions behind the macros of allocation profiling."""
    return names | {f"{name}_noprof" for name in names}


def lower(plan: Plan, knowledge: Models, options: Options, cache: Path, progress: Progress | None) -> list[Module]:
    """The modules of the plan's units, in order; `cache` is a folder to keep things in for later runs.

    Raises FrontendError.
    """
    jobs = options.jobs or len(os.sched_getaffinity(0))

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress("reading", done, total)

    settings = frontend.Settings(
        plan.root, _spellings(knowledge.names), knowledge.noreturn, jobs, pch_folder(cache), tell
    )
    return list(frontend.lower_units(plan.units, settings))
