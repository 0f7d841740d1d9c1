"""Parsing: a file and arguments in, a translation unit out, with its diagnostics and inclusions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import byref, c_char_p, c_void_p

from gfpcheck.frontend import libclang
from gfpcheck.frontend.libclang import CXUnsavedFile, FrontendError

# Warnings cost time (clang builds control-flow graphs for them) and say nothing here.
_ALWAYS = ("-w", "-ferror-limit=0", "-fno-spell-checking")


class ParseError(FrontendError):
    """libclang gave no translation unit at all; the message says which file."""


@contextmanager
def parsed(
    path: str, args: Sequence[str], cwd: str, *, options: int = 0, unsaved: bytes | None = None
) -> Iterator[int]:
    """The translation unit's handle while the block runs. `unsaved` replaces the file's contents.

    Raises ParseError. Errors in the source are not errors here: see `diagnostics`.
    """
    lib = libclang.load()
    words = [*args, *_ALWAYS, "-working-directory", cwd] if cwd else [*args, *_ALWAYS]
    array = (c_char_p * len(words))(*(word.encode("utf-8", "surrogateescape") for word in words))
    name = path.encode("utf-8", "surrogateescape")
    files = (CXUnsavedFile * 1)(CXUnsavedFile(name, unsaved, len(unsaved))) if unsaved is not None else None
    # Declarations that come from a precompiled header are left out of listings.
    index = lib.clang_createIndex(1, 0)
    unit = c_void_p()
    try:
        code = lib.clang_parseTranslationUnit2(
            index, name, array, len(words), files, int(unsaved is not None), options, byref(unit)
        )
        if code or not unit.value:
            raise ParseError(f"libclang cannot parse {path} (code {code})")
        yield unit.value
    finally:
        if unit.value:
            lib.clang_disposeTranslationUnit(unit)
        lib.clang_disposeIndex(index)


def errors(tu: int) -> list[tuple[str, int, str]]:
    """(file, line, message) of each error, in the order met."""
    lib = libclang.load()
    found = []
    for number in range(lib.clang_getNumDiagnostics(tu)):
        diagnostic = lib.clang_getDiagnostic(tu, number)
        if lib.clang_getDiagnosticSeverity(diagnostic) >= libclang.SEVERITY_ERROR:
            handle, line, _, _ = libclang.file_location(lib.clang_getDiagnosticLocation(diagnostic))
            name = libclang.text(lib.clang_getFileName(handle)) if handle else ""
            found.append((name, line, libclang.text(lib.clang_getDiagnosticSpelling(diagnostic))))
        lib.clang_disposeDiagnostic(diagnostic)
    return found


def inclusions(tu: int) -> list[str]:
    """The files that were read for the unit, the file itself first, each once."""
    lib = libclang.load()
    names: dict[str, None] = {}

    def visit(handle: int, _stack: object, _depth: int, _data: object) -> None:
        names[libclang.text(lib.clang_getFileName(handle))] = None

    lib.clang_getInclusions(tu, libclang.INCLUSION_VISITOR(visit), None)
    return list(names)
