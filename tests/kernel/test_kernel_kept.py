"""After an edit of a real tree, a run that remembers the one before says what a run that remembers nothing says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from .kernel_run import Gfpcheck
from .test_kernel_scopes import OPENER, copy_of

pytestmark = pytest.mark.kernel

FOLDER = "fs/xfs"
EDITS = {
    "a body": ("fs/xfs/xfs_log_cil.c", "down_read(&cil->xc_ctx_lock);", "down_write(&cil->xc_ctx_lock);"),
    "the scope of transactions": (OPENER, "memalloc_nofs_save()", "0"),
    "a wrapper": ("fs/xfs/xfs_inode.c", "down_write_nested(&ip->i_lock,", "down_read_nested(&ip->i_lock,"),
}


def test_the_same_after_each_edit(trees: Mapping[str, Path], gfpcheck: Gfpcheck, tmp_path: Path) -> None:
    copy = tmp_path / "linux"
    copy_of(trees["6.12"], copy, FOLDER)
    edited = {copy / file for file, _, _ in EDITS.values() if file.endswith(".c")}
    files = sorted({*sorted((copy / FOLDER).glob("*.c"))[::12], *edited})
    options: tuple[str | Path, ...] = ("-j2", "-v", "--min-confidence", "low", *files)
    outputs = [gfpcheck(*options, cwd=copy).out]
    for file, old, new in EDITS.values():
        text = (copy / file).read_text("utf-8")
        assert old in text
        (copy / file).write_text(text.replace(old, new), "utf-8")
        outputs.append(gfpcheck(*options, cwd=copy).out)
        fresh = gfpcheck("--no-cache", *options, cwd=copy)
        assert fresh.code == 1, fresh.err
        assert outputs[-1] == fresh.out
    assert len(set(outputs)) > 1
