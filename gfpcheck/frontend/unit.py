"""One translation unit: parses a file, with a precompiled header if that is safe, and lowers it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.functions import Batch, Lowering, Shared
from gfpcheck.frontend.libclang import CXCursor
from gfpcheck.frontend.parse import ParseError, errors, inclusions, parsed
from gfpcheck.frontend.pch import with_header
from gfpcheck.ir.types import Diagnostic, GlobalVar, Module
from gfpcheck.ir.units import Linker, Piece, Pool, Translation
from gfpcheck.kbuild.types import Unit
from gfpcheck.recursion import deep_recursion

RECURSION = 50_000
"""Frames of Python: deep source (an endless else-if, a nest of conditionals) makes deep calls."""


class Precompiled(NamedTuple):
    """What a unit takes of a precompiled header: the header at `path`, of whose files it includes `included`.
    `functions` finds header functions by name."""

    path: str
    included: Sequence[str]
    shared: Shared
    functions: Callable[[list[str]], Piece]


def lower_file(unit: Unit, root: str, stop: frozenset[str], noreturn: frozenset[str]) -> Module:
    """Parses and lowers one file in this process; raises ParseError."""
    with deep_recursion(RECURSION):
        return Linker(Pool()).module(lower_plain(unit, Batch(root, stop, noreturn)))[0]


def lower_plain(unit: Unit, batch: Batch) -> Translation:
    """Parses and lowers one file without a precompiled header; raises ParseError."""
    with parsed(unit.path, unit.args, unit.cwd, options=libclang.PARSE_KEEP_GOING) as tu:
        return _lower(tu, unit, batch)


def lower_with(unit: Unit, header: Precompiled, batch: Batch) -> Translation | None:
    """As `lower_plain`, with a precompiled header; None if it cannot be done that way, or there are errors."""
    try:
        with parsed(unit.path, with_header(unit.args, header.path), unit.cwd, options=libclang.PARSE_KEEP_GOING) as tu:
            return None if errors(tu) else _lower(tu, unit, batch, header)
    except ParseError:
        return None


def _lower(tu: int, unit: Unit, batch: Batch, header: Precompiled | None = None) -> Translation:
    lib = libclang.load()
    lowering = Lowering(tu, unit.cwd, batch, header and header.shared, header and header.functions)
    decls, places = lowering.decls, lowering.places
    main = lib.clang_getFile(tu, unit.path.encode("utf-8", "surrogateescape"))
    home = places.home(main)
    for cursor in libclang.children(lib.clang_getTranslationUnitCursor(tu)):
        kind = cursor.kind
        if kind not in (kinds.FUNCTION_DECL, kinds.VAR_DECL) or places.offset(cursor, home) < 0:
            continue
        if kind == kinds.VAR_DECL:
            _global(lowering, cursor)
        elif lib.clang_isCursorDefinition(cursor):
            lowering.function(cursor)
    lowering.close(main)
    return Translation(
        unit.rel,
        lowering.own,
        lowering.headers,
        header.shared.digest if header else "",
        sorted({decls.relative(name) for name in (*inclusions(tu), *(header.included if header else ()))}),
        [Diagnostic(decls.relative(file), line, text) for file, line, text in errors(tu)],
    )


def _global(lowering: Lowering, cursor: CXCursor) -> None:
    """A file-scope variable of the file itself, and the functions that its initialiser stores."""
    lib, decls = libclang.load(), lowering.decls
    name = decls.name(cursor)
    handle, line, _, _ = libclang.file_location(lib.clang_getCursorLocation(cursor))
    file = decls.file_name(handle)
    static = lib.clang_Cursor_getStorageClass(cursor) == kinds.STORAGE_STATIC
    ctype = decls.type_name(lib.clang_getCursorType(cursor))
    decls.globals[name] = GlobalVar(name, ctype, file, line, static)
    decls.enter(name)
    lowering.stores(cursor, name, file, line)
