"""Entries of several model files in one place, each with the file that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from gfpcheck.models.parse import ModelFile
from gfpcheck.models.types import (
    Allocator,
    Callback,
    CallbackMember,
    Contract,
    EntryPoint,
    Free,
    LockOp,
    Query,
    ReclaimRoot,
    Scope,
    ScopeKind,
    TaskState,
    Transaction,
    Word,
    Worker,
)

Function = TypeVar("Function", LockOp, Scope, Allocator, Query, TaskState, Worker, Callback, Transaction, Free)
Spelled = Mapping[
    str, tuple[LockOp | Scope | Allocator | Query | TaskState | Worker | Callback | Transaction | Free, ...]
]

BY_FUNCTION = (
    "locks",
    "scopes",
    "allocators",
    "queries",
    "task_states",
    "workers",
    "callbacks",
    "transactions",
    "frees",
)
BY_MEMBER = ("reclaim", "entries", "members", "contracts", "lock_types")
BY_NAME = ("words", "gfp_values", "task_flags", "transaction_types")
NAMES = (
    "inner",
    "queued",
    "not_allocators",
    "noreturn",
    "steady",
    "waits",
    "retry_waits",
    "opaque",
    "pool_returns",
    "pool_keeps",
    "last_references",
    "system_calls",
    "oom_path",
    "gfp_flags",
    "gfp_required",
    "gfp_compound",
    "gfp_constants",
)


class Merged:
    """The sections of a `ModelFile`, with the functions of `BY_FUNCTION` also under the names that they are spelled.

    Lists of names are dicts without values: they keep their order.
    """

    def __init__(self) -> None:
        self.locks: dict[str, tuple[LockOp, ...]] = {}
        self.scopes: dict[str, tuple[Scope, ...]] = {}
        self.allocators: dict[str, tuple[Allocator, ...]] = {}
        self.queries: dict[str, tuple[Query, ...]] = {}
        self.task_states: dict[str, tuple[TaskState, ...]] = {}
        self.workers: dict[str, tuple[Worker, ...]] = {}
        self.callbacks: dict[str, tuple[Callback, ...]] = {}
        self.transactions: dict[str, tuple[Transaction, ...]] = {}
        self.frees: dict[str, tuple[Free, ...]] = {}
        self.reclaim: dict[str, tuple[ReclaimRoot, ...]] = {}
        self.entries: dict[str, tuple[EntryPoint, ...]] = {}
        self.members: dict[str, tuple[CallbackMember, ...]] = {}
        self.contracts: dict[str, tuple[Contract, ...]] = {}
        self.lock_types: dict[str, str] = {}
        self.words: dict[str, Word] = {}
        self.gfp_values: dict[str, int] = {}
        self.transaction_types: dict[str, tuple[str, ...]] = {}
        self.task_flags: dict[str, dict[str, ScopeKind]] = {}
        self.inner: dict[str, None] = {}
        self.queued: dict[str, None] = {}
        self.not_allocators: dict[str, None] = {}
        self.noreturn: dict[str, None] = {}
        self.steady: dict[str, None] = {}
        self.waits: dict[str, None] = {}
        self.retry_waits: dict[str, None] = {}
        self.opaque: dict[str, None] = {}
        self.pool_returns: dict[str, None] = {}
        self.pool_keeps: dict[str, None] = {}
        self.last_references: dict[str, None] = {}
        self.system_calls: dict[str, None] = {}
        self.oom_path: dict[str, None] = {}
        self.gfp_flags: dict[str, None] = {}
        self.gfp_required: dict[str, None] = {}
        self.gfp_compound: dict[str, None] = {}
        self.gfp_constants: dict[str, None] = {}
        self._owners: dict[tuple[str, str], ModelFile] = {}

    def fail(self, section: str, name: str, problem: str) -> NoReturn:
        """Raise the ModelError about an entry."""
        self._owners[section, name].fail(name, problem)

    def take(self, file: ModelFile) -> None:
        """Add a file's entries. Raises ModelError for one that another file has."""
        self._add(file, "locks", _by_every_name(file, file.locks))
        self._add(file, "scopes", _by_every_name(file, file.scopes))
        self._add(file, "allocators", _by_every_name(file, file.allocators))
        self._add(file, "queries", _by_every_name(file, file.queries))
        self._add(file, "task_states", _by_every_name(file, file.task_states))
        self._add(file, "workers", _by_every_name(file, file.workers))
        self._add(file, "callbacks", _by_every_name(file, file.callbacks))
        self._add(file, "transactions", _by_every_name(file, file.transactions))
        self._add(file, "frees", _by_every_name(file, file.frees))
        for section in (*BY_MEMBER, *BY_NAME):
            self._add(file, section, getattr(file, section))
        for section in NAMES:
            self._add(file, section, dict.fromkeys(getattr(file, section)))

    def _add(self, file: ModelFile, section: str, new: Mapping[str, Any]) -> None:
        mine: dict[str, Any] = getattr(self, section)
        for name, value in new.items():
            if name in mine:
                file.fail(name, f"is already in {self._owners[section, name].path}")
            mine[name] = value
            self._owners[section, name] = file

    def override(self, added: Merged) -> None:
        """Put the entries of `added` in place of those of the same name; lists grow."""
        for section in BY_FUNCTION:
            mine: dict[str, Any] = getattr(self, section)
            for name in getattr(added, section):
                _forget(mine, name)
        for name in added.allocators:
            self.not_allocators.pop(name, None)
        for name in added.not_allocators:
            _forget(self.allocators, name)
        for section in (*BY_FUNCTION, *BY_MEMBER, *BY_NAME, *NAMES, "_owners"):
            getattr(self, section).update(getattr(added, section))


def _forget(entries: dict[str, tuple[Any, ...]], name: str) -> None:
    """Drop an entry and what is spelled in it: whoever writes a new one says what is spelled."""
    for op in entries.pop(name, ()):
        for other in op.spelled:
            entries.pop(other, None)


def _by_every_name(file: ModelFile, entries: Mapping[str, tuple[Function, ...]]) -> dict[str, tuple[Function, ...]]:
    found = dict(entries)
    owner = {name: name for name in entries}
    for name, ops in entries.items():
        for op in ops:
            for other in op.spelled:
                if owner.setdefault(other, name) != name:
                    file.fail(other, f"is in the entry of {name} and in that of {owner[other]}")
                found[other] = tuple(each for each in ops if other in each.spelled)
    return found
