"""sarif-om's objects -> what `json` can write.

The serialiser that usually goes with sarif-om leaves out every value that equals sarif-om's
default: a `"level": "warning"` is then read as the rule's level. Here only what is not set is left
out: None, and -1 where that is sarif-om's way to say so. And sarif-om has one name wrong: a suppression has a "status".
"""

from __future__ import annotations

import functools
from typing import Any

import attrs
import sarif_om as om

_FIRST = ("$schema", "version", "id", "name", "ruleId", "ruleIndex", "kind", "level", "message", "locations")


class Encoded(dict[str, Any]):
    """An object that was encoded before; `encode` returns it as it is."""


_READY = frozenset({str, int, bool, float, Encoded})


def encode(value: Any) -> Any:
    """`value` with every sarif-om object in it, in lists and dictionaries too, made an Encoded."""
    kind = type(value)
    if kind in _READY:
        return value
    if kind is list:
        return [encode(item) for item in value]
    if kind is dict:
        return {key: encode(item) for key, item in value.items()}
    if not attrs.has(kind):
        return value
    result = Encoded()
    fields = vars(value)
    for attribute, key, unset in _plan(kind):
        item = fields[attribute]
        if item is not None and (unset is None or item != unset):
            result[key] = item if type(item) in _READY else encode(item)
    return result


@functools.cache
def _plan(kind: type) -> tuple[tuple[str, str, int | None], ...]:
    """For each field of a class: its attribute, its name in JSON, and -1 if that means "not set"."""
    plan = [
        (field.name, _name(kind, field.metadata["schema_property_name"]), -1 if field.default == -1 else None)
        for field in attrs.fields(kind)
    ]
    return tuple(sorted(plan, key=lambda entry: _FIRST.index(entry[1]) if entry[1] in _FIRST else len(_FIRST)))


def _name(kind: type, key: str) -> str:
    """The name in SARIF of a field that sarif-om calls `key`."""
    return "status" if kind is om.Suppression and key == "state" else key
