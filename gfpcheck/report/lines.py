"""Text that is safe to print: one line, no control characters, nothing a terminal would obey.

Source code, file names and messages made of them are not to be trusted: an escape sequence in a
comment must not reach the terminal, nor a bidirectional override make code look like other code.
"""

from __future__ import annotations

import unicodedata
from typing import Protocol

from gfpcheck.findings import Place

# Cc control, Cf invisible formatting (bidirectional overrides, joiners), Cs lone surrogates,
# Co and Cn without a known shape, Zl and Zp line breaks.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SUBSTITUTE = "\N{REPLACEMENT CHARACTER}"


class Sink(Protocol):
    """What a report is written to: an open text file, or anything with such a `write`."""

    def write(self, text: str, /) -> object: ...


class _Replacing:
    """A sink that puts `?` for what the encoding of the stream below cannot express."""

    def __init__(self, stream: Sink, encoding: str) -> None:
        self._stream = stream
        self._encoding = encoding

    def write(self, text: str, /) -> None:
        self._stream.write(text.encode(self._encoding, "replace").decode(self._encoding))


def encodable(stream: Sink) -> Sink:
    """`stream`, or a sink in front of it that never fails for want of a character."""
    encoding = getattr(stream, "encoding", None)
    if not isinstance(encoding, str) or encoding.lower().replace("-", "").replace("_", "") == "utf8":
        return stream
    return _Replacing(stream, encoding)


def printable(text: str) -> str:
    """`text` with each unprintable character replaced by one visible character."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _visible(char) for char in text)


def one_line(text: str) -> str:
    """`text` as one printable line, line breaks and runs of white space turned into single spaces."""
    return printable(" ".join(text.split()))


def place_prefix(place: Place) -> str:
    """`file:line:col`, or `file:line` when the column is not known."""
    column = f":{place.col}" if place.col > 0 else ""
    return f"{printable(place.file)}:{place.line}{column}"


def cells(char: str) -> int:
    """The number of terminal columns that one printable character takes."""
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)  # the block of control pictures, in the order of the controls
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    return _SUBSTITUTE if unicodedata.category(char) in _UNPRINTABLE else " "
