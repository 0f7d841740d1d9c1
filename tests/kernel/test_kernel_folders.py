"""The folders that memory allocation is about: every function of a file comes through the frontend."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gfpcheck.frontend import Settings, lower_units
from gfpcheck.kbuild import make_plan

from .kernel_run import VERSIONS, Gfpcheck
from .written import written_functions

pytestmark = pytest.mark.kernel

FOLDERS = ("fs/xfs", "fs/ext4", "fs/btrfs", "fs/jbd2", "mm", "block", "net/core", "drivers/md")
SAMPLE = 10


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_no_function_is_lost(trees: Mapping[str, Path], gfpcheck: Gfpcheck, version: str, folder: str) -> None:
    root = trees[version]
    plan = make_plan([root / folder], cache_dir=gfpcheck.cache)
    assert plan.lost == ()
    every = -(-len(plan.units) // SAMPLE)
    settings = Settings(plan.root, frozenset(), frozenset(), 2, gfpcheck.cache / "pch")
    modules = lower_units(plan.units[::every], settings)
    checked = lowered = 0
    for module in modules:
        assert (module.file, module.errors, module.lost) == (module.file, [], [])
        names = {func.name for func in module.functions}
        written = written_functions((root / module.file).read_text("utf-8", "replace"))
        assert (module.file, written - names) == (module.file, set())
        checked += len(written)
        lowered += len(names)
    # The text tells of most functions; those under an #if are not among them.
    assert checked > lowered / 3
