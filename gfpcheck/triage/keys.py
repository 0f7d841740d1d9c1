"""Keys of TOML tables: one that means nothing is an error that names the nearest one that does."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec


class UnknownKeyError(Exception):
    """A key that means nothing; the message says what there is instead."""


def check_keys(data: Iterable[str], form: type[msgspec.Struct], where: str = "") -> None:
    """Raises UnknownKeyError for the first key of a table that `form` does not have; `where` names the table."""
    valid = [field.encode_name for field in msgspec.structs.fields(form)]
    for key in data:
        if key not in valid:
            close = difflib.get_close_matches(key, valid, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(valid)}"
            raise UnknownKeyError(f"unknown key {key!r}{f' in {where}' if where else ''}; {hint}")
