"""Reclaim's side: which locks the functions take that reclaim enters a directory by, searched for in the text."""

from __future__ import annotations

import functools
import re
from collections import deque

from .claims import Evidence, Step
from .ctext import Function, squeeze
from .folder import Folder
from .linked import without_link
from .regions import Held, Op

MAX_CHAIN = 6
"""Functions between reclaim's entry and the lock that it takes."""

_LOCKS = {
    "mutex_lock": Op(True, "sleeping"),
    "mutex_lock_nested": Op(True, "sleeping"),
    "mutex_unlock": Op(False, "sleeping"),
    **{
        f"{prefix}{name}": Op(name.startswith("down"), "sleeping")
        for prefix in ("", "f2fs_")
        for name in ("down_read", "down_write", "down_read_nested", "down_write_nested", "up_read", "up_write")
    },
}
_TRANSACTIONS = {
    "btrfs_start_transaction": Op(True, "transaction", -1, True),
    "btrfs_join_transaction": Op(True, "transaction", -1, True),
    "btrfs_end_transaction": Op(False, "transaction", -1),
    "btrfs_commit_transaction": Op(False, "transaction", -1),
    "gfs2_trans_begin": Op(True, "transaction", -1, True),
    "gfs2_trans_end": Op(False, "transaction", -1),
    "nilfs_transaction_begin": Op(True, "transaction", -1, True),
    "nilfs_transaction_commit": Op(False, "transaction", -1, True),
    "nilfs_transaction_abort": Op(False, "transaction", -1),
    "txBegin": Op(True, "transaction", -1, True),
    "txEnd": Op(False, "transaction", -1),
    "f2fs_lock_op": Op(True, "transaction", -1),
    "f2fs_unlock_op": Op(False, "transaction", -1),
}
# current->journal_info: whoever has one open is given it again, or (gfs2_dirty_inode() and the like) starts none.
_NESTING = frozenset(
    {"btrfs_start_transaction", "btrfs_join_transaction", "gfs2_trans_begin", "nilfs_transaction_begin"}
)
_SCOPES = {
    "memalloc_nofs_save": Op(True, "scope", -1, True),
    "memalloc_nofs_restore": Op(False, "scope", -1),
    "memalloc_noio_save": Op(True, "scope", -1, True),
    "memalloc_noio_restore": Op(False, "scope", -1),
}
OPS = {**_LOCKS, **_TRANSACTIONS, **_SCOPES}

_ROOTS = re.compile(
    r"(?:\.|->)\s*(evict_inode|destroy_inode|drop_inode|dirty_inode|free_cached_objects|scan_objects|count_objects"
    r"|writepage|release_folio|releasepage|free_folio|d_delete|d_prune|d_release|d_iput)\s*=\s*&?(\w+)\s*[,;}]"
)
# They are given the inode, which has links still; iput() calls dirty_inode, for inodes with links only.
_OF_INODES = frozenset({"evict_inode", "destroy_inode", "drop_inode", "dirty_inode"})
# A function that asks whether reclaim calls it may do something else then.
_ASKS_WHO = re.compile(r"\bfor_reclaim\b|\bPF_MEMALLOC\b|\bgfpflags_allow_blocking\b")
_LOCK_TYPE = r"struct\s+(?:mutex|rw_semaphore|f2fs_rwsem)\s+"


class Taken:
    """The locks that reclaim takes in one directory."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    @functools.cached_property
    def ways(self) -> dict[str, Evidence]:
        """By class of the lock: the shortest way from reclaim's entry to the statement that takes it."""
        found: dict[str, Evidence] = {}
        queue: deque[tuple[Function, bool, Evidence]] = deque()
        for source in self._folder.sources.values():
            for match in _ROOTS.finditer(source.code):
                function = self._folder.define(match[2], source.name)
                if function is not None:
                    where = self._folder.source_of(function)
                    text = f"reclaim enters {function.name}() through {match[1]}"
                    step = Step(where.name, where.line(function.start), text)
                    queue.append((function, match[1] in _OF_INODES, (step,)))
        seen = {(function, linked) for function, linked, _ in queue}
        while queue:
            function, linked, way = queue.popleft()
            source = self._folder.source_of(function)
            if _ASKS_WHO.search(source.code, function.start, function.end):
                continue
            left_out = without_link(source, function) if linked else []
            for name, offset in self._folder.calls_in(function):
                if any(start <= offset < end for start, end in left_out):
                    continue
                line = source.line(offset)
                lock = self._lock(function, name, offset)
                if lock is not None:
                    found.setdefault(lock, (*way, Step(source.name, line, f"{function.name}() takes {lock}")))
                callee = self._folder.define(name, source.name)
                if callee is not None and (callee, linked) not in seen and len(way) < MAX_CHAIN:
                    seen.add((callee, linked))
                    queue.append((callee, linked, (*way, Step(source.name, line, f"{function.name}() calls {name}()"))))
        return found

    def _lock(self, function: Function, name: str, offset: int) -> str | None:
        """The class of the lock that the call of `name` waits for, if it does."""
        op = OPS.get(name) if name not in _NESTING else None
        call = self._folder.source_of(function).call_at(offset) if op is not None else None
        if op is None or call is None or not op.acquires or op.kind == "scope":
            return None
        key = squeeze(call.args[op.arg][0]) if 0 <= op.arg < len(call.args) else ""
        return self.lock_class(Held(op.kind, key, offset), function)

    def lock_class(self, lock: Held, function: Function) -> str | None:
        """The one structure and member, or global, that the lock can be, by the type that the function declares its
        object with, else because no other structure has such a member. None if the text leaves that open, or if
        the lock lies in an object that contains an inode: reclaim may own that."""
        if lock.kind == "transaction":
            return "a transaction"
        if lock.kind != "sleeping":
            return None
        plain = re.fullmatch(r"&(\w+)", lock.key)
        if plain:
            source = self._folder.source_of(function)
            mutex = rf"\bDEFINE_MUTEX\(\s*{plain[1]}\s*\)|\bDECLARE_RWSEM\(\s*{plain[1]}\s*\)"
            return f"{source.name}:{plain[1]}" if re.search(mutex, source.code) else None
        member = re.search(r"(?:->|\.)(\w+)\Z", lock.key)
        if member is None:
            return None
        declared = re.compile(rf"\b{_LOCK_TYPE}{member[1]}\s*(?:;|__)")
        owners = [name for name, text in self._folder.structures.items() if declared.search(text)]
        owners = [name for name in owners if name in self._types(function, lock.key)] or owners
        if len(owners) != 1 or re.search(r"\bstruct\s+inode\s+\w+\s*;", self._folder.structures[owners[0]]):
            return None
        return f"{owners[0]}.{member[1]}"

    def _types(self, function: Function, key: str) -> list[str]:
        """The structures that the function, or its head, declares the object of `&object->member` with."""
        code = self._folder.source_of(function).code
        variable = re.match(r"&(\w+)->\w+\Z", key)
        begin = max(code.rfind(end, 0, function.start) for end in ";}")
        declared = rf"\bstruct\s+(\w+)\s+(?:\*\s*\w+\s*,\s*)*\*\s*{variable[1]}\b" if variable else r"(?!)"
        return re.findall(declared, code[max(begin, 0) : function.end])
