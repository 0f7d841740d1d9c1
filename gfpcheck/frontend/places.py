"""Source places of one translation unit: what line a cursor stands on, and the text that stands there."""

from __future__ import annotations

import bisect
import ctypes
import re
from ctypes import byref, c_void_p

from gfpcheck.frontend import libclang
from gfpcheck.frontend.libclang import CXCursor, CXSourceLocation
from gfpcheck.ir.types import Loc

_MACRO_BIT = 0x80000000
_WORD = re.compile(rb"[A-Za-z_]\w*")
_NEWLINE = re.compile(rb"\n")
_ANY_NEWLINE = re.compile(rb"\r\n|\n|\r")


class Buffer:
    """One file as libclang read it. `base` is the raw location of its first byte, or -1 when the
    raw number of a location does not tell the offset (then libclang is asked every time)."""

    __slots__ = ("_lines", "base", "end", "handle", "name", "text")

    def __init__(self, tu: int, handle: int) -> None:
        lib = libclang.load()
        self.handle = handle
        self.name = libclang.text(lib.clang_getFileName(handle))
        size = ctypes.c_size_t()
        pointer = lib.clang_getFileContents(tu, handle, byref(size))
        self.text = ctypes.string_at(pointer, size.value) if pointer else b""
        self._lines: list[int] = []
        first = lib.clang_getLocationForOffset(tu, handle, 0).raw
        last = lib.clang_getLocationForOffset(tu, handle, len(self.text)).raw
        self.base = first if first and not first & _MACRO_BIT and last - first == len(self.text) else -1
        self.end = last if self.base >= 0 else -1

    def loc(self, offset: int) -> Loc:
        """Line and column of a byte offset."""
        lines = self._lines
        if not lines:
            newline = _ANY_NEWLINE if b"\r" in self.text else _NEWLINE
            lines = self._lines = [0, *(match.end() for match in newline.finditer(self.text))]
        line = bisect.bisect_right(lines, offset)
        return Loc(line, offset - lines[line - 1] + 1)

    def word(self, offset: int) -> str:
        """The identifier that starts at `offset`, or an empty string."""
        match = _WORD.match(self.text, offset)
        return match.group().decode() if match else ""


class Places:
    """Answers about places for one translation unit, cached by file."""

    def __init__(self, tu: int) -> None:
        self._tu = tu
        self._lib = libclang.load()
        self._buffers: dict[int, Buffer] = {}
        self._location = self._lib.clang_getCursorLocation

    def buffer(self, handle: int) -> Buffer:
        """The file behind libclang's file handle."""
        found = self._buffers.get(handle)
        if found is None:
            found = self._buffers[handle] = Buffer(self._tu, handle)
        return found

    def file_of(self, cursor: CXCursor) -> int | None:
        """The handle of the file that a cursor was written in."""
        return libclang.file_location(self._location(cursor))[0]

    def offset(self, cursor: CXCursor, home: Buffer) -> int:
        """Where the person wrote `cursor`, as a byte offset in `home`; -1 if in another file."""
        return self.raw_offset(self._location(cursor), home)

    def raw_offset(self, location: CXSourceLocation, home: Buffer) -> int:
        """As `offset`, for a location."""
        raw = location.raw
        # The usual case, without asking libclang: a location outside of macros counts bytes from its file's first.
        if home.base <= raw <= home.end:
            return raw - home.base
        handle, _, _, offset = libclang.file_location(location)
        return offset if handle == home.handle else -1

    def in_macro(self, cursor: CXCursor) -> bool:
        """True if `cursor` starts inside a macro's expansion, its arguments included."""
        return bool(self._location(cursor).raw & _MACRO_BIT)

    def end(self, cursor: CXCursor, home: Buffer) -> int:
        """The offset of the last token of `cursor` in `home`, or -1."""
        extent = self._lib.clang_getCursorExtent(cursor)
        location = CXSourceLocation(extent.data0, extent.data1, extent.end)
        return self.raw_offset(location, home)

    def spelling(self, cursor: CXCursor) -> tuple[bytes, int]:
        """The text and the offset at which the first token of `cursor` is spelled: inside the
        macro's definition when it comes from one."""
        token = self._lib.clang_getToken(self._tu, self._location(cursor))
        if not token:
            return b"", 0
        location = self._lib.clang_getTokenLocation(self._tu, libclang.CXToken.from_address(token))
        self._lib.clang_disposeTokens(self._tu, c_void_p(token), 1)
        handle, _, _, offset = libclang.file_location(location)
        return (self.buffer(handle).text, offset) if handle else (b"", 0)
