"""Functions of one translation unit: lowers those asked for, and the header functions that they need."""

from __future__ import annotations

from collections.abc import Callable

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.decls import Decls, Variable
from gfpcheck.frontend.inits import function_stores, names_function
from gfpcheck.frontend.libclang import CXCursor
from gfpcheck.frontend.places import Places, Texts
from gfpcheck.frontend.stmt import Body
from gfpcheck.frontend.tree import build
from gfpcheck.ir.types import Call, Func, Module, Param, Proto, Var

_BUILTIN = "__builtin_"


class Batch:
    """What the units of one batch share: settings, files read, and the header functions, as (file, name), that
    one of them has already."""

    def __init__(self, root: str, stop: frozenset[str], noreturn: frozenset[str]) -> None:
        self.root = root
        self.stop = stop
        self.noreturn = noreturn
        self.texts = Texts()
        self.protos: dict[str, dict[tuple[str, int], Proto]] = {}  # by precompiled header
        self.done: set[tuple[str, str]] = set()


class Lowering:
    """Lowers functions of the translation unit `tu` into `module`. `header` is the precompiled header that the unit
    uses; `elsewhere` finds functions of it by name, which libclang does not list for the unit. `listed` is what
    `listed()` said before for the same `tu`."""

    def __init__(
        self,
        tu: int,
        file: str,
        cwd: str,
        batch: Batch,
        header: str = "",
        elsewhere: Callable[[list[str]], Module] | None = None,
        listed: dict[str, CXCursor] | None = None,
    ) -> None:
        self._tu = tu
        self._lib = libclang.load()
        self._batch = batch
        self._elsewhere = elsewhere
        self._listed = listed
        self._wanted: dict[str, CXCursor | None] = {}
        self.places = Places(tu, cwd, batch.texts)
        protos = batch.protos.setdefault(header, {}) if header else {}
        self.decls = Decls(self.places, batch.root, cwd, batch.noreturn, protos)
        self.module = Module(file, [], [], {}, self.decls.members, self.decls.globals, [], [], [], [])

    def function(self, cursor: CXCursor) -> Func | None:
        """The IR of the function defined at `cursor`; None, and an entry in `lost`, if it cannot be lowered."""
        name = self.decls.name(cursor)
        try:
            return self._lower(name, cursor)
        except (RecursionError, IndexError, KeyError, ValueError):
            # Code with errors in it can have any shape; the function is lost, not the file.
            self.module.lost.append(name)
            return None

    def _lower(self, name: str, cursor: CXCursor) -> Func | None:
        lib, decls, places = self._lib, self.decls, self.places
        handle = places.file_of(cursor)
        if not handle:
            return None
        home = places.home(handle)
        here = home.text.loc(places.offset(cursor, home))
        decls.enter(name)
        params = []
        body = None
        for child in libclang.children(cursor):
            if child.kind == kinds.PARM_DECL:
                parameter = decls.declare(child, "p")
                params.append((parameter, Param(parameter.expr.name, decls.variable_type(parameter))))
            elif child.kind == kinds.COMPOUND_STMT:
                body = child
        if body is None:
            return None
        proto = decls.describe(name, cursor)
        self.module.protos[name] = proto
        lowering = Body(decls, home, here, proto.ret == "void")
        for parameter, _ in params:
            lowering.note(parameter)
        end = places.end(cursor, home)
        last = here if end < 0 else home.text.loc(end)
        blocks = lowering.lower(build(body, decls), last)
        for static in lowering.statics:
            self._static(static)
        func = Func(
            name,
            decls.file_name(handle),
            here,
            last.line,
            lib.clang_Cursor_getStorageClass(cursor) == kinds.STORAGE_STATIC,
            bool(lib.clang_Cursor_isFunctionInlined(cursor)),
            tuple(param for _, param in params),
            proto.ret,
            blocks,
            lowering.types,
            proto.annotations,
        )
        self._want(func, lowering)
        return func

    # --- what a function needs ---

    def _want(self, func: Func, lowering: Body) -> None:
        """Notes the functions that `func` calls or names, for their prototypes and bodies."""
        protos = self.module.protos
        for block in func.blocks:
            for instr in block.instrs:
                if isinstance(instr, Call) and isinstance(instr.callee, Var) and instr.callee.kind == "f":
                    name = instr.callee.name
                    called = lowering.called.get(name) or lowering.named.get(name)
                    if called is None:
                        self._wanted.setdefault(name, None)  # a cleanup function: libclang gives its name alone
                    elif name not in protos:
                        protos[name] = self.decls.proto(called)
                        self._wanted[name] = called.cursor
        for name, function in lowering.named.items():
            self._wanted.setdefault(name, function.cursor)

    def headers(self, main: int | None) -> None:
        """Lowers the functions defined outside of the file `main` that are wanted, directly or not."""
        missing: list[str] = []
        while self._wanted:
            wanted, self._wanted = self._wanted, {}
            for name, cursor in wanted.items():
                if name in self._batch.stop or name.startswith(_BUILTIN):
                    continue
                found = cursor or self.listed().get(name)
                if found is None:
                    missing.append(name)
                else:
                    self._header(name, found, main)
        if missing and self._elsewhere:
            self._merge(self._elsewhere(missing))

    def _header(self, name: str, cursor: CXCursor, main: int | None) -> None:
        if name not in self.module.protos:
            self.module.protos[name] = self.decls.describe(name, cursor)
        definition = self._lib.clang_getCursorDefinition(cursor)
        if definition.kind != kinds.FUNCTION_DECL:
            return
        handle = self.places.file_of(definition)
        key = (self.decls.file_name(handle), name)
        if handle == main or key in self._batch.done:
            return
        self._batch.done.add(key)
        func = self.function(definition)
        if func:
            self.module.headers.append(func)

    def listed(self) -> dict[str, CXCursor]:
        """The functions that libclang lists for the unit, by name."""
        if self._listed is None:
            top = libclang.children(self._lib.clang_getTranslationUnitCursor(self._tu))
            self._listed = {self.decls.name(cursor): cursor for cursor in top if cursor.kind == kinds.FUNCTION_DECL}
        return self._listed

    def want(self, name: str) -> None:
        """Asks for a header function by name; `headers` lowers it."""
        self._wanted.setdefault(name, None)

    def _merge(self, part: Module) -> None:
        """Adds what was lowered from another translation unit."""
        module = self.module
        module.headers += part.headers
        module.stores += part.stores
        module.lost += part.lost
        for name, proto in part.protos.items():
            module.protos.setdefault(name, proto)
        for name, ctype in part.members.items():
            module.members.setdefault(name, ctype)
        for name, variable in part.globals.items():
            module.globals.setdefault(name, variable)

    # --- static objects ---

    def _static(self, variable: Variable) -> None:
        """A function-static variable with an initialiser."""
        handle, line, _, _ = libclang.file_location(self._lib.clang_getCursorLocation(variable.cursor))
        self.stores(variable.cursor, variable.expr.name, self.decls.file_name(handle), line)

    def stores(self, cursor: CXCursor, owner: str, file: str, line: int) -> None:
        """Collects the functions that a static object's initialiser stores."""
        init = self._lib.clang_Cursor_getVarDeclInitializer(cursor)
        if kinds.FIRST_EXPR <= init.kind <= kinds.LAST_EXPR and not self._is_numbers(cursor):
            tree = build(init, self.decls)
            if names_function(tree.root):
                self.module.stores += function_stores(tree.root, owner, self.decls, file, line)

    def _is_numbers(self, cursor: CXCursor) -> bool:
        """True for an integer or an array of integers: there are tables of a hundred thousand."""
        ctype = self._lib.clang_getCanonicalType(self._lib.clang_getCursorType(cursor))
        while ctype.kind in kinds.ARRAY_TYPES:
            ctype = self._lib.clang_getCanonicalType(self._lib.clang_getArrayElementType(ctype))
        return ctype.kind in kinds.INTEGER_TYPES
