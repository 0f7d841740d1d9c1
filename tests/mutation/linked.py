"""What a function does for inodes without a link alone: reclaim never evicts those.

generic_drop_inode() of include/linux/fs.h: the task that drops the last reference of such an inode evicts it at once,
so none comes to the list that prune_icache_sb() goes through; and d_delete() takes its dentry off the list of dentries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .ctext import Function, Source, closing, squeeze

_IF = re.compile(r"\bif\s*\(")
_UNLIKELY = re.compile(r"\b(?:un)?likely(?=\()")
_LINKS = r"[\w>.()-]*(?:->|\.)i_nlink"
_NONE = re.compile(rf"!{_LINKS}|{_LINKS}==0")
_SOME = re.compile(rf"{_LINKS}|{_LINKS}(?:>|!=)0")
_JUMP = re.compile(r"\b(?:goto\s+(\w+)|return\b[^;]*)\s*;\s*\}?\s*\Z")


def without_link(source: Source, function: Function) -> list[tuple[int, int]]:
    """The parts of `function`, as (start, end), that no inode with a link comes to."""
    return list(_parts(source.code, function))


def _parts(code: str, function: Function) -> Iterator[tuple[int, int]]:
    for match in _IF.finditer(code, function.start, function.end):
        closed = closing(code, match.end() - 1)
        condition = code[match.end() : closed - 1] if closed is not None else ""
        if closed is None or "i_nlink" not in condition:
            continue
        start, end = _statement(code, closed)
        condition = squeeze(_UNLIKELY.sub("", condition))
        if any(_NONE.fullmatch(part) for part in _split(condition, "&&")):
            yield start, end
        elif any(_SOME.fullmatch(part) for part in _split(condition, "||")):
            other = re.compile(r"\s*else\b").match(code, end)
            if other is not None:
                yield _statement(code, other.end())
            jump = _JUMP.search(code, start, end)
            if jump is not None:
                yield end, _resumed(code, end, function.end, jump[1])


def _statement(code: str, offset: int) -> tuple[int, int]:
    """The block or the plain statement that begins at `offset`."""
    block = re.compile(r"\s*\{").match(code, offset)
    end = closing(code, block.end() - 1) if block is not None else None
    return offset, end if end is not None else code.index(";", offset) + 1


def _resumed(code: str, start: int, limit: int, label: str | None) -> int:
    """Where a jump away from `start` comes back at the latest: at its label, or behind the block around it."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, start, limit):
        depth += 1 if match[0] == "{" else -1
        if depth < 0:
            limit = match.start()
            break
    target = re.compile(rf"^[ \t]*{label}[ \t]*:", re.MULTILINE).search(code, start, limit) if label else None
    return target.start() if target is not None else limit


def _split(condition: str, operator: str) -> list[str]:
    """The operands of `operator`, without outer parentheses, if the whole condition is made of it."""
    parts = [""]
    depth = 0
    for piece in re.split(r"(\(|\)|&&|\|\|)", condition):
        if piece == operator and depth == 0:
            parts.append("")
            continue
        if piece in ("&&", "||") and depth == 0:
            return []
        depth += {"(": 1, ")": -1}.get(piece, 0)
        parts[-1] += piece
    return [squeeze(part) for part in parts]
