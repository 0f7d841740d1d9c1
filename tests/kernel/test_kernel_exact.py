"""What wrappers do that are told by constants, and functions that hand objects and flags through their parameters: it
comes out of their bodies. No model names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gfpcheck import models

from .kernel_run import VERSIONS, Gfpcheck
from .known import Known

pytestmark = pytest.mark.kernel

X, L, E = "fs/xfs/", "fs/xfs/libxfs/", "fs/ext4/"
XFS = {
    "6.12": [
        X + name for name in ("xfs_inode.c", "xfs_reflink.c", "xfs_file.c", "xfs_buf.c", "xfs_trans.c", "xfs_iops.c")
    ]
    + [L + name for name in ("xfs_sb.c", "xfs_trans_inode.c")],
    "6.1": [X + name for name in ("kmem.c", "xfs_inode.c", "xfs_reflink.c", "xfs_file.c", "xfs_buf.c", "xfs_trans.c")]
    + [L + name for name in ("xfs_sb.c", "xfs_trans_inode.c", "xfs_dir2.c", "xfs_inode_fork.c", "xfs_defer.c")],
}
NAMES = """
xfs_ilock xfs_ilock_nowait xfs_iunlock xfs_ilock_data_map_shared kmem_alloc kmem_zalloc kmem_flags_convert xfs_buf_get
xfs_buf_get_map xfs_buf_lock xfs_buf_relse xfs_buf_unlock xfs_trans_alloc xfs_trans_commit xfs_trans_cancel
start_this_handle ext4_journal_start_sb __ext4_journal_start_sb ext4_writepages_down_read ext4_writepages_up_read
"""

KnownOf = Callable[[str], Known]


@pytest.fixture(scope="module")
def xfs_known(trees: Mapping[str, Path], gfpcheck: Gfpcheck) -> Callable[[str], Known]:
    found: dict[str, Known] = {}

    def known(version: str) -> Known:
        if version not in found:
            found[version] = Known(trees[version], XFS[version], gfpcheck.cache)
        return found[version]

    return known


@pytest.mark.parametrize("version", VERSIONS)
def test_no_model_names_them(version: str) -> None:
    knowledge = models.load(tuple(map(int, version.split("."))))
    assert [name for name in NAMES.split() if knowledge.knows(name)] == []


ILOCK = {"6.12": "xfs_inode.i_lock", "6.1": "mrlock_t.mr_lock"}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_inode_is_locked_in_the_mode_that_is_given(xfs_known: KnownOf, version: str) -> None:
    known, ilock = xfs_known(version), ILOCK[version]
    place = X + "xfs_reflink.c:xfs_reflink_update_dest"
    trans = "super_block.sb_internal shared"
    assert known.held(place, "xfs_ilock(dest, XFS_ILOCK_EXCL)") == [f"{trans}, nofs"]
    assert known.held(place, "xfs_trans_ijoin(") == [", ".join(sorted([trans, ilock])) + ", nofs"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_mode_that_comes_back_unlocks_it(xfs_known: KnownOf, version: str) -> None:
    """xfs_ilock_data_map_shared() chooses the mode and returns it."""
    known, ilock = xfs_known(version), ILOCK[version]
    place = X + "xfs_file.c:xfs_dir_open"
    assert known.held(place, "mode = xfs_ilock_data_map_shared(ip)") == [""]
    assert known.held(place, "xfs_iunlock(ip, mode)") == [ilock, f"{ilock} shared"]
    assert known.after(place) == [""]


def test_an_inode_is_locked_if_it_can_be(xfs_known: KnownOf) -> None:
    known, place = xfs_known("6.12"), X + "xfs_file.c:xfs_file_release"
    assert known.held(place, "xfs_free_eofblocks(ip)") == ["inode.i_rwsem"]
    assert known.held(place, "xfs_iunlock(ip, XFS_IOLOCK_EXCL)") == ["inode.i_rwsem"]
    assert known.after(place) == [""]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_buffer_is_locked_that_a_parameter_brings(xfs_known: KnownOf, version: str) -> None:
    """Found locked, or new and locked from the first moment on."""
    known, place = xfs_known(version), L + "xfs_sb.c:xfs_update_secondary_sbs"
    assert known.held(place, "bp->b_ops = ") == ["xfs_buf.b_sema"]


@pytest.mark.parametrize(
    ("place", "text", "flags"),
    [
        (
            X + "xfs_buf.c:xfs_alloc_buftarg",
            "kmem_zalloc(sizeof(*btp), KM_NOFS)",
            "GFP_NOFS | __GFP_ZERO | __GFP_NOWARN",
        ),
        (L + "xfs_inode_fork.c:xfs_init_local_fork", "kmem_alloc(mem_size, KM_NOFS)", "GFP_NOFS | __GFP_NOWARN"),
        (L + "xfs_defer.c:xfs_defer_ops_capture", "kmem_zalloc(", "GFP_NOFS | __GFP_ZERO | __GFP_NOWARN"),
        (
            L + "xfs_dir2.c:xfs_dir_cilookup_result",
            "kmem_alloc(len, KM_NOFS | KM_MAYFAIL)",
            "GFP_NOFS | __GFP_NOWARN | __GFP_RETRY_MAYFAIL",
        ),
    ],
)
def test_flags_of_xfs_are_those_of_the_kernel(xfs_known: KnownOf, place: str, text: str, flags: str) -> None:
    assert xfs_known("6.1").flags(place, text) == {flags}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_journal_may_not_fail_to_start_where_file_systems_may_not_be_entered(
    trees: Mapping[str, Path], gfpcheck: Gfpcheck, version: str
) -> None:
    """Two calls below jbd2__journal_start() its flags decide whether __GFP_NOFAIL is added."""
    known = Known(trees[version], ["fs/jbd2/transaction.c"], gfpcheck.cache)
    zero = " | __GFP_ZERO" if version == "6.12" else ""  # before, kmem_cache_zalloc() was a function
    start = "jbd2__journal_start(journal, nblocks, 0, 0, GFP_NOFS, 0, 0)"
    assert known.flags("fs/jbd2/transaction.c:jbd2_journal_start", start) == {
        f"GFP_NOFS{zero}",  # the handle
        f"GFP_NOFS{zero} | __GFP_NOFAIL",
    }
    restart = "jbd2__journal_restart(handle, nblocks, 0, GFP_NOFS)"
    assert known.flags("fs/jbd2/transaction.c:jbd2_journal_restart", restart) == {f"GFP_NOFS{zero} | __GFP_NOFAIL"}


COMMIT = [X + f"{name}.c" for name in ("xfs_buf_item", "xfs_dquot_item", "xfs_inode_item", "xfs_log_cil")]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_lock_that_a_transaction_has_is_not_sure_after_the_commit(
    trees: Mapping[str, Path], gfpcheck: Gfpcheck, version: str
) -> None:
    """xfs_trans_ijoin() with XFS_ILOCK_EXCL: the commit unlocks the inode, four calls down and through a pointer."""
    known, ilock = Known(trees[version], [*XFS[version], *COMMIT], gfpcheck.cache), ILOCK[version]
    place = X + "xfs_reflink.c:xfs_reflink_update_dest"
    (before,) = known.held(place, "error = xfs_trans_commit(tp)")
    assert ilock in before.split(", ")
    after = {name for held in known.after(place) for name in held.split(", ")}
    assert f"{ilock}?" in after
    assert ilock not in after
