"""Which of the functions that a pointer may mean are meant where the objects of one module are handled.

A file system's inode has that file system's operations. Members are told apart by record and member alone, so a
member that every file system fills means them all; the place of the source says whose object it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable


def folder(file: str) -> str:
    """The folder that `file` lies in."""
    return file.rpartition("/")[0]


def same_module(a: str, b: str) -> bool:
    """True if one folder is the other, or a part of it. What lies at the top of the tree is for all modules below."""
    outer, inner = sorted((a, b), key=len)
    return a == b or ("/" in outer and inner.startswith(f"{outer}/"))


def nearest(keys: Iterable[str], file_of: Callable[[str], str], home: str) -> list[str]:
    """Those of the functions `keys` that an object of the module in folder `home` has: its own if there are any, else
    those that lie beside the module for all to use (`fs/libfs.c` for `fs/ext2`), else any."""
    folders = {key: folder(file_of(key)) for key in keys}
    own = [key for key, where in folders.items() if where == home or where.startswith(f"{home}/")]
    while not own and home:
        home = folder(home)
        own = [key for key, where in folders.items() if where == home]
    return own or list(folders)
