"""One translation unit: parses a file, with a precompiled header if that is safe, and lowers it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.functions import Batch, Lowering
from gfpcheck.frontend.libclang import CXCursor
from gfpcheck.frontend.parse import ParseError, errors, inclusions, parsed
from gfpcheck.frontend.pch import with_header
from gfpcheck.ir.types import Diagnostic, GlobalVar, Module
from gfpcheck.kbuild.types import Unit

_RECURSION_LIMIT = 50_000
_Elsewhere = Callable[[list[str]], Module]


def lower_file(unit: Unit, root: str, stop: frozenset[str], noreturn: frozenset[str]) -> Module:
    """Parses and lowers one file in this process; raises ParseError."""
    with deep_recursion():
        return lower_plain(unit, Batch(root, stop, noreturn))


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Deep source (an endless else-if, a nest of conditionals) makes deep calls; those cost no C stack."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def lower_plain(unit: Unit, batch: Batch) -> Module:
    """Parses and lowers one file without a precompiled header; raises ParseError."""
    with parsed(unit.path, unit.args, unit.cwd, options=libclang.PARSE_KEEP_GOING) as tu:
        return _lower(tu, unit, batch)


def lower_with(unit: Unit, header: str, included: Sequence[str], batch: Batch, elsewhere: _Elsewhere) -> Module | None:
    """As `lower_plain`, with the precompiled header at `header`, whose files `included` the unit includes; None if it
    cannot be done that way, or there are errors."""
    try:
        with parsed(unit.path, with_header(unit.args, header), unit.cwd, options=libclang.PARSE_KEEP_GOING) as tu:
            if errors(tu):
                return None
            return _lower(tu, unit, batch, header, included, elsewhere)
    except ParseError:
        return None


def _lower(
    tu: int,
    unit: Unit,
    batch: Batch,
    header: str = "",
    included: Sequence[str] = (),
    elsewhere: _Elsewhere | None = None,
) -> Module:
    lib = libclang.load()
    lowering = Lowering(tu, unit.rel, unit.cwd, batch, header, elsewhere)
    module, decls, places = lowering.module, lowering.decls, lowering.places
    main = lib.clang_getFile(tu, unit.path.encode("utf-8", "surrogateescape"))
    home = places.home(main)
    for cursor in libclang.children(lib.clang_getTranslationUnitCursor(tu)):
        kind = cursor.kind
        if kind not in (kinds.FUNCTION_DECL, kinds.VAR_DECL) or places.offset(cursor, home) < 0:
            continue
        if kind == kinds.VAR_DECL:
            _global(lowering, cursor)
        elif lib.clang_isCursorDefinition(cursor):
            func = lowering.function(cursor)
            if func:
                module.functions.append(func)
    lowering.headers(main)
    module.headers.sort(key=lambda func: (func.file, func.name))
    module.includes = sorted({decls.relative(name) for name in (*inclusions(tu), *included)})
    module.errors = [Diagnostic(decls.relative(file), line, text) for file, line, text in errors(tu)]
    return module


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
