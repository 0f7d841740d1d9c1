"""Values of macros and enumerators, folded by the compiler front end through the tree's own headers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.parse import parsed

_PREFIX = "gfpcheck_value_of_"
_NAME = re.compile(r"[A-Za-z_]\w*\Z")


def fold_constants(args: Sequence[str], header_text: str, names: Sequence[str], cwd: str) -> dict[str, int | None]:
    """The value of each name after `header_text` (#include lines); None for a name that has none there.

    Raises FrontendError if libclang cannot be used at all.
    """
    lines = [header_text]
    # A name that is not defined makes an error in its own line only: the variable then has no value.
    lines += [
        f"static const unsigned long long {_PREFIX}{name} = (unsigned long long)({name});\n"
        for name in names
        if _NAME.match(name)
    ]
    values: dict[str, int | None] = dict.fromkeys(names)
    lib = libclang.load()
    text = "".join(lines).encode()
    with parsed("gfpcheck-constants.c", args, cwd, options=libclang.PARSE_KEEP_GOING, unsaved=text) as tu:
        for cursor in libclang.children(lib.clang_getTranslationUnitCursor(tu)):
            if cursor.kind != kinds.VAR_DECL:
                continue
            name = libclang.text(lib.clang_getCursorSpelling(cursor))
            if name.startswith(_PREFIX):
                init = lib.clang_Cursor_getVarDeclInitializer(cursor)
                if kinds.FIRST_EXPR <= init.kind <= kinds.LAST_EXPR:
                    values[name.removeprefix(_PREFIX)] = libclang.evaluate(init)
    return values
