"""The texts of all headers that a kernel build would generate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gfpcheck.kbuild import arch_headers, headers, syscalls
from gfpcheck.kbuild.arch import Arch
from gfpcheck.kbuild.tree import Tree
from gfpcheck.kbuild.wrappers import wrappers

# Constants for assembly code, and for C files that no finding can be in.
_EMPTY = (
    "asm-offsets.h",
    "rq-offsets.h",
    "vdso-offsets.h",
    "vdso32-offsets.h",
    "vdso64-offsets.h",
    "randstruct_hash.h",
)


def generate(tree: Tree, arch: Arch, options: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The headers' texts by path (as in a build directory), and the files of the tree that they were made from."""
    inputs: list[str] = ["Makefile"]

    def read(path: str) -> str:
        inputs.append(path)
        try:
            return (tree.root / path).read_text("utf-8", "replace")
        except OSError:
            return ""

    generated = "include/generated/"
    files = {
        generated + "autoconf.h": headers.autoconf(options),
        generated + "bounds.h": headers.bounds(options),
        generated + "timeconst.h": headers.timeconst(headers.number(options.get("HZ"), 100)),
        generated + "uapi/linux/version.h": headers.version_h(tree.version),
    }
    for name, text in headers.release_headers(tree.release, arch.srcarch).items():
        files[generated + name] = text
    for name in _EMPTY:
        files[generated + name] = ""
    asm = f"arch/{arch.srcarch}/include/generated/"
    for folder in ("asm", "uapi/asm"):
        names = wrappers(tree.root, arch.srcarch, folder, read)
        for name in names.generic:
            files[f"{asm}{folder}/{name}"] = f"#include <asm-generic/{name}>\n"
        for name in names.generated:
            files[f"{asm}{folder}/{name}"] = _arch_header(name, tree.root, arch, read)
    return files, sorted(set(inputs))


def _arch_header(name: str, root: Path, arch: Arch, read: syscalls.Reader) -> str:
    """One of the headers that arch/*/include/asm/Kbuild lists as generated; empty if it is not known how."""
    text = syscalls.header(name, arch.srcarch, read)
    if text is not None:
        return text
    if name in ("cpucap-defs.h", "cpucaps.h"):
        guard = "__ASM_" + name.removesuffix(".h").replace("-", "_").upper() + "_H"
        return arch_headers.cpucaps(read(f"arch/{arch.srcarch}/tools/cpucaps"), guard)
    if name == "sysreg-defs.h":
        return arch_headers.sysregs(read(f"arch/{arch.srcarch}/tools/sysreg"))
    if name == "facility-defs.h":
        return "".join(f"#define FACILITIES_{kind} 0UL\n" for kind in ("ALS", "KVM", "KVM_CPUMODEL"))
    if name == "orc_hash.h":
        return "#define ORC_HASH " + ",".join(["0x00"] * 20) + "\n"
    if name == "xen-hypercalls.h":
        folder = "include/xen/interface"
        return arch_headers.xen_hypercalls(read(f"{folder}/{p.name}") for p in sorted((root / folder).glob("xen*.h")))
    return ""
