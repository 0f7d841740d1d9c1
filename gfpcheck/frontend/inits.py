"""Initialiser lists: which member gets which value.

Walks the list as it was written, designators, positions and elided braces included
(C11 6.7.9), with the types as the guide.
"""

from __future__ import annotations

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.decls import Decls, Function, Member
from gfpcheck.frontend.libclang import CXCursor, CXType
from gfpcheck.frontend.tree import Node
from gfpcheck.ir.types import FnStore

Path = tuple[Member | int, ...]
Assignment = tuple[Path, Node]

_SEE_THROUGH = frozenset({kinds.UNEXPOSED_EXPR, kinds.PAREN_EXPR, kinds.C_STYLE_CAST_EXPR})


def assignments(init: Node, decls: Decls) -> list[Assignment]:
    """(path, value) for each scalar, or whole aggregate, that the list `init` gives a value."""
    walk = _Walk(decls)
    walk.braces(init, libclang.load().clang_getCursorType(init.cursor), ())
    return walk.found


def function_stores(init: Node, owner: str, decls: Decls, file: str, line: int) -> list[FnStore]:
    """The functions that a static object's initialiser stores, and where."""
    items: list[Assignment] = assignments(init, decls) if init.kind == kinds.INIT_LIST_EXPR else [((), init)]
    stores = []
    for path, item in items:
        value = _value(item)
        if isinstance(value.ref, Function):
            last = next((step for step in reversed(path) if isinstance(step, Member)), None)
            record, member = (last.record, last.member) if last else ("", owner)
            stores.append(FnStore(record, member, value.ref.name, owner, file, line))
        elif value.kind == kinds.COMPOUND_LITERAL_EXPR and value.kids:
            stores += function_stores(value.kids[-1], owner, decls, file, line)
    return stores


def names_function(node: Node) -> bool:
    """True if a function is named anywhere below `node`."""
    if isinstance(node.ref, Function):
        return True
    return any(names_function(kid) for kid in node.kids)


def _value(node: Node) -> Node:
    """What `node` is behind casts and `&`."""
    while node.kids and (node.kind in _SEE_THROUGH or node.kind == kinds.UNARY_OPERATOR):
        node = node.kids[-1]
    return node


class _Walk:
    """Collects assignments in `found`."""

    def __init__(self, decls: Decls) -> None:
        self.found: list[Assignment] = []
        self._decls = decls
        self._lib = libclang.load()

    def braces(self, init: Node, ctype: CXType, path: Path) -> None:
        """What `{ ... }` gives to an object of type `ctype`."""
        items = [kid for kid in init.kids if kinds.FIRST_EXPR <= kid.kind <= kinds.LAST_EXPR]
        ctype = self._lib.clang_getCanonicalType(ctype)
        if self._is_aggregate(ctype):
            self._fill(items, 0, ctype, path, True)
        elif items:
            self._whole(items[0], ctype, path)

    def _fill(self, items: list[Node], index: int, ctype: CXType, path: Path, braced: bool) -> int:
        """Gives items from `index` on to the parts of `ctype`: all if `braced`, else as many as it has
        parts (elided braces). Returns the index of the first item left."""
        fields = self._decls.fields(ctype) if ctype.kind == kinds.TYPE_RECORD else []
        position = 0
        while index < len(items):
            item = items[index]
            if item.kids and _is_designated(item):
                if not braced:
                    break
                steps, target, position = self._designated(item, ctype, fields)
                self._whole(item.kids[-1], target, path + steps)
                index += 1
                continue
            part = self._part(ctype, fields, position)
            if part is None:
                break
            step, target = part
            position += 1
            inner = (*path, *step)
            if self._is_elided(item, target):
                after = self._fill(items, index, target, inner, False)
                index = max(after, index + 1)
            else:
                self._whole(item, target, inner)
                index += 1
        return index

    def _whole(self, item: Node, ctype: CXType, path: Path) -> None:
        if item.kind == kinds.INIT_LIST_EXPR:
            self.braces(item, ctype, path)
        else:
            self.found.append((path, item))

    def _part(self, ctype: CXType, fields: list[CXCursor], position: int) -> tuple[Path, CXType] | None:
        """The step to, and the type of, the part at a position; None past the end."""
        if ctype.kind in kinds.ARRAY_TYPES:
            size = self._lib.clang_getArraySize(ctype)
            return None if 0 <= size <= position else ((position,), self._element(ctype))
        if position >= len(fields):
            return None
        return self._to_field(fields[position])

    def _to_field(self, field: CXCursor) -> tuple[Path, CXType]:
        member = self._decls.field(field)
        ctype = self._lib.clang_getCanonicalType(self._lib.clang_getCursorType(field))
        return ((member,) if member.member else ()), ctype

    def _element(self, ctype: CXType) -> CXType:
        element: CXType = self._lib.clang_getCanonicalType(self._lib.clang_getArrayElementType(ctype))
        return element

    def _designated(self, item: Node, ctype: CXType, fields: list[CXCursor]) -> tuple[Path, CXType, int]:
        """Follows `.a.b[3]`; also the position after the first designator."""
        steps: Path = ()
        position = 0
        designators = item.kids[:-1]
        for number, designator in enumerate(designators):
            if designator.kind == kinds.MEMBER_REF:
                field = self._lib.clang_getCursorReferenced(designator.cursor)
                if not steps and not number:
                    keys = [candidate.data0 for candidate in fields]
                    position = keys.index(field.data0) + 1 if field.data0 in keys else 0
                step, ctype = self._to_field(field)
                steps += step
            elif ctype.kind in kinds.ARRAY_TYPES:
                index = libclang.evaluate(designator.cursor) or 0
                position = index + 1 if number == 0 else position
                steps += (index,)
                ctype = self._element(ctype)
            # else: the end of a range [a ... b], whose first element stands for all
        return steps, ctype, position

    def _is_aggregate(self, ctype: CXType) -> bool:
        return ctype.kind == kinds.TYPE_RECORD or ctype.kind in kinds.ARRAY_TYPES

    def _is_elided(self, item: Node, target: CXType) -> bool:
        """True if `item` is the first of several that fill `target`, whose braces were left out."""
        if item.kind == kinds.INIT_LIST_EXPR or not self._is_aggregate(target):
            return False
        while item.kind in (kinds.UNEXPOSED_EXPR, kinds.PAREN_EXPR) and item.kids:
            item = item.kids[-1]
        if item.kind == kinds.STRING_LITERAL:
            return False
        own = self._lib.clang_getCanonicalType(self._lib.clang_getCursorType(item.cursor))
        return not self._is_aggregate(own)


def _is_designated(item: Node) -> bool:
    """A designated item: an unexposed expression with its designators before the value."""
    return (
        item.kind == kinds.UNEXPOSED_EXPR
        and len(item.kids) > 1
        and (item.kids[0].kind == kinds.MEMBER_REF or item.kids[0].fixed)
    )
