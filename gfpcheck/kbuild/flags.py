"""Turns a real compile command into arguments for libclang.

What decides how C is read is kept (macros, include paths, dialect, target); everything else is dropped,
for gcc's other options are errors to libclang and clang's own only cost time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

# Options whose value is the next word or glued to the option; the value is a path.
_PATH_OPTIONS = ("-isystem", "-iquote", "-idirafter", "-include", "-imacros", "-isysroot", "--sysroot", "-I")
_VALUE_OPTIONS = ("-D", "-U")
# Options to skip together with the word that follows.
_SKIP_WITH_VALUE = frozenset(
    {"-o", "-MF", "-MT", "-MQ", "-x", "-Xclang", "-Xpreprocessor", "-Xassembler", "-mllvm", "-L"}
)
_KEEP = re.compile(
    r"^(?:-std=.*|-ansi|-nostdinc|-undef|-m32|-m64|-m16|-f(?:no-)?short-wchar|-f(?:un)?signed-char|-f(?:no-)?short-enums"
    r"|-f(?:no-)?ms-extensions|-ffreestanding|-fhosted|-fgnu89-inline|-fno-builtin.*|-fopenmp|-pthread|--?target=.*"
    r"|-m(?:general-regs-only|soft-float|big-endian|little-endian|abi=.*))$"
)
_IDENTITY = re.compile(r"^(__)?KBUILD_(MODFILE|BASENAME|MODNAME|STR)\b")
IDENTITY = (
    '-DKBUILD_MODFILE="kernel"',
    '-DKBUILD_BASENAME="kernel"',
    '-DKBUILD_MODNAME="kernel"',
    "-D__KBUILD_MODNAME=kmod_kernel",
)
"""What Kbuild defines by file, as constants: units whose arguments are equal can share a precompiled header."""


def parse_arguments(words: Sequence[str], cwd: str, triple: str) -> tuple[str, ...]:
    """libclang arguments from a command's words (the compiler's name first), without the source file.

    Relative paths are made absolute from `cwd`. `triple` is the target when the command names none
    ("" to leave it to libclang).
    """
    out: list[str] = []
    identity = False
    target = False
    index = 1
    while index < len(words):
        word = words[index]
        index += 1
        if word.startswith(("-Wp,-D", "-Wp,-U")):
            word = word[4:]
        option = next((o for o in _PATH_OPTIONS if word.startswith(o)), "")
        macro = next((o for o in _VALUE_OPTIONS if word.startswith(o)), "")
        if option or macro:
            value = word[len(option or macro) :].lstrip("=" if option.startswith("--") else "")
            if not value:
                if index == len(words):
                    break
                value = words[index]
                index += 1
            if macro and _IDENTITY.match(value):
                identity = True
            elif macro:
                out.append(macro + value)
            else:
                path = os.path.normpath(value if value.startswith("/") else f"{cwd}/{value}")
                out += [f"-I{path}"] if option == "-I" else [option, path]
        elif word in _SKIP_WITH_VALUE:
            index += 1
        elif _KEEP.match(word):
            target = target or "target=" in word
            out.append(word)
        elif word == "-target" and index < len(words):
            out.append("--target=" + words[index])
            index += 1
            target = True
    if identity:
        out += IDENTITY
    if triple and not target:
        out.append("--target=" + triple)
    return tuple(out)


def with_annotations(args: Sequence[str], configuration: str, annotations: str, wrappers: str) -> tuple[str, ...]:
    """`args` with two more headers: `configuration` after the kernel's kconfig.h, `annotations` after the last
    forced include of the kernel (compiler_types.h); and with the folder `wrappers` before its include paths. Arguments
    without kconfig.h are not a kernel's: unchanged."""
    out: list[str] = [f"-I{wrappers}"]
    places = [i for i, word in enumerate(args) if word == "-include"]
    kconfig = next((i for i in places if args[i + 1].endswith("/linux/kconfig.h")), None)
    if kconfig is None:
        return tuple(args)
    types = next((i for i in places if args[i + 1].endswith("/linux/compiler_types.h")), kconfig)
    for index, word in enumerate(args):
        out.append(word)
        if index == kconfig + 1:
            out += ["-include", configuration]
        if index == types + 1:
            out += ["-include", annotations]
    return tuple(out)


COMMON = ("-w", "-ferror-limit=0")
"""Added to every command: warnings are of no use here, and no error may hide the rest of a file."""
