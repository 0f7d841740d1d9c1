"""What one translation unit declares: variables, functions, members and types, each looked up once.

libclang identifies a declaration by a pointer that is stable within the unit; that pointer is the key.
"""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.libclang import CXCursor, CXSourceLocation, CXType
from gfpcheck.frontend.places import Places
from gfpcheck.ir.types import Const, GlobalVar, Proto, Var

GFP_TYPE = "gfp_t"
_QUALIFIERS = re.compile(r"\b(?:const|volatile|restrict)\b *")
# __UNIQUE_ID() (include/linux/compiler.h), compiletime_assert() (include/linux/compiler_types.h)
_COUNTED = re.compile(r"(__UNIQUE_ID_\w*?|__compiletime_assert_)\d+$")
# libclang numbers what is loaded from a precompiled header downwards from 2^31, what it reads itself upwards from 0.
_PLACE, _LOADED = 0x7FFFFFFF, 0x40000000
_UNNAMED_AT = re.compile(r" at [^)]*\)")  # "(unnamed struct at /path/of/file.c:1:2)"
_TYPE_STEPS = 20  # typedefs and pointers in a row; no real type has as many


@dataclass(slots=True, eq=False)
class Variable:
    """`known` turns true once its type has been written down for the function or module at hand.
    `constant` is the value of a `static const` integer; nothing is known of an `opaque` one."""

    expr: Var
    cursor: CXCursor
    known: bool = False
    constant: Const | None = None
    opaque: bool = False


@dataclass(slots=True, eq=False)
class Function:
    """`proto` is filled in by `Decls.proto`."""

    name: str
    expr: Var
    cursor: CXCursor
    proto: Proto | None = None


@dataclass(slots=True, eq=False)
class Member:
    """A field: `member` is empty for an anonymous struct or union. `type` is as the person spelled it."""

    record: str
    member: str
    type: str = ""


Referent = Variable | Function | Const


class Decls:
    """Declarations of one unit. File names are spelled relative to `root` when they lie below it. `protos` is kept
    between the units that use one precompiled header."""

    def __init__(
        self, places: Places, root: str, cwd: str, noreturn: frozenset[str], protos: dict[tuple[str, int], Proto]
    ) -> None:
        self.places = places
        self.members: dict[str, str] = {}
        self.globals: dict[str, GlobalVar] = {}
        self._lib = libclang.load()
        self._root = root.rstrip("/") + "/"
        self._cwd = cwd
        self._noreturn = noreturn
        self._protos = protos
        self._referents: dict[int, Referent] = {}
        self._fields: dict[int, Member] = {}
        self._field_lists: dict[int, list[CXCursor]] = {}
        self._records: dict[int, str] = {}
        self._files: dict[int, str] = {}
        self._pointers: dict[int, tuple[int, bool]] = {}
        self._function = ""
        self._spelled: dict[str, int] = {}
        self._noted: list[Variable] = []

    def collect(self, members: dict[str, str], variables: dict[str, GlobalVar]) -> None:
        """From now on members and global variables that are named are entered in these."""
        self.members = members
        self.globals = variables
        for variable in self._noted:
            variable.known = False
        self._noted = []

    # --- names ---

    def spelling(self, cursor: CXCursor) -> str:
        """A cursor's spelling."""
        return libclang.text(self._lib.clang_getCursorSpelling(cursor))

    def name(self, cursor: CXCursor) -> str:
        """A variable's or function's name. A number from __COUNTER__ in it depends on all that was read before, and
        is dropped."""
        name = self.spelling(cursor)
        counted = _COUNTED.match(name)
        return counted.group(1) if counted else name

    def type_name(self, ctype: CXType) -> str:
        """A type as the person spelled it; `typeof` is seen through."""
        name = libclang.text(self._lib.clang_getTypeSpelling(ctype))
        if "typeof" in name:
            name = libclang.text(self._lib.clang_getTypeSpelling(self._lib.clang_getCanonicalType(ctype)))
        return _UNNAMED_AT.sub(")", name) if " at " in name else name

    def file_name(self, handle: int | None) -> str:
        """The IR's name of a file: relative to the root when it lies below it."""
        if not handle:
            return ""
        name = self._files.get(handle)
        if name is None:
            name = self.relative(libclang.text(self._lib.clang_getFileName(handle)))
            self._files[handle] = name
        return name

    def relative(self, path: str) -> str:
        """As `file_name`, for a path."""
        if not path.startswith("/"):
            path = f"{self._cwd}/{path}"
        if "/." in path:
            path = os.path.normpath(path)
        return path.removeprefix(self._root)

    def is_precompiled(self, cursor: CXCursor) -> bool:
        """True for what was read from a precompiled header."""
        return bool(self._lib.clang_getCursorLocation(cursor).raw & _PLACE >= _LOADED)

    # --- variables and functions ---

    def enter(self, function: str) -> None:
        """Local names start afresh: what follows belongs to `function`."""
        self._function = function
        self._spelled = {}

    def declare(self, cursor: CXCursor, kind: str) -> Variable:
        """A parameter ("p") or a variable declared in a function ("l")."""
        name = self.name(cursor)
        storage = self._lib.clang_Cursor_getStorageClass(cursor) if kind == "l" else 0
        if storage == kinds.STORAGE_EXTERN:
            variable = Variable(Var(name, "g"), cursor)
        elif storage == kinds.STORAGE_STATIC:
            variable = Variable(Var(f"{self._function}.{name}", "g"), cursor)
        else:
            count = self._spelled[name] = self._spelled.get(name, 0) + 1
            variable = Variable(Var(name if count == 1 else f"{name}@{count}", kind), cursor)
        self._referents[cursor.data0] = variable
        return variable

    def refer(self, reference: CXCursor) -> Referent | None:
        """What a DeclRefExpr names; None when libclang does not know."""
        target = self._lib.clang_getCursorReferenced(reference)
        key = target.data0
        found = self._referents.get(key)
        if found is None:
            kind = target.kind
            if kind == kinds.ENUM_CONSTANT_DECL:
                found = Const(self.enum_value(target))
            elif kind == kinds.FUNCTION_DECL:
                name = self.name(target)
                found = Function(name, Var(name, "f"), target)
            elif kind in (kinds.VAR_DECL, kinds.PARM_DECL):
                found = Variable(Var(self.name(target), "g"), target)
                if self._lib.clang_isConstQualifiedType(self._lib.clang_getCursorType(target)):
                    value = libclang.evaluate(target)
                    found.constant = None if value is None else Const(value)
            else:
                return None
            self._referents[key] = found
        return found

    def enum_value(self, constant: CXCursor) -> int:
        """The value of an enumerator, unsigned if the enum's integer type is."""
        parent = self._lib.clang_getCursorSemanticParent(constant)
        integer = self._lib.clang_getCanonicalType(self._lib.clang_getEnumDeclIntegerType(parent))
        if integer.kind in kinds.UNSIGNED_TYPES:
            return int(self._lib.clang_getEnumConstantDeclUnsignedValue(constant))
        return int(self._lib.clang_getEnumConstantDeclValue(constant))

    def variable_type(self, variable: Variable) -> str:
        """A variable's type, spelled."""
        return self.type_name(self._lib.clang_getCursorType(variable.cursor))

    def note_global(self, variable: Variable) -> None:
        """Enters a global variable in `globals`, once."""
        variable.known = True
        self._noted.append(variable)
        cursor = variable.cursor
        handle, line, _, _ = libclang.file_location(self._lib.clang_getCursorLocation(cursor))
        static = self._lib.clang_Cursor_getStorageClass(cursor) == kinds.STORAGE_STATIC
        name = variable.expr.name
        self.globals[name] = GlobalVar(name, self.variable_type(variable), self.file_name(handle), line, static)

    # --- members ---

    def member(self, reference: CXCursor) -> Member:
        """The field that a MemberRefExpr or MemberRef names."""
        return self.field(self._lib.clang_getCursorReferenced(reference))

    def field(self, field: CXCursor) -> Member:
        """A field's record and name; its type is entered in `members`."""
        key = field.data0
        found = self._fields.get(key)
        if found is None:
            name = self.spelling(field) if field.kind == kinds.FIELD_DECL else ""
            if "(" in name:  # how libclang spells an anonymous one
                name = ""
            found = self._fields[key] = Member("", "")
            if name:
                found.record = self._record(self._lib.clang_getCursorSemanticParent(field))
                found.member = name
                found.type = self.type_name(self._lib.clang_getCursorType(field))
        if found.member:
            self.members[f"{found.record}.{found.member}"] = found.type
        return found

    def fields(self, record: CXType) -> list[CXCursor]:
        """The fields of a record type that an initialiser fills in turn; of a union, the first."""
        key = record.data0
        found = self._field_lists.get(key)
        if found is None:
            found = [field for field in libclang.fields(record) if self._is_filled(field)]
            if self._lib.clang_getTypeDeclaration(record).kind == kinds.UNION_DECL:
                found = found[:1]
            self._field_lists[key] = found
        return found

    def _is_filled(self, field: CXCursor) -> bool:
        """False for an unnamed bit-field."""
        if self.spelling(field):
            return True  # an anonymous struct's field has a spelling too
        ctype = self._lib.clang_getCanonicalType(self._lib.clang_getCursorType(field))
        return bool(ctype.kind == kinds.TYPE_RECORD)

    def _record(self, record: CXCursor) -> str:
        key = record.data0
        name = self._records.get(key)
        if name is None:
            name = libclang.text(self._lib.clang_getTypeSpelling(self._lib.clang_getCursorType(record)))
            if "(" in name:  # "struct (unnamed at ...)", "union outer::(anonymous at ...)"
                parent = self._lib.clang_getCursorSemanticParent(record)
                inside = parent.kind in (kinds.STRUCT_DECL, kinds.UNION_DECL)
                name = self._record(parent) if inside else name.split(" ", 1)[0] + " (unnamed)"
            self._records[key] = name
        return name

    # --- prototypes ---

    def proto(self, function: Function) -> Proto:
        """A function's prototype, from the declaration that was referred to."""
        found = function.proto
        if found is None:
            found = function.proto = self.describe(function.name, function.cursor)
        return found

    def describe(self, name: str, cursor: CXCursor) -> Proto:
        """The prototype that a function declaration gives."""
        location = self._lib.clang_getCursorLocation(cursor)
        if location.raw & _PLACE < _LOADED:
            return self._describe(name, cursor, location)
        # Declarations of a precompiled header have the same numbers in all units that use it.
        key = (name, location.raw)
        found = self._protos.get(key)
        if found is None:
            found = self._protos[key] = self._describe(name, cursor, location)
        return found

    def _describe(self, name: str, cursor: CXCursor, location: CXSourceLocation) -> Proto:
        lib = self._lib
        ctype = lib.clang_getCursorType(cursor)
        params = self._params(ctype)
        handle, line, _, offset = libclang.file_location(location)
        annotations = self.annotations(cursor)
        noreturn = (
            name in self._noreturn
            or "noreturn" in annotations
            or "noreturn" in libclang.text(lib.clang_getTypeSpelling(ctype))
            or (handle is not None and self.places.home(handle).text.says(b"_Noreturn", offset))
        )
        return Proto(
            name,
            self.type_name(lib.clang_getResultType(ctype)),
            params,
            _gfp_index(params),
            bool(lib.clang_isFunctionTypeVariadic(ctype)),
            noreturn,
            tuple(text for text in annotations if text != "noreturn"),
            self.file_name(handle),
            line,
        )

    def _params(self, ctype: CXType) -> tuple[str, ...]:
        lib = self._lib
        count = max(0, lib.clang_getNumArgTypes(ctype))
        return tuple(self.type_name(lib.clang_getArgType(ctype, index)) for index in range(count))

    def annotations(self, cursor: CXCursor) -> tuple[str, ...]:
        """The texts of a declaration's annotate attributes."""
        if not self._lib.clang_Cursor_hasAttrs(cursor):
            return ()
        found = [self.spelling(c) for c in libclang.children(cursor) if c.kind == kinds.ANNOTATE_ATTR]
        return tuple(dict.fromkeys(found))

    def called_pointer(self, callee: CXCursor) -> tuple[int, bool]:
        """(index of the gfp_t parameter or -1, whether nothing is returned) of a called function pointer."""
        lib = self._lib
        ctype = lib.clang_getCursorType(callee)
        key = ctype.data0
        found = self._pointers.get(key)
        if found is None:
            # Step by step: the canonical type would say "unsigned int" for gfp_t.
            for _ in range(_TYPE_STEPS):
                if ctype.kind == kinds.TYPE_POINTER:
                    ctype = lib.clang_getPointeeType(ctype)
                elif ctype.kind in (kinds.TYPE_ELABORATED, kinds.TYPE_TYPEDEF):
                    ctype = lib.clang_getTypedefDeclUnderlyingType(lib.clang_getTypeDeclaration(ctype))
                else:
                    break
            void = lib.clang_getResultType(ctype).kind == kinds.TYPE_VOID
            found = self._pointers[key] = (_gfp_index(self._params(ctype)), void)
        return found


def _gfp_index(params: tuple[str, ...]) -> int:
    for index, name in enumerate(params):
        if name == GFP_TYPE or (GFP_TYPE in name and _QUALIFIERS.sub("", name) == GFP_TYPE):
            return index
    return -1
