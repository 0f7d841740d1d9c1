"""All model files to one `Models`: merge, check across files, keep what holds for the kernel's version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from gfpcheck.models.checks import check
from gfpcheck.models.merged import Merged
from gfpcheck.models.parse import read_model_file
from gfpcheck.models.types import Models
from gfpcheck.models.versions import Ranged, select

DATA = Path(__file__).parent / "data"

T = TypeVar("T", bound=Ranged)


def load(version: tuple[int, ...], extra: Sequence[Path] = ()) -> Models:
    """The built-in models and those of the files `extra`, for one kernel version (() outside a kernel).

    An entry of an extra file replaces the built-in one of that name. Raises ModelError, which names the file and entry.
    """
    merged = _merge(sorted(DATA.glob("*.toml")))
    merged.override(_merge(extra))
    check(merged)
    return _select(merged, version)


def _merge(paths: Iterable[Path]) -> Merged:
    merged = Merged()
    for path in paths:
        merged.take(read_model_file(path))
    return merged


def _select(merged: Merged, version: tuple[int, ...]) -> Models:
    locks = _all(merged.locks, version)
    roots = _all(merged.reclaim, version)
    return Models(
        locks=locks,
        scopes=_one(merged.scopes, version),
        allocators=_one(merged.allocators, version),
        reclaim_roots=tuple(root for held in roots.values() for root in held),
        entry_points=tuple(entry for held in _all(merged.entries, version).values() for entry in held),
        system_calls=tuple(merged.system_calls),
        oom_path=tuple(merged.oom_path),
        lock_types=merged.lock_types,
        inner=frozenset(merged.inner),
        queued=frozenset(merged.queued),
        not_allocators=frozenset(merged.not_allocators),
        noreturn=frozenset(merged.noreturn),
        steady=frozenset(merged.steady),
        waits=frozenset(merged.waits),
        retry_waits=frozenset(merged.retry_waits),
        opaque=tuple(merged.opaque),
        pool_returns=frozenset(merged.pool_returns),
        pool_keeps=frozenset(merged.pool_keeps),
        last_references=frozenset(merged.last_references),
        gfp_flags=tuple(merged.gfp_flags),
        gfp_required=tuple(merged.gfp_required),
        gfp_compound=tuple(merged.gfp_compound),
        gfp_constants=tuple(merged.gfp_constants),
        macros={(name, left): (op,) for name, ops in locks.items() for op in ops for left in op.via},
        queries=_one(merged.queries, version),
        task_states=_one(merged.task_states, version),
        workers=_one(merged.workers, version),
        callbacks=_one(merged.callbacks, version),
        members=_one(merged.members, version),
        contracts=_one(merged.contracts, version),
        transactions=_one(merged.transactions, version),
        transaction_types=merged.transaction_types,
        frees=_one(merged.frees, version),
        words=merged.words,
        gfp_values=merged.gfp_values,
        task_flags=merged.task_flags,
    )


def _all(entries: Mapping[str, tuple[T, ...]], version: tuple[int, ...]) -> dict[str, tuple[T, ...]]:
    chosen = {name: select(ops, version) for name, ops in entries.items()}
    return {name: ops for name, ops in chosen.items() if ops}


def _one(entries: Mapping[str, tuple[T, ...]], version: tuple[int, ...]) -> dict[str, Any]:
    """Entries of which one holds at a time, as `check()` saw to."""
    return {name: ops[0] for name, ops in _all(entries, version).items()}
