"""Scopes that a transaction carries: read off the code that opens and closes them, in the tree as it is and in a copy
whose transactions open none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from .conftest import XfsOf
from .kernel_run import Gfpcheck, hits

pytestmark = pytest.mark.kernel

OPENER = "fs/xfs/xfs_trans.h"
"""Where 6.12 opens the scope of a transaction, in xfs_trans_set_context()."""


def copy_of(tree: Path, copy: Path, folder: str) -> None:
    """`copy` is `tree` by links, but for `folder`, whose files are its own."""
    copy.mkdir()
    head, _, rest = folder.partition("/")
    for entry in tree.iterdir():
        if entry.name != head:
            (copy / entry.name).symlink_to(entry)
        elif rest:
            copy_of(entry, copy / entry.name, rest)
        else:
            shutil.copytree(entry, copy / entry.name)


def missing_nofs(log: Any) -> set[tuple[str, str]]:
    """Where, and with what confidence."""
    return {(f"{hit.file}:{hit.line}", hit.confidence) for hit in hits(log) if hit.rule == "GFP201"}


def test_no_allocation_in_a_transaction_misses_the_scope(xfs_of: XfsOf, gfpcheck: Gfpcheck, tmp_path: Path) -> None:
    """What is found where transactions open no scope is not found where they do."""
    whole = xfs_of("6.12")
    copy, output = tmp_path / "linux", tmp_path / "out.sarif"
    copy_of(whole.root, copy, "fs/xfs")
    text = (copy / OPENER).read_text("utf-8")
    assert text.count("memalloc_nofs_save()") == 1
    (copy / OPENER).write_text(text.replace("memalloc_nofs_save()", "0"), "utf-8")
    options = ("-j2", "--min-confidence", "low", "--select", "GFP201", "--format", "sarif", "-o", output)
    gfpcheck("fs/xfs/", *options, cwd=copy)
    with_scope, without = missing_nofs(whole.log), missing_nofs(json.loads(output.read_text("ascii")))
    assert {confidence for _, confidence in with_scope} <= {"low"}
    assert "medium" in {confidence for _, confidence in without}
    places = {place for place, _ in without} - {place for place, _ in with_scope}
    assert len(places) >= 3, places
