"""Scopes that a transaction carries: read off the code that opens and closes them, in the tree as it is and in a copy
whose transactions open none; and scopes that come with a handle or a lock."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .conftest import XfsOf
from .kernel_run import VERSIONS, Gfpcheck, hits
from .known import Known

pytestmark = pytest.mark.kernel

OPENER = "fs/xfs/xfs_trans.h"
"""Where the scope of a transaction is opened, in xfs_trans_set_context()."""


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


@pytest.mark.parametrize("version", VERSIONS)
def test_no_allocation_in_a_transaction_misses_the_scope(
    xfs_of: XfsOf, gfpcheck: Gfpcheck, tmp_path: Path, version: str
) -> None:
    """What is found where transactions open no scope is not found where they do."""
    whole = xfs_of(version)
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


JBD2 = "fs/jbd2/transaction.c"
EXT4 = [JBD2, *(f"fs/ext4/{name}.c" for name in ("acl", "ext4_jbd2", "inode", "migrate"))]
OCFS2 = [JBD2, *(f"fs/ocfs2/{name}.c" for name in ("acl", "alloc", "aops", "file", "journal"))]


@pytest.fixture(scope="module", params=VERSIONS)
def ext4(request: pytest.FixtureRequest, trees: Mapping[str, Path], gfpcheck: Gfpcheck) -> Known:
    return Known(trees[request.param], EXT4, gfpcheck.cache)


@pytest.fixture(scope="module", params=VERSIONS)
def ocfs2(request: pytest.FixtureRequest, trees: Mapping[str, Path], gfpcheck: Gfpcheck) -> Known:
    return Known(trees[request.param], OCFS2, gfpcheck.cache)


def test_ext4_misses_no_scope_in_a_transaction(ext4: Known) -> None:
    assert ext4.sheltered() > 10
    assert [finding for finding in ext4.findings("GFP201") if str(finding.confidence) != "low"] == []


def test_a_lock_and_a_scope_in_one(ext4: Known) -> None:
    """ext4_writepages_down_write(), inside of which a transaction is started and ended."""
    place = "fs/ext4/migrate.c:ext4_ind_migrate"
    assert ext4.held(place, "ext4_writepages_down_write(") == [""]
    assert ext4.held(place, "handle = ext4_journal_start(") == ["ext4_sb_info.s_writepages_rwsem, nofs"]
    assert ext4.held(place, "ext4_journal_stop(handle)") == ["ext4_sb_info.s_writepages_rwsem, nofs"]
    assert not [held for held in ext4.after(place) if "rwsem" in held]


@pytest.mark.parametrize("ext4", ["6.12"], indirect=True)
def test_a_lock_and_a_scope_in_one_are_both_given_back(ext4: Known) -> None:
    place = "fs/ext4/inode.c:ext4_writepages"
    shared = "ext4_sb_info.s_writepages_rwsem shared, nofs"
    assert ext4.held(place, "alloc_ctx = ext4_writepages_down_read(sb)") == [""]
    assert ext4.held(place, "if (!ret && mpd.journalled_more_data)") == [shared]
    assert ext4.held(place, "ext4_writepages_up_read(sb, alloc_ctx)") == [shared]
    assert ext4.after(place) == [""]


def test_ocfs2_has_the_scope_of_its_handles(ocfs2: Known) -> None:
    place = "fs/ocfs2/file.c:ocfs2_update_inode_atime"
    assert ocfs2.held(place, "handle = ocfs2_start_trans(") == [""]
    assert ocfs2.held(place, "ocfs2_journal_access_di(") == ["nofs"]
    assert ocfs2.after(place) == [""]


def test_ocfs2_misses_no_scope_in_a_transaction(ocfs2: Known) -> None:
    assert ocfs2.sheltered() > 10
    assert [finding for finding in ocfs2.findings("GFP201") if str(finding.confidence) != "low"] == []
