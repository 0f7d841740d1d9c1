"""JSON written piece by piece: one key a line, and a long list one item a line.

So a large report needs little memory, and `diff` and `grep` work on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

import msgspec

from gfpcheck.report.lines import Sink

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def dumps(value: object) -> str:
    """Compact JSON in ASCII, in the order of the keys.

    What JSON has no word for (enums, structs, sets) becomes its nearest relative, and a lone
    surrogate, as in a file name that is not UTF-8, U+FFFD: many readers refuse the escape of one.
    """
    try:
        text = msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # a lone surrogate, which the standard library lets pass
        text = json.dumps(msgspec.to_builtins(value, str_keys=True), ensure_ascii=False, separators=(",", ":"))
    return text if text.isascii() else _NOT_ASCII.sub(_escape, text)


def write_members(members: Mapping[str, object], sink: Sink) -> None:
    """Writes `"key":value,` for each member, a line each."""
    for key, value in members.items():
        sink.write(f"{dumps(key)}:{dumps(value)},\n")


def write_list(key: str, items: Iterable[object], sink: Sink) -> None:
    """Writes `"key":[...]`, an item a line, without a comma at the end."""
    separator = f"{dumps(key)}:["
    for item in items:
        sink.write(f"{separator}\n{dumps(item)}")
        separator = ","
    sink.write(f"{dumps(key)}:[]" if separator != "," else "\n]")


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return "\\ufffd" if "\ud800" <= char <= "\udfff" else json.dumps(char)[1:-1]
