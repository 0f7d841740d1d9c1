"""Values of macros and enumerators, folded by the compiler front end through the tree's own headers."""

from __future__ import annotations

import os.path
import re
from collections.abc import Sequence
from typing import NamedTuple

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.parse import errors, inclusions, is_missing_file, parsed

_FILE = "gfpcheck-constants.c"
_PREFIX = "gfpcheck_value_of_"
_NAME = re.compile(r"[A-Za-z_]\w*\Z")


class Constants(NamedTuple):
    """Values by name, None where there is none, and the files that were read to find them. `failed`: one that should
    have been was not there."""

    values: dict[str, int | None]
    files: tuple[str, ...]
    failed: bool


def fold_constants(args: Sequence[str], header_text: str, names: Sequence[str], cwd: str) -> Constants:
    """The value of each name after `header_text` (#include lines).

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
    with parsed(_FILE, args, cwd, options=libclang.PARSE_KEEP_GOING, unsaved=text) as tu:
        for cursor in libclang.children(lib.clang_getTranslationUnitCursor(tu)):
            if cursor.kind != kinds.VAR_DECL:
                continue
            name = libclang.text(lib.clang_getCursorSpelling(cursor))
            if name.startswith(_PREFIX):
                init = lib.clang_Cursor_getVarDeclInitializer(cursor)
                if kinds.FIRST_EXPR <= init.kind <= kinds.LAST_EXPR:
                    values[name.removeprefix(_PREFIX)] = libclang.evaluate(init)
        files = [os.path.normpath(os.path.join(cwd, path)) for path in inclusions(tu)]  # noqa: PTH118
        failed = any(is_missing_file(message) for _, _, message in errors(tu))
    return Constants(values, tuple(path for path in files if not path.endswith(f"/{_FILE}")), failed)
