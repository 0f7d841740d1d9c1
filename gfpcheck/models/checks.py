"""What only shows with all model files together: pairs, version ranges, names of flags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations
from typing import Any

from gfpcheck.models.merged import Merged
from gfpcheck.models.types import Allocator, LockOp
from gfpcheck.models.versions import overlap, parse_range


def check(merged: Merged) -> None:
    """Raise ModelError for the first contradiction."""
    for name in merged.allocators.keys() & merged.not_allocators.keys():
        merged.fail("not_allocators", name, "is both an allocator and none")
    _check_locks(merged)
    closed = {scope.kind for scopes in merged.scopes.values() for scope in scopes if scope.does == "close"}
    for name, scopes in merged.scopes.items():
        for scope in scopes:
            if scope.kind not in closed:
                merged.fail("scopes", name, f"opens {scope.kind}, which nothing closes")
    with_versions = ("scopes", "allocators", "queries", "task_states", "workers", "callbacks", "reclaim", "entries")
    for section in (*with_versions, "members", "contracts", "transactions", "frees"):
        _check_ranges(merged, section, getattr(merged, section))
    _check_flags(merged)
    for name, transactions in merged.transactions.items():
        for each in transactions:
            if each.types and each.types not in merged.transaction_types:
                merged.fail("transactions", name, f"there is no list transaction_types.{each.types}")


def _check_locks(merged: Merged) -> None:
    released = {_lock_key(op) for ops in merged.locks.values() for op in ops if op.does == "release"}
    for name, ops in merged.locks.items():
        for op in ops:
            if op.does == "acquire" and _lock_key(op) not in released:
                what = op.member or op.instance or "its argument"
                merged.fail("locks", name, f"acquires {op.kind} ({what}), which nothing releases")


def _lock_key(op: LockOp) -> tuple[str, str, str]:
    # One function unlocks spinlock_t and raw_spinlock_t; `lock_types` tells them apart.
    kind = "spin" if op.kind == "raw_spin" else op.kind
    return kind, "" if op.member == "*" else op.member, op.instance


def _check_ranges(merged: Merged, section: str, entries: Mapping[str, tuple[Any, ...]]) -> None:
    for name, ops in entries.items():
        ranges = [parse_range(op.since, op.until) for op in ops]
        if any(overlap(one, other) for one, other in combinations(ranges, 2)):
            merged.fail(section, name, "has two entries for one kernel version")


def _check_flags(merged: Merged) -> None:
    known = {**merged.gfp_flags, **merged.gfp_compound}
    for name in merged.gfp_required:
        if name not in merged.gfp_flags:
            merged.fail("gfp_required", name, "is required and not among the flags")
    for name in merged.gfp_values:
        if name not in known:
            merged.fail("gfp_values", name, "is not among the flags")
    for name, allocators in merged.allocators.items():
        for entry in allocators:
            _check_expressions(merged, "allocators", name, _expressions(entry))
            if entry.word and entry.word not in merged.words:
                merged.fail("allocators", name, f"there is no table words.{entry.word}")
    for name, word in merged.words.items():
        parts = [word.plain, *(text for flag in word.flags for text in (flag.adds, flag.clears))]
        _check_expressions(merged, "words", name, [part for part in parts if part])
    for name, roots in merged.reclaim.items():
        for root in roots:
            if root.gate and root.gate not in known:
                merged.fail("reclaim", name, f"unknown flag {root.gate!r}")


def _check_expressions(merged: Merged, section: str, name: str, expressions: list[str]) -> None:
    for expression in expressions:
        for flag in re.split(r"\s*\|\s*", expression.strip()):
            if flag not in merged.gfp_flags and flag not in merged.gfp_compound:
                merged.fail(section, name, f"unknown flag {flag!r}")


def _expressions(entry: Allocator) -> list[str]:
    return [text for text in (entry.flags, entry.adds, entry.clears, entry.needs, entry.rejects) if text]
