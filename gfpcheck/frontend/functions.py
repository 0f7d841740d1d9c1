"""Functions of one translation unit: lowers those asked for, and the header functions that they need."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.decls import Decls, Variable
from gfpcheck.frontend.inits import function_stores, names_function
from gfpcheck.frontend.libclang import CXCursor
from gfpcheck.frontend.places import Places, Texts
from gfpcheck.frontend.stmt import Body
from gfpcheck.frontend.tree import build
from gfpcheck.ir.places import packed
from gfpcheck.ir.types import Call, Func, Param, Proto, Var
from gfpcheck.ir.units import Piece, empty_piece

_BUILTIN = "__builtin_"


class Shared:
    """A precompiled header, as the units of a worker see it: functions that several of them use are lowered once.

    `known` are those that need not be lowered, as "file:name"; `pieces` those that were. `protos` are the
    prototypes met so far, by name and place.
    """

    def __init__(self, digest: str, known: Collection[str] = ()) -> None:
        self.digest = digest
        self.known = set(known)
        self.pieces: dict[str, Piece] = {}
        self.protos: dict[tuple[str, int], Proto] = {}


class Batch:
    """What the units of one batch share: settings, and files read."""

    def __init__(self, root: str, stop: frozenset[str], noreturn: frozenset[str]) -> None:
        self.root = root
        self.stop = stop
        self.noreturn = noreturn
        self.texts = Texts()


class _Wanted(NamedTuple):
    """The functions that a piece names, each with its cursor if libclang gives one. `shared`: it is a function of the
    precompiled header, and can need nothing that is not there."""

    piece: Piece
    names: dict[str, CXCursor | None]
    shared: bool


class Lowering:
    """Lowers functions of the translation unit `tu`: those of the file itself into `own`, header functions into
    `headers`, by "file:name". The unit may use the precompiled header `shared`, whose functions go there; `elsewhere`
    finds some of them by name, which libclang does not list for the unit. `listed` is what `listed()` said before
    for the same `tu`."""

    def __init__(
        self,
        tu: int,
        cwd: str,
        batch: Batch,
        shared: Shared | None = None,
        elsewhere: Callable[[list[str]], Piece] | None = None,
        listed: dict[str, CXCursor] | None = None,
    ) -> None:
        self._tu = tu
        self._lib = libclang.load()
        self._batch = batch
        self._shared = shared
        self._elsewhere = elsewhere
        self._listed = listed
        self.places = Places(tu, cwd, batch.texts)
        self.decls = Decls(self.places, batch.root, cwd, batch.noreturn, shared.protos if shared else {})
        self.headers: dict[str, Piece] = {}
        self.own = self._begin(False)

    def _begin(self, shared: bool) -> Piece:
        """A new piece: what is lowered from now on belongs to it."""
        self._piece = piece = empty_piece()
        self._wanted = _Wanted(piece, {}, shared)
        self.decls.collect(piece.members, piece.globals)
        return piece

    def function(self, cursor: CXCursor) -> None:
        """Lowers the function defined at `cursor`; makes an entry in `lost` if that cannot be done."""
        name = self.decls.name(cursor)
        try:
            func = self._lower(name, cursor)
        except Exception:
            # Code with errors in it can have any shape; the function is lost, and counted, not the file.
            self._piece.lost.append(name)
        else:
            self._piece.functions += [func] if func else []

    def _lower(self, name: str, cursor: CXCursor) -> Func | None:
        lib, decls, places = self._lib, self.decls, self.places
        handle = places.file_of(cursor)
        if not handle:
            return None
        home = places.home(handle)
        start = home.text.loc(places.offset(cursor, home))
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
        self._piece.protos[name] = proto
        lowering = Body(decls, home, start, proto.ret == "void")
        for parameter, _ in params:
            lowering.note(parameter)
        last = places.end(cursor, home)
        blocks = lowering.lower(build(body, decls), lowering.at(last))
        for static in lowering.statics:
            self._static(static)
        func = Func(
            name,
            decls.file_name(handle),
            lowering.position(last).line if last >= 0 else 0,
            lib.clang_Cursor_getStorageClass(cursor) == kinds.STORAGE_STATIC,
            bool(lib.clang_Cursor_isFunctionInlined(cursor)),
            tuple(param for _, param in params),
            proto.ret,
            blocks,
            lowering.types,
            proto.annotations,
            start[0],
            packed(lowering.known),
        )
        self._want(func, lowering)
        return func

    # --- what a function needs ---

    def _want(self, func: Func, lowering: Body) -> None:
        """Notes the functions that `func` calls or names, for their prototypes and bodies."""
        protos, wanted = self._piece.protos, self._wanted.names
        for block in func.blocks:
            for instr in block.instrs:
                if isinstance(instr, Call) and isinstance(instr.callee, Var) and instr.callee.kind == "f":
                    name = instr.callee.name
                    called = lowering.called.get(name) or lowering.named.get(name)
                    if called is None:
                        wanted.setdefault(name, None)  # a cleanup function: libclang gives its name alone
                    elif name not in protos:
                        protos[name] = self.decls.proto(called)
                        wanted[name] = called.cursor
        for name, function in lowering.named.items():
            wanted.setdefault(name, function.cursor)

    def close(self, main: int | None) -> None:
        """Lowers the functions defined outside of the file `main` that are wanted, directly or not."""
        waiting = [self._wanted]
        while waiting:
            wanted = waiting.pop()
            missing: list[str] = []
            for name, cursor in wanted.names.items():
                if name in self._batch.stop or name.startswith(_BUILTIN):
                    continue
                found = cursor or self.listed().get(name)
                if found is None:
                    missing.append(name)
                else:
                    waiting += self._header(name, found, main, wanted)
            if missing and self._elsewhere:
                found_there = self._elsewhere(missing)
                wanted.piece.uses += found_there.uses
                for name, proto in found_there.protos.items():
                    wanted.piece.protos.setdefault(name, proto)

    def _header(self, name: str, cursor: CXCursor, main: int | None, wanted: _Wanted) -> list[_Wanted]:
        """Lowers the header function that `cursor` names, if it is one and that was not done; returns what it wants in
        turn."""
        user = wanted.piece
        if name not in user.protos:
            user.protos[name] = self.decls.describe(name, cursor)
        definition = self._lib.clang_getCursorDefinition(cursor)
        if definition.kind != kinds.FUNCTION_DECL:
            return []
        handle = self.places.file_of(definition)
        if handle == main:
            return []
        shared = self._shared if self.decls.is_precompiled(definition) else None
        if wanted.shared and shared is None:
            return []
        key = f"{self.decls.file_name(handle)}:{name}"
        user.uses.append(key)
        if key in (self.headers if shared is None else shared.known):
            return []
        if shared is None:
            self.headers[key] = self._begin(False)
        else:
            shared.known.add(key)
            shared.pieces[key] = self._begin(True)
        self.function(definition)
        return [self._wanted]

    def listed(self) -> dict[str, CXCursor]:
        """The functions that libclang lists for the unit, by name."""
        if self._listed is None:
            top = libclang.children(self._lib.clang_getTranslationUnitCursor(self._tu))
            self._listed = {self.decls.name(cursor): cursor for cursor in top if cursor.kind == kinds.FUNCTION_DECL}
        return self._listed

    def want(self, name: str) -> None:
        """Asks for a header function by name; `close` lowers it."""
        self._wanted.names.setdefault(name, None)

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
                self._piece.stores += function_stores(tree.root, owner, self.decls, file, line)

    def _is_numbers(self, cursor: CXCursor) -> bool:
        """True for an integer or an array of integers: there are tables of a hundred thousand."""
        ctype = self._lib.clang_getCanonicalType(self._lib.clang_getCursorType(cursor))
        while ctype.kind in kinds.ARRAY_TYPES:
            ctype = self._lib.clang_getCanonicalType(self._lib.clang_getArrayElementType(ctype))
        return ctype.kind in kinds.INTEGER_TYPES
