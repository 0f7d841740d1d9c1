"""Real kernels, and the runs over them that are too expensive to be made twice."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .kernel_run import VERSIONS, Gfpcheck, Run, listing


@pytest.fixture(scope="session")
def trees() -> Mapping[str, Path]:
    """The pristine kernel trees by version. They are given as GFPCHECK_KERNELS; without it, tests are skipped."""
    folder = os.environ.get("GFPCHECK_KERNELS")
    if not folder:
        pytest.skip("GFPCHECK_KERNELS is not set")
    found = {version: Path(folder).resolve() / f"linux-source-{version}" for version in VERSIONS}
    for root in found.values():
        assert (root / "fs/xfs").is_dir(), f"GFPCHECK_KERNELS: there is no {root}"
    return found


@pytest.fixture(scope="session")
def gfpcheck(tmp_path_factory: pytest.TempPathFactory) -> Gfpcheck:
    return Gfpcheck(tmp_path_factory.mktemp("cache"))


@dataclass(frozen=True)
class XfsRun:
    """`gfpcheck fs/xfs/`, said in the root of a kernel tree, with SARIF to a file and no finding hidden."""

    root: Path
    run: Run
    sarif: str
    before: Mapping[str, tuple[int, int, int]]
    after: Mapping[str, tuple[int, int, int]]

    @functools.cached_property
    def log(self) -> Any:
        return json.loads(self.sarif)


XfsOf = Callable[[str], XfsRun]


@pytest.fixture(scope="session")
def xfs_of(trees: Mapping[str, Path], gfpcheck: Gfpcheck, tmp_path_factory: pytest.TempPathFactory) -> XfsOf:
    """The run over fs/xfs of a kernel version, made when it is first asked for."""
    folder = tmp_path_factory.mktemp("xfs")

    @functools.cache
    def run(version: str) -> XfsRun:
        root, output = trees[version], folder / f"{version}.sarif"
        before = listing(root)
        options = ("-j2", "-v", "--min-confidence", "low", "--format", "sarif", "-o", output)
        done = gfpcheck("fs/xfs/", *options, cwd=root)
        return XfsRun(root, done, output.read_text("ascii") if output.exists() else "", before, listing(root))

    return run


@pytest.fixture(params=VERSIONS)
def xfs(request: pytest.FixtureRequest, xfs_of: XfsOf) -> XfsRun:
    """The run over fs/xfs, of each kernel version."""
    return xfs_of(request.param)
