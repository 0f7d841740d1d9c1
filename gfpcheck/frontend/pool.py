"""Lowers many files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gfpcheck.frontend.unit import lower_file
from gfpcheck.ir.types import Module
from gfpcheck.kbuild.types import Unit


def lower_units(
    units: Sequence[Unit],
    root: str,
    *,
    stop: frozenset[str],
    noreturn: frozenset[str],
    jobs: int,
    pch_dir: Path,
    use_pch: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Module]:
    """First version: one after the other, in this process."""
    for number, unit in enumerate(sorted(units, key=lambda unit: unit.rel), 1):
        yield lower_file(unit, root, stop, noreturn)
        if progress:
            progress(number, len(units))
