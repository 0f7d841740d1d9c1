"""The self-check: allocation flags have values in both trees, and a tree in which they have none is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from gfpcheck import models
from gfpcheck.driver.inputs import Inputs
from gfpcheck.driver.selfcheck import fold_flags
from gfpcheck.kbuild import make_plan
from gfpcheck.store import Store

from .kernel_run import VERSIONS, Gfpcheck
from .prepared import prepared_build

pytestmark = pytest.mark.kernel

REQUIRED = ("GFP_KERNEL", "__GFP_NOFAIL", "__GFP_FS", "__GFP_DIRECT_RECLAIM")


@pytest.mark.parametrize("arch", ["x86", "arm64"])
@pytest.mark.parametrize("version", VERSIONS)
def test_flags_have_values(trees: Mapping[str, Path], gfpcheck: Gfpcheck, version: str, arch: str) -> None:
    plan = make_plan([trees[version] / "fs/xfs/xfs_buf.c"], arch=arch, cache_dir=gfpcheck.cache)
    knowledge = models.load(plan.version)
    flags = fold_flags(plan, knowledge, Inputs(Store(None), plan.root))
    assert set(REQUIRED) <= set(knowledge.gfp_required)
    bits = [flags.mask(name) for name in ("__GFP_NOFAIL", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_NOLOCKDEP")]
    assert [bit.bit_count() for bit in bits] == [1, 1, 1, 1]
    assert len(set(bits)) == len(bits)
    assert flags.kernel & (flags.fs | flags.direct_reclaim) == flags.fs | flags.direct_reclaim
    assert not flags.kernel & (flags.nofail | flags.nolockdep)
    assert flags.render(flags.kernel | flags.nofail) == "GFP_KERNEL | __GFP_NOFAIL"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_flag_that_the_tree_lacks_is_named(
    trees: Mapping[str, Path], gfpcheck: Gfpcheck, tmp_path: Path, version: str
) -> None:
    model, output = tmp_path / "model.toml", tmp_path / "out.sarif"
    model.write_text('[gfp]\nflags = ["__GFP_FROM_THE_FUTURE"]\nrequired = ["__GFP_FROM_THE_FUTURE"]\n')
    path = trees[version] / "fs/xfs/xfs_mount.c"
    run = gfpcheck("--model", model, "--format", "sarif", "-o", output, path)
    assert (run.code, run.out) == (2, "")
    assert "the value of __GFP_FROM_THE_FUTURE cannot be found through the headers of " in run.err
    assert not output.exists()


@pytest.mark.parametrize("flag", REQUIRED)
def test_a_kernel_that_renames_a_flag_is_refused(
    trees: Mapping[str, Path], gfpcheck: Gfpcheck, tmp_path: Path, flag: str
) -> None:
    """A build directory's headers come first: one of them stands in for a header that has changed in the tree."""
    root = trees["6.12"]
    path = root / "fs/xfs/xfs_mount.c"
    build = prepared_build(path, tmp_path / "build", gfpcheck.cache)
    header = build / "include/linux/gfp_types.h"
    header.parent.mkdir(parents=True)
    text = (root / "include/linux/gfp_types.h").read_text()
    header.write_text(re.sub(rf"\b{flag}\b", f"{flag}_RENAMED", text))
    run = gfpcheck("--build-dir", build, path)
    assert (run.code, run.out) == (2, "")
    assert f"the value of {flag} cannot be found through the headers of {root}" in run.err
