"""The raw layer over libclang: C structs, bound functions, loading. Nothing here knows the kernel.

Python's own bindings build several objects a cursor; here a cursor is the C struct and a call is a call.
The library is the one in the `libclang` package, or the one that GFPCHECK_LIBCLANG names.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_longlong, c_uint, c_ulonglong, c_void_p
from functools import lru_cache
from pathlib import Path
from typing import Any

from gfpcheck.store import stamp

ENVIRONMENT = "GFPCHECK_LIBCLANG"

PARSE_INCOMPLETE = 0x02
PARSE_FOR_SERIALIZATION = 0x10
PARSE_SKIP_BODIES = 0x40
PARSE_KEEP_GOING = 0x200

VISIT_BREAK, VISIT_CONTINUE, VISIT_RECURSE = 0, 1, 2
EVAL_INT = 1
SEVERITY_ERROR = 3


class FrontendError(Exception):
    """libclang cannot be loaded or lacks a function; the message is for the user."""


class CXString(Structure):
    """A string of libclang: see `text`."""

    _fields_ = (("data", c_void_p), ("flags", c_uint))


class CXCursor(Structure):
    """`data0` identifies a declaration, `data1` a statement or an expression, within one unit."""

    _fields_ = (("kind", c_int), ("xdata", c_int), ("data0", c_void_p), ("data1", c_void_p), ("tu", c_void_p))


class CXType(Structure):
    """A type; `data0` identifies it within one unit."""

    _fields_ = (("kind", c_int), ("data0", c_void_p), ("data1", c_void_p))


class CXSourceLocation(Structure):
    """A place; `raw` is its number within one unit."""

    _fields_ = (("data0", c_void_p), ("data1", c_void_p), ("raw", c_uint))


class CXSourceRange(Structure):
    """Two places."""

    _fields_ = (("data0", c_void_p), ("data1", c_void_p), ("begin", c_uint), ("end", c_uint))


class CXUnsavedFile(Structure):
    """Contents that stand for a file."""

    _fields_ = (("name", c_char_p), ("contents", c_char_p), ("length", ctypes.c_ulong))


class CXToken(Structure):
    """A token."""

    _fields_ = (("data", c_uint * 4), ("pointer", c_void_p))


VISITOR = ctypes.CFUNCTYPE(c_int, CXCursor, CXCursor, c_void_p)
FIELD_VISITOR = ctypes.CFUNCTYPE(c_int, CXCursor, c_void_p)
INCLUSION_VISITOR = ctypes.CFUNCTYPE(None, c_void_p, POINTER(CXSourceLocation), c_uint, c_void_p)

_LOCATION_OUT = [CXSourceLocation, POINTER(c_void_p), POINTER(c_uint), POINTER(c_uint), POINTER(c_uint)]

_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "clang_getClangVersion": (CXString, []),
    "clang_getCString": (c_char_p, [CXString]),
    "clang_disposeString": (None, [CXString]),
    "clang_createIndex": (c_void_p, [c_int, c_int]),
    "clang_disposeIndex": (None, [c_void_p]),
    "clang_parseTranslationUnit2": (
        c_int,
        [c_void_p, c_char_p, POINTER(c_char_p), c_int, POINTER(CXUnsavedFile), c_uint, c_uint, POINTER(c_void_p)],
    ),
    "clang_createTranslationUnit2": (c_int, [c_void_p, c_char_p, POINTER(c_void_p)]),
    "clang_saveTranslationUnit": (c_int, [c_void_p, c_char_p, c_uint]),
    "clang_disposeTranslationUnit": (None, [c_void_p]),
    "clang_getTranslationUnitCursor": (CXCursor, [c_void_p]),
    "clang_getInclusions": (None, [c_void_p, INCLUSION_VISITOR, c_void_p]),
    "clang_getNumDiagnostics": (c_uint, [c_void_p]),
    "clang_getDiagnostic": (c_void_p, [c_void_p, c_uint]),
    "clang_disposeDiagnostic": (None, [c_void_p]),
    "clang_getDiagnosticSeverity": (c_int, [c_void_p]),
    "clang_getDiagnosticSpelling": (CXString, [c_void_p]),
    "clang_getDiagnosticLocation": (CXSourceLocation, [c_void_p]),
    "clang_getFile": (c_void_p, [c_void_p, c_char_p]),
    "clang_getFileName": (CXString, [c_void_p]),
    "clang_getFileLocation": (None, _LOCATION_OUT),
    "clang_getToken": (c_void_p, [c_void_p, CXSourceLocation]),
    "clang_getTokenLocation": (CXSourceLocation, [c_void_p, CXToken]),
    "clang_disposeTokens": (None, [c_void_p, c_void_p, c_uint]),
    "clang_Cursor_getVarDeclInitializer": (CXCursor, [CXCursor]),
    "clang_visitChildren": (c_uint, [CXCursor, VISITOR, c_void_p]),
    "clang_getCursorLocation": (CXSourceLocation, [CXCursor]),
    "clang_getCursorExtent": (CXSourceRange, [CXCursor]),
    "clang_getCursorSpelling": (CXString, [CXCursor]),
    "clang_getCursorReferenced": (CXCursor, [CXCursor]),
    "clang_getCursorDefinition": (CXCursor, [CXCursor]),
    "clang_getCursorSemanticParent": (CXCursor, [CXCursor]),
    "clang_isCursorDefinition": (c_uint, [CXCursor]),
    "clang_Cursor_isAnonymous": (c_uint, [CXCursor]),
    "clang_Cursor_getStorageClass": (c_int, [CXCursor]),
    "clang_Cursor_isFunctionInlined": (c_uint, [CXCursor]),
    "clang_Cursor_hasAttrs": (c_uint, [CXCursor]),
    "clang_Cursor_getNumArguments": (c_int, [CXCursor]),
    "clang_Cursor_getArgument": (CXCursor, [CXCursor, c_uint]),
    "clang_getCursorBinaryOperatorKind": (c_int, [CXCursor]),
    "clang_getCursorUnaryOperatorKind": (c_int, [CXCursor]),
    "clang_Cursor_Evaluate": (c_void_p, [CXCursor]),
    "clang_EvalResult_getKind": (c_int, [c_void_p]),
    "clang_EvalResult_isUnsignedInt": (c_uint, [c_void_p]),
    "clang_EvalResult_getAsLongLong": (c_longlong, [c_void_p]),
    "clang_EvalResult_getAsUnsigned": (c_ulonglong, [c_void_p]),
    "clang_EvalResult_dispose": (None, [c_void_p]),
    "clang_getEnumConstantDeclValue": (c_longlong, [CXCursor]),
    "clang_getEnumConstantDeclUnsignedValue": (c_ulonglong, [CXCursor]),
    "clang_getEnumDeclIntegerType": (CXType, [CXCursor]),
    "clang_getCursorType": (CXType, [CXCursor]),
    "clang_isConstQualifiedType": (c_uint, [CXType]),
    "clang_getCursorResultType": (CXType, [CXCursor]),
    "clang_getCanonicalType": (CXType, [CXType]),
    "clang_getPointeeType": (CXType, [CXType]),
    "clang_getArrayElementType": (CXType, [CXType]),
    "clang_getArraySize": (c_longlong, [CXType]),
    "clang_getResultType": (CXType, [CXType]),
    "clang_getNumArgTypes": (c_int, [CXType]),
    "clang_getArgType": (CXType, [CXType, c_uint]),
    "clang_isFunctionTypeVariadic": (c_uint, [CXType]),
    "clang_getTypeSpelling": (CXString, [CXType]),
    "clang_getTypedefDeclUnderlyingType": (CXType, [CXCursor]),
    "clang_getTypeDeclaration": (CXCursor, [CXType]),
    "clang_Type_getSizeOf": (c_longlong, [CXType]),
    "clang_Type_visitFields": (c_uint, [CXType, FIELD_VISITOR, c_void_p]),
}


def _library_path() -> str:
    """Where libclang is; raises FrontendError when it is nowhere."""
    named = os.environ.get(ENVIRONMENT)
    if named:
        return named
    name = {"darwin": "libclang.dylib", "win32": "libclang.dll"}.get(sys.platform, "libclang.so")
    package = importlib.util.find_spec("clang")
    for folder in (package.submodule_search_locations or []) if package else []:
        candidate = Path(folder) / "native" / name
        if candidate.exists():
            return str(candidate)
    raise FrontendError(f"libclang is not installed (pip install libclang), and {ENVIRONMENT} names no other")


def identity() -> tuple[str, ...]:
    """What tells one library from another, without loading it; raises FrontendError."""
    path = _library_path()
    try:
        return (path, *map(str, stamp(path)))
    except OSError as error:
        raise FrontendError(f"cannot load libclang from {path}: {error}") from None


@lru_cache(maxsize=1)
def load() -> Any:
    """The library with its functions bound, loaded once a process; raises FrontendError."""
    path = _library_path()
    try:
        lib = ctypes.CDLL(path)
    except OSError as error:
        raise FrontendError(f"cannot load libclang from {path}: {error}") from None
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(lib, name)
        except AttributeError:
            raise FrontendError(f"{path} has no {name}: libclang 17 or later is needed") from None
        function.restype = result
        function.argtypes = arguments
    return lib


def text(string: CXString) -> str:
    """The Python string of a CXString, which is disposed of. Bytes that are not UTF-8 are replaced."""
    lib = load()
    raw: bytes | None = lib.clang_getCString(string)
    result = raw.decode("utf-8", "replace") if raw else ""
    lib.clang_disposeString(string)
    return result


def libclang_version() -> str:
    """libclang's own version line; raises FrontendError."""
    return text(load().clang_getClangVersion())


def evaluate(cursor: CXCursor) -> int | None:
    """The integer value of a constant expression or variable, None if it has none."""
    lib = load()
    result = lib.clang_Cursor_Evaluate(cursor)
    if not result:
        return None
    value: int | None = None
    if lib.clang_EvalResult_getKind(result) == EVAL_INT:
        if lib.clang_EvalResult_isUnsignedInt(result):
            value = lib.clang_EvalResult_getAsUnsigned(result)
        else:
            value = lib.clang_EvalResult_getAsLongLong(result)
    lib.clang_EvalResult_dispose(result)
    return value


_collected: list[list[CXCursor]] = []


def _collect(child: CXCursor, _parent: CXCursor, _data: object) -> int:
    _collected[-1].append(child)
    return VISIT_CONTINUE


_COLLECT = VISITOR(_collect)  # made once: a callback costs more than the visit of a small node


def children(cursor: CXCursor) -> list[CXCursor]:
    """The direct children of `cursor`, in source order."""
    found: list[CXCursor] = []
    _collected.append(found)
    load().clang_visitChildren(cursor, _COLLECT, None)
    _collected.pop()
    return found


def fields(record: CXType) -> list[CXCursor]:
    """The field declarations of a record type, in order, unnamed ones included."""
    found: list[CXCursor] = []

    def visit(field: CXCursor, _data: object) -> int:
        found.append(field)
        return VISIT_CONTINUE

    load().clang_Type_visitFields(record, FIELD_VISITOR(visit), None)
    return found


_file, _line, _column, _offset = c_void_p(), c_uint(), c_uint(), c_uint()
_OUT = (byref(_file), byref(_line), byref(_column), byref(_offset))


def file_location(location: CXSourceLocation) -> tuple[int | None, int, int, int]:
    """(file handle, line, column, offset) of the place that the person wrote, macro arguments seen through."""
    load().clang_getFileLocation(location, *_OUT)
    return _file.value, _line.value, _column.value, _offset.value
