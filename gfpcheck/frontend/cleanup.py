"""The cleanup attribute: which function runs when a variable leaves its scope.

libclang shows the attribute without its argument. The name is in an annotation beside it
("cleanup:FN", from gfpcheck's redefinition of the kernel's `__cleanup()`), or in the source text when the
attribute is written out, or it follows from the type: a variable of the type `class_X_t` is destroyed by
`class_X_destructor` (include/linux/cleanup.h).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gfpcheck.frontend import kinds
from gfpcheck.frontend.decls import Decls, Variable
from gfpcheck.frontend.tree import Node

_ANNOTATION = "cleanup:"
_ATTRIBUTE = re.compile(rb"(?:__)?cleanup(?:__)?\s*\(\s*([A-Za-z_]\w*)\s*\)")
_CLASS_TYPE = re.compile(r"(?:const )?(class_\w+)_t$")


@dataclass(slots=True, eq=False)
class Cleanup:
    """`function(&variable)` runs at scope exit."""

    function: str
    variable: Variable


def cleanup_of(node: Node, decls: Decls) -> Cleanup | None:
    """The cleanup of the variable that the VarDecl `node` declares, if it has one."""
    variable = node.ref
    attributes = [kid for kid in node.kids if kid.kind >= kinds.UNEXPOSED_ATTR]
    if not attributes or not isinstance(variable, Variable):
        return None
    for attribute in attributes:
        if attribute.kind == kinds.ANNOTATE_ATTR:
            text = decls.spelling(attribute.cursor)
            if text.startswith(_ANNOTATION):
                return Cleanup(text.removeprefix(_ANNOTATION).strip(), variable)
    for attribute in attributes:
        if attribute.kind == kinds.UNEXPOSED_ATTR:
            text_there, offset = decls.places.spelling(attribute.cursor)
            match = _ATTRIBUTE.match(text_there, offset)
            if match:
                named = match.group(1).decode()
                if not decls.places.in_macro(attribute.cursor):
                    return Cleanup(named, variable)
                by_type = _CLASS_TYPE.match(decls.variable_type(variable))
                # In a macro the text may be the macro's parameter; without a class type it is the best guess.
                return Cleanup(f"{by_type.group(1)}_destructor" if by_type else named, variable)
    return None
