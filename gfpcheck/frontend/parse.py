"""Parsing: a file and arguments in, a translation unit out, with its diagnostics and inclusions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import byref, c_char_p, c_void_p
from typing import Any

from gfpcheck.frontend import libclang
from gfpcheck.frontend.libclang import CXUnsavedFile, FrontendError

# Warnings cost time (clang builds control-flow graphs for them) and say nothing here.
_ALWAYS = ("-w", "-ferror-limit=0", "-fno-spell-checking")

_NOT_FOUND = " file not found"


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


@contextmanager
def loaded(path: str) -> Iterator[int]:
    """A precompiled header as a translation unit of its own. Raises ParseError."""
    lib = libclang.load()
    index = lib.clang_createIndex(0, 0)
    unit = c_void_p()
    try:
        code = lib.clang_createTranslationUnit2(index, path.encode("utf-8", "surrogateescape"), byref(unit))
        if code or not unit.value:
            raise ParseError(f"libclang cannot load {path} (code {code})")
        yield unit.value
    finally:
        if unit.value:
            lib.clang_disposeTranslationUnit(unit)
        lib.clang_disposeIndex(index)


def errors(tu: int) -> list[tuple[str, int, str]]:
    """(file, line, message) of each error, in the order met."""
    return [(_file_name(handle), line, message) for handle, line, message in _errors(tu)]


def is_missing_file(message: str) -> bool:
    """True for the error of an #include that leads nowhere: the file may be there tomorrow."""
    return bool(missing_file(message))


def missing_file(message: str) -> str:
    """What an #include that leads nowhere names; empty if the error is another one."""
    return message.removesuffix(_NOT_FOUND).strip("'") if message.endswith(_NOT_FOUND) else ""


def missing_headers(path: str, args: Sequence[str], cwd: str) -> list[str]:
    """The headers that a file includes, by itself or by others, and that are not there, each as it is spelled.

    Raises FrontendError.
    """
    with parsed(path, args, cwd, options=libclang.PARSE_KEEP_GOING | libclang.PARSE_SKIP_BODIES) as tu:
        found = [name for _, _, message in errors(tu) if (name := missing_file(message))]
    return list(dict.fromkeys(found))


def error_entries(tu: int, source: str) -> set[int]:
    """The lines of `source` whose #include leads to an error; 0 stands for errors found elsewhere."""
    entries: dict[int, int] = {}

    def visit(handle: int, stack: Any, depth: int, _data: object) -> None:
        if depth:
            outermost, line, _, _ = libclang.file_location(stack[depth - 1])
            entries[handle] = line if _file_name(outermost) == source else 0

    libclang.load().clang_getInclusions(tu, libclang.INCLUSION_VISITOR(visit), None)
    return {entries.get(handle or 0, 0) for handle, _, _ in _errors(tu)}


def _errors(tu: int) -> list[tuple[int | None, int, str]]:
    lib = libclang.load()
    found = []
    for number in range(lib.clang_getNumDiagnostics(tu)):
        diagnostic = lib.clang_getDiagnostic(tu, number)
        if lib.clang_getDiagnosticSeverity(diagnostic) >= libclang.SEVERITY_ERROR:
            handle, line, _, _ = libclang.file_location(lib.clang_getDiagnosticLocation(diagnostic))
            found.append((handle, line, libclang.text(lib.clang_getDiagnosticSpelling(diagnostic))))
        lib.clang_disposeDiagnostic(diagnostic)
    return found


def _file_name(handle: int | None) -> str:
    return libclang.text(libclang.load().clang_getFileName(handle)) if handle else ""


def inclusions(tu: int) -> list[str]:
    """The files that were read for the unit, the file itself first, each once."""
    lib = libclang.load()
    names: dict[str, None] = {}

    def visit(handle: int, _stack: object, _depth: int, _data: object) -> None:
        names[_file_name(handle)] = None

    lib.clang_getInclusions(tu, libclang.INCLUSION_VISITOR(visit), None)
    return list(names)
