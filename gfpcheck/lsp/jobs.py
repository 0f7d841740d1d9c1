"""What the server asks of the process that analyses, and what it gets."""

from __future__ import annotations

import struct
from typing import Literal

import msgspec

from gfpcheck.findings import Level

Encoding = Literal["utf-8", "utf-16", "utf-32"]

_LENGTH = struct.Struct(">I")
HEAD = _LENGTH.size
"""How many bytes tell the length of a message."""


class Job(msgspec.Struct, array_like=True):
    """A look at the C file `path`: alone, or, if `wide`, together with what is built with it. `texts` are the editor's,
    by path, of all files that are open in it; all paths are absolute and without links. Columns are counted in
    `encoding`."""

    path: str
    texts: dict[str, bytes]
    encoding: Encoding
    wide: bool = False


class Spot(msgspec.Struct, array_like=True, frozen=True):
    """Part of a line: line and columns from 0, `end` exclusive."""

    line: int
    start: int
    end: int


class Related(msgspec.Struct, array_like=True, frozen=True):
    """A step of the way that proves a finding."""

    file: str
    spot: Spot
    text: str


class Hint(msgspec.Struct, array_like=True, frozen=True):
    """A finding as an editor shows it. `page` is where its rule is documented, or empty."""

    rule: str
    level: Level
    message: str
    spot: Spot
    related: list[Related]
    fingerprint: str
    page: str


class Seen(msgspec.Struct, array_like=True):
    """The findings in the file; or why there are none, in one sentence, if it could not be analysed. `done` is false
    for a wide look that was not made, because too much is built with the file, or nothing. `foreign`: it is no code
    that gfpcheck is for, as much is that an editor opens."""

    hints: list[Hint] = []
    problem: str = ""
    done: bool = True
    foreign: bool = False


def message(content: Job | Seen) -> bytes:
    """As it is sent: its length, then what `decode` understands."""
    data = msgspec.msgpack.encode(content)
    return _LENGTH.pack(len(data)) + data


def length(head: bytes) -> int:
    """How many bytes follow the first `HEAD` of a message."""
    found: int = _LENGTH.unpack(head)[0]
    return found


decode_job = msgspec.msgpack.Decoder(Job).decode
decode_seen = msgspec.msgpack.Decoder(Seen).decode
