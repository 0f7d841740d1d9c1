"""Against real kernels: GFPCHECK_KERNELS names the folder that holds linux-source-6.12 and linux-source-6.1."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gfpcheck.frontend import Settings, fold_constants, lower_file, lower_units
from gfpcheck.ir.types import Call, Func, Module, Var
from gfpcheck.kbuild import Plan, make_plan

pytestmark = [pytest.mark.kernel, pytest.mark.slow]
KERNELS = os.environ.get("GFPCHECK_KERNELS", "")
VERSIONS = ("6.12", "6.1")
SAMPLE = 12


def plan(version: str, cache: Path, *paths: str) -> Plan:
    root = Path(KERNELS) / f"linux-source-{version}"
    if not KERNELS or not root.is_dir():
        pytest.skip("GFPCHECK_KERNELS names no such kernel")
    return make_plan([root / path for path in paths], cache_dir=cache)


def modules(found: Plan, cache: Path, use_pch: bool = True) -> Iterator[Module]:
    settings = Settings(found.root, frozenset(), frozenset(), 2, cache / "pch" if use_pch else None)
    return lower_units(found.units, settings)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", ["fs/xfs/libxfs", "fs/ext4", "drivers/gpio"])
def test_same_with_and_without_precompiled_headers(version: str, path: str, tmp_path: Path) -> None:
    found = plan(version, tmp_path / "kbuild", path)
    compared = set(random.Random(path).sample([unit.rel for unit in found.units], SAMPLE))
    for unit, module in zip(found.units, modules(found, tmp_path), strict=True):
        if unit.rel not in compared:
            continue
        plain = lower_file(unit, found.root, frozenset(), frozenset())
        assert module.functions == plain.functions, unit.rel
        assert module.stores == plain.stores, unit.rel
        assert module.errors == plain.errors, unit.rel
        assert set(plain.includes) <= set(module.includes), unit.rel
        alike = {func.name: func for func in plain.headers}
        for func in module.headers:
            assert without_strings(func) == without_strings(alike[func.name]), (unit.rel, func.name)


def without_strings(func: Func) -> str:
    """Messages of a header's functions start with the pr_fmt() of the file that they were read for."""
    return re.sub(r"Str\(value=('[^']*'|\"[^\"]*\")\)", "Str", repr(func))


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_lost(version: str, tmp_path: Path) -> None:
    for path in ("fs/xfs", "fs/ext4"):
        found = plan(version, tmp_path / "kbuild", path)
        functions = 0
        for module in modules(found, tmp_path):
            assert (module.file, module.lost) == (module.file, [])
            assert (module.file, module.errors) == (module.file, [])
            functions += len(module.functions)
        assert functions > 1000


@pytest.mark.parametrize("version", VERSIONS)
def test_allocations_have_flags(version: str, tmp_path: Path) -> None:
    """6.12 wraps every allocator in a macro; the flags must be found in both."""
    found = plan(version, tmp_path / "kbuild", "fs/xfs/xfs_log.c", "fs/xfs/xfs_buf.c")
    allocations = [
        call
        for module in modules(found, tmp_path)
        for func in (*module.functions, *module.headers)
        for call in calls(func)
        if call.gfp >= 0
    ]
    words = {call.macro or (call.callee.name if isinstance(call.callee, Var) else "") for call in allocations}
    assert {"kmem_cache_zalloc", "alloc_pages_bulk_array"} <= words


@pytest.mark.parametrize("version", VERSIONS)
def test_gfp_flags_fold(version: str, tmp_path: Path) -> None:
    unit = plan(version, tmp_path / "kbuild", "fs/xfs/xfs_log.c").units[0]
    names = ["GFP_KERNEL", "GFP_NOFS", "__GFP_FS", "__GFP_IO", "__GFP_NOFAIL", "__GFP_DIRECT_RECLAIM"]
    values = fold_constants(unit.args, "#include <linux/gfp.h>\n", names, unit.cwd).values
    numbers = [value for value in values.values() if value is not None]
    assert len(numbers) == len(names)
    flags = dict(zip(names, numbers, strict=True))
    assert flags["GFP_KERNEL"] == flags["GFP_NOFS"] | flags["__GFP_FS"]
    assert flags["GFP_NOFS"] & flags["__GFP_DIRECT_RECLAIM"]
    assert not flags["GFP_KERNEL"] & flags["__GFP_NOFAIL"]


def calls(func: Func) -> list[Call]:
    return [instr for block in func.blocks for instr in block.instrs if isinstance(instr, Call)]
