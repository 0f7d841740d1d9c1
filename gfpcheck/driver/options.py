"""What a run is asked to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gfpcheck.findings import Confidence
from gfpcheck.triage import Policy

if TYPE_CHECKING:  # long to import, and what lists rules does without
    from gfpcheck.kbuild import Command

Progress = Callable[[str, int, int], None]
"""Called with (phase, done, total)."""


@dataclass(frozen=True)
class Options:
    """Everything that changes what a run finds.

    `rules_page`: the address of the page of all rules, for reports that link to it.
    `policy` decides what becomes of what is found: suppressions, baseline, levels.
    `scenarios`: the deadlock is drawn for findings that may end in one.
    `follow`: how many files away from the paths the functions of other files are looked into.
    `cache_dir` None: no cache, a temporary directory. `announce` is told, before the work begins, in one
    line what is analysed and how. `arch` None: the one the tree is configured for, else x86. `command`: the one that
    compiles the only file in `paths`.
    """

    paths: tuple[Path, ...]
    arch: str | None = None
    build_dir: Path | None = None
    compile_commands: Path | None = None
    tree: Path | None = None
    command: Command | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rule_dirs: tuple[Path, ...] = ()
    rules_page: str = ""
    models: tuple[Path, ...] = ()
    min_confidence: Confidence = Confidence.LOW
    policy: Policy = field(default_factory=Policy)
    jobs: int = 0
    cache_dir: Path | None = None
    command_line: str = ""
    announce: Callable[[str], None] | None = None
    follow: int = 0
    scenarios: bool = False

    @property
    def processes(self) -> int:
        """How many processes may work at once: `jobs`, or one for each CPU."""
        return self.jobs or len(os.sched_getaffinity(0))


class RunError(Exception):
    """The run cannot do what was asked; the message is for the user."""


class NoFlagsError(RunError):
    """The files are not the kernel's, and do not say what allocation flags are."""
