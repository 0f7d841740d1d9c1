"""Which functions a pointer means where the objects of one module are handled."""

import pytest

from gfpcheck.analysis.neighbours import folder, nearest, same_module

EVERY = {
    "fs/ext2/inode.c": "ext2",
    "fs/ext4/inode.c": "ext4",
    "fs/xfs/libxfs/ops.c": "xfs",
    "fs/libfs.c": "simple",
    "drivers/md/dm.c": "dm",
}


def meant(home: str, *files: str) -> list[str]:
    keys = {f"{file}:{EVERY[file]}": file for file in files or EVERY}
    return [key.rpartition(":")[2] for key in nearest(keys, keys.__getitem__, home)]


@pytest.mark.parametrize(
    ("home", "names"),
    [
        ("fs/ext2", ["ext2"]),
        ("fs/xfs", ["xfs"]),  # a part of the module
        ("fs/affs", ["simple"]),  # for all file systems to use
        ("fs", ["ext2", "ext4", "xfs", "simple"]),  # whose object it is, nobody knows
        ("block", list(EVERY.values())),
        ("", list(EVERY.values())),
    ],
)
def test_the_nearest_are_meant(home: str, names: list[str]) -> None:
    assert meant(home) == names


def test_without_a_near_one_any_may_be_meant() -> None:
    assert meant("fs/affs", "fs/ext2/inode.c", "drivers/md/dm.c") == ["ext2", "dm"]
    assert meant("fs/affs", "drivers/md/dm.c") == ["dm"]


def test_folders_and_modules() -> None:
    assert folder("fs/xfs/xfs_inode.c") == "fs/xfs"
    assert folder("a.c") == ""
    assert same_module("fs/xfs", "fs/xfs/libxfs")
    assert same_module("fs/xfs/libxfs", "fs/xfs")
    assert not same_module("fs/ext2", "fs/ext4")
    assert not same_module("fs/ext", "fs/ext4")
    assert not same_module("fs", "fs/ext4")
    assert same_module("fs", "fs")
