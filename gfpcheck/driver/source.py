"""What a run analyses."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.driver.follow import Followed
from gfpcheck.driver.summaries import Summaries
from gfpcheck.ir import Module
from gfpcheck.kbuild import Plan
from gfpcheck.models import GfpFlags, Models
from gfpcheck.symbols import Index


class Source(NamedTuple):
    """What there is to analyse: the files, what is known of their kernel, their IR, and that of the functions that they
    call in other files; `summaries` of an earlier run; `symbols` is the tree's index, if there is one."""

    plan: Plan
    knowledge: Models
    gfp: GfpFlags
    modules: list[Module]
    followed: Followed
    summaries: Summaries
    symbols: Index | None
