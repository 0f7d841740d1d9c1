"""Source places of one translation unit: what line a cursor stands on, and the text that stands there."""

from __future__ import annotations

import bisect
import os.path
import re
from ctypes import c_void_p
from itertools import accumulate
from pathlib import Path

from gfpcheck.frontend import libclang
from gfpcheck.frontend.libclang import CXCursor, CXSourceLocation

_MACRO_BIT = 0x80000000
_WORD = re.compile(rb"[A-Za-z_]\w*")


class Text:
    """One file's bytes and where its lines start. Read from disk: to get them from libclang costs it
    milliseconds when the file came in with a precompiled header."""

    __slots__ = ("_lines", "data")

    def __init__(self, path: str) -> None:
        try:
            self.data = Path(path).read_bytes()
        except OSError:
            self.data = b""
        self._lines: list[int] = []

    def loc(self, offset: int) -> tuple[int, int]:
        """Line and column of a byte offset, both counted from 1."""
        lines = self._lines
        if not lines:
            lines = self._lines = list(accumulate(map(len, self.data.splitlines(keepends=True)), initial=0))
        line = bisect.bisect_right(lines, offset)
        return line, offset - lines[line - 1] + 1

    def word(self, offset: int) -> str:
        """The identifier that starts at `offset`, or an empty string."""
        match = _WORD.match(self.data, offset)
        return match.group().decode() if match else ""

    def says(self, word: bytes, offset: int) -> bool:
        """True if `word` is written before `offset` in the same declaration."""
        start = max(self.data.rfind(end, 0, offset) for end in (b";", b"}", b"\n#"))
        return self.data.find(word, start + 1, offset) >= 0


class Texts:
    """The files read so far, by path; several units may share them."""

    def __init__(self) -> None:
        self._texts: dict[str, Text] = {}

    def __getitem__(self, path: str) -> Text:
        found = self._texts.get(path)
        if found is None:
            found = self._texts[path] = Text(path)
        return found


class Home:
    """A file of one unit. A location outside of macros is numbered by its file's first byte (`base`) plus the
    offset; `base` is learned from the first location that libclang is asked about."""

    __slots__ = ("base", "end", "handle", "text")

    def __init__(self, handle: int, text: Text) -> None:
        self.handle = handle
        self.text = text
        self.base = self.end = -1

    def learn(self, raw: int, offset: int) -> None:
        """A location outside of macros, and its offset in this file."""
        if self.base < 0:
            self.base = raw - offset
            self.end = self.base + len(self.text.data)


class Places:
    """Answers about places for one translation unit, cached by file."""

    def __init__(self, tu: int, cwd: str, texts: Texts) -> None:
        self._tu = tu
        self._cwd = cwd
        self._texts = texts
        self._lib = libclang.load()
        self._homes: dict[int, Home] = {}
        self._location = self._lib.clang_getCursorLocation

    def home(self, handle: int) -> Home:
        """The file behind libclang's file handle."""
        found = self._homes.get(handle)
        if found is None:
            path = libclang.text(self._lib.clang_getFileName(handle))
            found = self._homes[handle] = Home(handle, self._texts[os.path.join(self._cwd, path)])  # noqa: PTH118
        return found

    def file_of(self, cursor: CXCursor) -> int | None:
        """The handle of the file that a cursor was written in."""
        return libclang.file_location(self._location(cursor))[0]

    def offset(self, cursor: CXCursor, home: Home) -> int:
        """Where the person wrote `cursor`, as a byte offset in `home`; -1 if in another file."""
        return self.raw_offset(self._location(cursor), home)

    def raw_offset(self, location: CXSourceLocation, home: Home) -> int:
        """As `offset`, for a location."""
        raw: int = location.raw
        # The usual case, without asking libclang: a location outside of macros counts bytes from its file's first.
        if home.base <= raw <= home.end:
            return raw - home.base
        handle, _, _, offset = libclang.file_location(location)
        if handle != home.handle:
            return -1
        if not raw & _MACRO_BIT:
            home.learn(raw, offset)
        return offset

    def in_macro(self, cursor: CXCursor) -> bool:
        """True if `cursor` starts inside a macro's expansion, its arguments included."""
        return bool(self._location(cursor).raw & _MACRO_BIT)

    def end(self, cursor: CXCursor, home: Home) -> int:
        """The offset of the last character of `cursor` in `home`, or -1."""
        extent = self._lib.clang_getCursorExtent(cursor)
        offset = self.raw_offset(CXSourceLocation(extent.data0, extent.data1, extent.end), home)
        # libclang's end is exclusive; inside a macro it is the place of the macro.
        return offset if offset <= 0 or extent.end & _MACRO_BIT else offset - 1

    def spelling(self, cursor: CXCursor) -> tuple[bytes, int]:
        """The text and the offset at which the first token of `cursor` is spelled: inside the
        macro's definition when it comes from one."""
        token = self._lib.clang_getToken(self._tu, self._location(cursor))
        if not token:
            return b"", 0
        location = self._lib.clang_getTokenLocation(self._tu, libclang.CXToken.from_address(token))
        self._lib.clang_disposeTokens(self._tu, c_void_p(token), 1)
        handle, _, _, offset = libclang.file_location(location)
        return (self.home(handle).text.data, offset) if handle else (b"", 0)
