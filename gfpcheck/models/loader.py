"""All model files to one `Models`: merge, check across files, keep what holds for the kernel's version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TypeVar

from gfpcheck.models.parse import ModelFile, read_model_file
from gfpcheck.models.types import Allocator, LockOp, Models, ReclaimRoot, Scope
from gfpcheck.models.versions import overlap, parse_range, select

DATA = Path(__file__).parent / "data"

Function = TypeVar("Function", LockOp, Scope, Allocator)
Ranged = TypeVar("Ranged", LockOp, Scope, Allocator, ReclaimRoot)
Value = TypeVar("Value")

Owners = dict[tuple[str, str], ModelFile]
"""Which file an entry (section, name) came from: errors name it."""


def load(version: tuple[int, ...], extra: Sequence[Path] = ()) -> Models:
    """The built-in models and those of the files `extra`, for one kernel version (() outside a kernel).

    An entry of an extra file replaces the built-in one of that name. Raises ModelError, which names the file and entry.
    """
    built_in = _merge([read_model_file(path) for path in sorted(DATA.glob("*.toml"))])
    added = _merge([read_model_file(path) for path in extra])
    merged = _override(built_in, added)
    _check_pairs(merged)
    _check_flags(merged)
    return merged.select(version)


class _Merged:
    """Entries of several files by name, each with the file that it came from."""

    def __init__(self) -> None:
        self.owners: Owners = {}
        self.locks: dict[str, tuple[LockOp, ...]] = {}
        self.scopes: dict[str, tuple[Scope, ...]] = {}
        self.allocators: dict[str, tuple[Allocator, ...]] = {}
        self.reclaim: dict[str, tuple[ReclaimRoot, ...]] = {}
        self.lock_types: dict[str, str] = {}
        self.inner: dict[str, None] = {}
        self.not_allocators: dict[str, None] = {}
        self.noreturn: dict[str, None] = {}
        self.gfp_flags: dict[str, None] = {}
        self.gfp_required: dict[str, None] = {}
        self.gfp_compound: dict[str, None] = {}

    def take(self, file: ModelFile) -> None:
        self._add(file, "locks", self.locks, _by_name(file, file.locks))
        self._add(file, "scopes", self.scopes, _by_name(file, file.scopes))
        self._add(file, "allocators", self.allocators, _by_name(file, file.allocators))
        self._add(file, "reclaim", self.reclaim, file.reclaim)
        self._add(file, "lock_types", self.lock_types, file.lock_types)
        for section in ("inner", "not_allocators", "noreturn", "gfp_flags", "gfp_required", "gfp_compound"):
            names: dict[str, None] = getattr(self, section)
            self._add(file, section, names, dict.fromkeys(getattr(file, section)))

    def _add(self, file: ModelFile, section: str, mine: dict[str, Value], new: Mapping[str, Value]) -> None:
        for name, value in new.items():
            if name in mine:
                file.fail(name, f"is already in {self.owners[section, name].path}")
            mine[name] = value
            self.owners[section, name] = file

    def select(self, version: tuple[int, ...]) -> Models:
        """What holds for `version`."""
        locks = _held(self.locks, version)
        return Models(
            locks=locks,
            scopes=_first(self.scopes, version),
            allocators=_first(self.allocators, version),
            reclaim_roots=tuple(root for roots in self.reclaim.values() for root in select(roots, version)),
            lock_types=self.lock_types,
            inner=frozenset(self.inner),
            not_allocators=frozenset(self.not_allocators),
            noreturn=frozenset(self.noreturn),
            gfp_flags=tuple(self.gfp_flags),
            gfp_required=tuple(self.gfp_required),
            gfp_compound=tuple(self.gfp_compound),
            macros=frozenset(name for name, ops in locks.items() if any(op.macro for op in ops)),
        )


def _merge(files: Iterable[ModelFile]) -> _Merged:
    merged = _Merged()
    for file in files:
        merged.take(file)
    for name in merged.allocators.keys() & merged.not_allocators.keys():
        merged.owners["not_allocators", name].fail(name, "is both an allocator and none")
    return merged


def _override(built_in: _Merged, added: _Merged) -> _Merged:
    """`added` on top of `built_in`; both are spent."""
    for name in added.locks:
        _drop(built_in.locks, name)
    for name in added.scopes:
        _drop(built_in.scopes, name)
    for name in added.allocators:
        _drop(built_in.allocators, name)
        built_in.not_allocators.pop(name, None)
    for name in added.not_allocators:
        _drop(built_in.allocators, name)
    for section in (
        "locks",
        "scopes",
        "allocators",
        "reclaim",
        "lock_types",
        "inner",
        "not_allocators",
        "noreturn",
        "gfp_flags",
        "gfp_required",
        "gfp_compound",
        "owners",
    ):
        getattr(built_in, section).update(getattr(added, section))
    return built_in


def _drop(entries: dict[str, tuple[Function, ...]], name: str) -> None:
    """Forget an entry and everything spelled in it: who writes a new one says what is spelled."""
    for op in entries.pop(name, ()):
        for other in op.spelled:
            entries.pop(other, None)


def _by_name(file: ModelFile, entries: Mapping[str, tuple[Function, ...]]) -> dict[str, tuple[Function, ...]]:
    """The entries under their own names and under those they are spelled with."""
    found: dict[str, list[Function]] = {name: list(ops) for name, ops in entries.items()}
    for name, ops in entries.items():
        for op in ops:
            for other in op.spelled:
                if other in entries:
                    file.fail(other, f"has an entry and is spelled in that of {name}")
                found.setdefault(other, []).append(op)
    for name, ops in entries.items():
        spelled = {other for op in ops for other in op.spelled}
        for other in spelled:
            if any(op not in ops for op in found[other]):
                file.fail(other, f"is spelled in the entry of {name} and in another")
    return {name: tuple(listed) for name, listed in found.items()}


def _held(entries: Mapping[str, tuple[Ranged, ...]], version: tuple[int, ...]) -> dict[str, tuple[Ranged, ...]]:
    chosen = {name: select(ops, version) for name, ops in entries.items()}
    return {name: ops for name, ops in chosen.items() if ops}


def _first(entries: Mapping[str, tuple[Ranged, ...]], version: tuple[int, ...]) -> dict[str, Ranged]:
    return {name: ops[0] for name, ops in _held(entries, version).items()}


def _check_pairs(merged: _Merged) -> None:
    """What is acquired can be released, what is opened closed; single-valued entries do not overlap."""
    released = {_lock_key(op) for ops in merged.locks.values() for op in ops if op.does == "release"}
    for name, ops in merged.locks.items():
        for op in ops:
            if op.does == "acquire" and _lock_key(op) not in released:
                what = op.member or op.instance or "its argument"
                merged.owners["locks", name].fail(name, f"acquires {op.kind} ({what}), which nothing releases")
    closed = {scope.kind for scopes in merged.scopes.values() for scope in scopes if scope.does == "close"}
    for name, scopes in merged.scopes.items():
        if any(scope.kind not in closed for scope in scopes):
            merged.owners["scopes", name].fail(name, f"opens {scopes[0].kind}, which nothing closes")
    _check_ranges(merged, "scopes", merged.scopes)
    _check_ranges(merged, "allocators", merged.allocators)
    _check_ranges(merged, "reclaim", merged.reclaim)


def _check_ranges(merged: _Merged, section: str, entries: Mapping[str, tuple[Ranged, ...]]) -> None:
    for name, ops in entries.items():
        known = [parse_range(op.since, op.until) for op in ops]
        if any(overlap(one, other) for one, other in combinations(known, 2)):
            merged.owners[section, name].fail(name, "has two entries for one kernel version")


def _lock_key(op: LockOp) -> tuple[str, str, str]:
    # One function unlocks spinlock_t and raw_spinlock_t; `lock_types` tells them apart.
    kind = "spin" if op.kind == "raw_spin" else op.kind
    return kind, "" if op.member == "*" else op.member, op.instance


def _check_flags(merged: _Merged) -> None:
    known = {**merged.gfp_flags, **merged.gfp_required, **merged.gfp_compound}
    for name in merged.gfp_required:
        if name not in merged.gfp_flags:
            merged.owners["gfp_required", name].fail(name, "is required and not among the flags")
    for name, allocators in merged.allocators.items():
        for expression in (text for entry in allocators for text in (entry.flags, entry.adds, entry.clears) if text):
            for flag in re.split(r"\s*\|\s*", expression.strip()):
                if flag not in known:
                    merged.owners["allocators", name].fail(name, f"unknown flag {flag!r}")
    for name, roots in merged.reclaim.items():
        for root in roots:
            if root.gate and root.gate not in known:
                merged.owners["reclaim", name].fail(name, f"unknown flag {root.gate!r}")
