"""Arguments by Kbuild's conventions, where there is no real compile command."""

from __future__ import annotations

import importlib.resources
import re
from pathlib import Path

from gfpcheck.kbuild.arch import Arch
from gfpcheck.kbuild.flags import COMMON, IDENTITY

_STANDARD = re.compile(r"-std=(gnu\w+)")


def data_file(name: str) -> str:
    """The path of a header that comes with gfpcheck."""
    return str(importlib.resources.files("gfpcheck.kbuild").joinpath("data", name))


def kernel_arguments(tree: Path, arch: Arch, headers: Path) -> tuple[str, ...]:
    """What every C file of the kernel is parsed with.

    The include paths and forced headers are LINUXINCLUDE and USERINCLUDE of the kernel's top
    Makefile and c_flags of scripts/Makefile.lib. `headers` holds the generated headers: a build
    directory, or an overlay. It comes first, so that leftovers in the tree do not win over an overlay.
    """
    source = f"arch/{arch.srcarch}/include"
    own = [tree / source, tree / source / "generated", tree / "include"]
    uapi = [tree / source / "uapi", tree / source / "generated/uapi", tree / "include/uapi"]
    made = [headers / source / "generated", headers / "include"]
    made_uapi = [headers / source / "generated/uapi", headers / "include/generated/uapi"]
    if headers == tree:
        folders = [*own, *uapi, tree / "include/generated/uapi"]
    else:
        folders = [*made, own[0], own[2], *made_uapi, uapi[0], uapi[2]]
    args = ["-nostdinc", f"-I{data_file('wrappers')}", *(f"-I{folder}" for folder in folders)]
    for header in ("compiler-version.h", "kconfig.h"):
        if header == "kconfig.h" or (tree / "include/linux" / header).is_file():
            args += ["-include", str(tree / "include/linux" / header)]
    args += ["-include", data_file("configuration.h")]
    args += ["-include", str(tree / "include/linux/compiler_types.h"), "-include", data_file("annotations.h")]
    args += ["-D__KERNEL__", f"--target={arch.triple}", *arch.flags, "-fshort-wchar"]
    return (*args, *_dialect(tree), *COMMON, *IDENTITY)


def _dialect(tree: Path) -> list[str]:
    """The language options that the top Makefile names; they changed in 5.18, 6.2 and 6.19."""
    try:
        text = (tree / "Makefile").read_text("utf-8", "replace")
    except OSError:
        text = ""
    start = re.search(r"^KBUILD_CFLAGS\s*:?=", text, re.MULTILINE)
    kernel_part = text[start.start() :] if start else ""
    standard = _STANDARD.search(kernel_part)
    args = [f"-std={standard[1] if standard else 'gnu11'}"]
    return args + [flag for flag in ("-funsigned-char", "-fms-extensions") if flag in kernel_part]
