"""One translation unit: lower its functions, collect what it declares."""

from __future__ import annotations

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.decls import Decls, Function
from gfpcheck.frontend.inits import function_stores, names_function
from gfpcheck.frontend.libclang import CXCursor
from gfpcheck.frontend.parse import errors, inclusions, parsed
from gfpcheck.frontend.places import Places
from gfpcheck.frontend.stmt import Body
from gfpcheck.frontend.tree import Node, build
from gfpcheck.ir.types import Call, Diagnostic, Func, GlobalVar, Loc, Module, Param, Var
from gfpcheck.kbuild.types import Unit

_FUNCTIONS_OF_THE_COMPILER = "__builtin_"


def lower_file(unit: Unit, root: str, stop: frozenset[str], noreturn: frozenset[str]) -> Module:
    """Parses and lowers one file in this process; raises ParseError."""
    with parsed(unit.path, unit.args, unit.cwd, options=libclang.PARSE_KEEP_GOING) as tu:
        return UnitLowering(tu, unit, root, stop, noreturn, set()).module()


class UnitLowering:
    """Lowers one parsed file. `done` are the header functions, as (file, name), that an earlier file of
    the same batch has; this file's are added."""

    def __init__(
        self,
        tu: int,
        unit: Unit,
        root: str,
        stop: frozenset[str],
        noreturn: frozenset[str],
        done: set[tuple[str, str]],
    ) -> None:
        self._tu = tu
        self._lib = libclang.load()
        self._places = Places(tu)
        self._decls = Decls(self._places, root, noreturn)
        self._stop = stop
        self._done = done
        self._unit = unit
        self._wanted: dict[str, CXCursor | None] = {}
        self._module = Module(unit.rel, [], [], {}, {}, {}, [], [], [], [])

    def module(self) -> Module:
        """The unit's IR."""
        module, decls = self._module, self._decls
        main = self._lib.clang_getFile(self._tu, self._unit.path.encode("utf-8", "surrogateescape"))
        home = self._places.buffer(main)
        for cursor in libclang.children(self._lib.clang_getTranslationUnitCursor(self._tu)):
            kind = cursor.kind
            if kind not in (kinds.FUNCTION_DECL, kinds.VAR_DECL) or self._places.offset(cursor, home) < 0:
                continue
            if kind == kinds.VAR_DECL:
                self._global(cursor)
            elif self._lib.clang_isCursorDefinition(cursor):
                func = self._function(cursor)
                if func:
                    module.functions.append(func)
        self._headers(main)
        module.members = decls.members
        module.globals = decls.globals
        module.includes = [decls.relative(name) for name in inclusions(self._tu)]
        module.errors = [Diagnostic(decls.relative(file), line, text) for file, line, text in errors(self._tu)]
        return module

    # --- functions ---

    def _function(self, cursor: CXCursor) -> Func | None:
        """One function's IR; None, and an entry in `lost`, if it cannot be lowered."""
        name = self._decls.spelling(cursor)
        try:
            return self._lower(name, cursor)
        except (RecursionError, IndexError, KeyError, ValueError):
            self._module.lost.append(name)
            return None

    def _lower(self, name: str, cursor: CXCursor) -> Func | None:
        lib, decls, places = self._lib, self._decls, self._places
        handle = places.file_of(cursor)
        if not handle:
            return None
        home = places.buffer(handle)
        here = home.loc(places.offset(cursor, home))
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
        self._module.protos.setdefault(name, proto)
        lowering = Body(decls, home, here, proto.ret == "void")
        for parameter, param in params:
            parameter.known = True
            lowering.types[param.name] = param.type
        end = places.end(cursor, home)
        last = here if end < 0 else home.loc(end)
        blocks = lowering.lower(build(body, decls), last)
        for node in lowering.statics:
            self._static(node)
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

    def _want(self, func: Func, lowering: Body) -> None:
        """Notes the functions that `func` calls or names, for their prototypes and bodies."""
        protos = self._module.protos
        for block in func.blocks:
            for instr in block.instrs:
                if isinstance(instr, Call) and isinstance(instr.callee, Var) and instr.callee.kind == "f":
                    name = instr.callee.name
                    called = lowering.called.get(name)
                    if called is None:
                        self._wanted.setdefault(name, None)
                    elif name not in protos:
                        protos[name] = self._decls.proto(called)
                        self._wanted[name] = called.cursor
        for name, function in lowering.named.items():
            self._wanted.setdefault(name, function.cursor)

    def _headers(self, main: int) -> None:
        """Lowers the functions that headers define and that are called, directly or not."""
        while self._wanted:
            wanted, self._wanted = self._wanted, {}
            for name, cursor in wanted.items():
                self._header(name, cursor, main)

    def _header(self, name: str, cursor: CXCursor | None, main: int) -> None:
        if name in self._stop or name.startswith(_FUNCTIONS_OF_THE_COMPILER):
            return
        if cursor is None:
            cursor = self._by_name(name)
            if cursor is None:
                return
            self._module.protos.setdefault(name, self._decls.describe(name, cursor))
        definition = self._lib.clang_getCursorDefinition(cursor)
        if definition.kind != kinds.FUNCTION_DECL:
            return
        handle = self._places.file_of(definition)
        key = (self._decls.file_name(handle), name)
        if handle == main or key in self._done:
            return
        self._done.add(key)
        func = self._function(definition)
        if func:
            self._module.headers.append(func)

    def _by_name(self, name: str) -> CXCursor | None:
        for cursor in libclang.children(self._lib.clang_getTranslationUnitCursor(self._tu)):
            if cursor.kind == kinds.FUNCTION_DECL and self._decls.spelling(cursor) == name:
                return cursor
        return None

    # --- variables ---

    def _global(self, cursor: CXCursor) -> None:
        """A file-scope variable of the file itself, and the functions that its initialiser stores."""
        decls = self._decls
        name = decls.spelling(cursor)
        handle, line, _, _ = libclang.file_location(self._lib.clang_getCursorLocation(cursor))
        file = decls.file_name(handle)
        static = self._lib.clang_Cursor_getStorageClass(cursor) == kinds.STORAGE_STATIC
        ctype = decls.type_name(self._lib.clang_getCursorType(cursor))
        decls.globals[name] = GlobalVar(name, ctype, file, line, static)
        init = self._lib.clang_Cursor_getVarDeclInitializer(cursor)
        if kinds.FIRST_EXPR <= init.kind <= kinds.LAST_EXPR:
            decls.enter(name)
            self._stores(init, name, file, line)

    def _static(self, node: Node) -> None:
        """A function-static variable with an initialiser."""
        decls = self._decls
        variable = node.ref
        assert variable is not None and not isinstance(variable, Function)
        init = self._lib.clang_Cursor_getVarDeclInitializer(node.cursor)
        handle, line, _, _ = libclang.file_location(self._lib.clang_getCursorLocation(node.cursor))
        self._stores(init, variable.expr.name, decls.file_name(handle), line)

    def _stores(self, init: CXCursor, owner: str, file: str, line: int) -> None:
        tree = build(init, self._decls)
        if names_function(tree.root):
            self._module.stores += function_stores(tree.root, owner, self._decls, file, line)


_ = Loc
