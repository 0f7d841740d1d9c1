"""Two inventories: what one has and the other does not. Requirements are the same if their keys are."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path

import msgspec

from gfpcheck.overview.inventory.types import SCHEMA_VERSION, Inventory, Kept, Requirement

_TOLD = ("flags", "size", "locks", "scopes", "transactions", "handled")
"""What is said of a requirement that both have, if it is not the same."""


class Changed(msgspec.Struct, frozen=True):
    """A requirement that both have: `what` is not the same of it."""

    old: Requirement
    new: Requirement
    what: tuple[str, ...]


class Difference(msgspec.Struct, frozen=True):
    """What has come, gone and changed from one inventory (of the kernel `before`) to another."""

    before: str
    added: tuple[Requirement, ...]
    removed: tuple[Requirement, ...]
    changed: tuple[Changed, ...]
    same: int


class InventoryError(Exception):
    """A file holds no inventory that can be compared; the message names it and says why."""


def load(path: Path) -> Kept:
    """An inventory that was written as JSON. Raises InventoryError."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Kept)
    except OSError as error:
        raise InventoryError(f"cannot read {path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise InventoryError(f"{path}: not an inventory as `--format json` writes it: {error}") from error
    if found.schema_version != SCHEMA_VERSION:
        raise InventoryError(f"{path}: an inventory in version {found.schema_version} of the format, not in 1")
    return found


def compare(old: Kept, new: Inventory) -> Difference:
    """What `new` has that `old` has not, and the other way round."""
    before = {each.key: each for each in old.requirements}
    after = {each.key: each for each in new.requirements}
    pairs = [(before[key], after[key]) for key in after if key in before]
    changed = [Changed(a, b, what) for a, b in pairs if (what := _differing(a, b))]
    return Difference(
        old.kernel,
        _without(new.requirements, before.keys()),
        _without(old.requirements, after.keys()),
        tuple(changed),
        len(pairs) - len(changed),
    )


def _differing(a: Requirement, b: Requirement) -> tuple[str, ...]:
    return tuple(name for name in _TOLD if getattr(a, name) != getattr(b, name))


def _without(found: Sequence[Requirement], keys: Container[str]) -> tuple[Requirement, ...]:
    return tuple(each for each in found if each.key not in keys)
