"""Functions of other folders, in real kernels."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from gfpcheck.kbuild import open_workspace
from gfpcheck.store import Store
from gfpcheck.symbols import Index, open_index

from .kernel_run import VERSIONS, Gfpcheck

pytestmark = pytest.mark.kernel

_EXPORTED = re.compile(rb"^EXPORT_SYMBOL(?:_GPL)?\((\w+)\)", re.MULTILINE)


@pytest.fixture(params=VERSIONS)
def root(request: pytest.FixtureRequest, trees: Mapping[str, Path]) -> Path:
    return trees[request.param]


def _index(root: Path, cache: Path) -> Index:
    workspace = open_workspace([root / "fs/proc/stat.c"], cache_dir=cache)
    return open_index(str(root), workspace.left_out(), Store(None), time.time_ns(), 2)


def test_what_is_exported_is_found(root: Path, gfpcheck: Gfpcheck) -> None:
    """The kernel's own list of what is called from elsewhere, where a look for `name(` at the start of some line above
    tells functions from variables."""
    index = _index(root, gfpcheck.cache)
    missed: list[str] = []
    functions = 0
    for folder in ("block", "drivers/md", "fs", "kernel", "lib", "mm", "net/core"):
        for path in sorted((root / folder).rglob("*.c")):
            data = path.read_bytes()
            rel = str(path.relative_to(root))
            for name in _EXPORTED.findall(data):
                head = rb"^\w[\w \t*()]*\b" + name + rb"[ \t]*\((?:[^;{}#\\]|/\*.*?\*/)*\)[^;{}=\\]*\{"
                if re.search(head, data, re.MULTILINE):
                    functions += 1
                    if rel not in index.places(name.decode()):
                        missed.append(f"{rel}: {name.decode()}")
    assert functions > 4000
    assert missed == []


def test_xfs_knows_that_iomap_allocates(root: Path, gfpcheck: Gfpcheck) -> None:
    """iomap_dio_rw() is in fs/iomap/direct-io.c and allocates its struct iomap_dio with GFP_KERNEL."""
    for follow in (0, 1):
        place = "fs/xfs/xfs_file.c:xfs_file_dio_read"
        done = gfpcheck("facts", place, "--format", "json", "--follow", str(follow), cwd=root)
        assert done.code == 0, done.err
        (function,) = json.loads(done.out)["functions"]
        reached = [site for site in function["allocations"] if site["call"] == "iomap_dio_rw"]
        assert bool(reached) == (follow == 1)
        assert all(situation["flags"] == "GFP_KERNEL" for site in reached for situation in site["situations"])
