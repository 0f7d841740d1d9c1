"""make_plan: from the paths on the command line to everything that has to be parsed (first version)."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Sequence
from pathlib import Path

from gfpcheck.kbuild.arch import Arch, find_arch
from gfpcheck.kbuild.overlay import overlay
from gfpcheck.kbuild.tree import Tree, find_tree
from gfpcheck.kbuild.types import Plan, PlanError, Unit


def make_plan(
    paths: Sequence[Path],
    *,
    arch: str = "x86",
    build_dir: Path | None = None,
    compile_commands: Path | None = None,
    tree: Path | None = None,
    cache_dir: Path,
) -> Plan:
    """Find the tree, the configuration and the flags for `paths`. PlanError when it cannot be done."""
    resolved = [path.resolve() for path in paths]
    found = find_tree(tree.resolve() if tree else resolved[0])
    if found is None:
        raise PlanError(f"{paths[0]}: not in a kernel tree")
    machine = find_arch(arch, found.root)
    folders = sorted({str((p if p.is_dir() else p.parent).relative_to(found.root)) for p in resolved})
    generated = overlay(found, machine, folders, cache_dir)
    args = _args(found, machine, generated)
    files = sorted({f for p in resolved for f in (p.rglob("*.c") if p.is_dir() else [p])})
    units = [
        Unit(str(f), str(f.relative_to(found.root)), args + _folder_flags(f, found.root), str(found.root)) for f in files
    ]
    units.sort(key=lambda u: u.rel)
    setup = f"Linux {found.release}, {machine.name}, unconfigured tree: generated headers supplied by gfpcheck"
    return Plan(str(found.root), found.version, machine.name, "unconfigured tree", setup, tuple(units))


def _args(tree: Tree, arch: Arch, generated: Path) -> tuple[str, ...]:
    root = tree.root
    data = Path(str(importlib.resources.files("gfpcheck.kbuild").joinpath("data")))
    source = f"arch/{arch.srcarch}/include"
    folders = [
        root / source,
        generated / source / "generated",
        root / "include",
        generated / "include",
        root / source / "uapi",
        generated / source / "generated/uapi",
        root / "include/uapi",
        generated / "include/generated/uapi",
    ]
    args = ["-nostdinc", *(f"-I{folder}" for folder in folders)]
    for header in (
        root / "include/linux/compiler-version.h",
        root / "include/linux/kconfig.h",
        data / "configuration.h",
        root / "include/linux/compiler_types.h",
        data / "annotations.h",
    ):
        args += ["-include", str(header)]
    args += ["-D__KERNEL__", "-std=gnu11", f"--target={arch.triple}", *arch.flags]
    args += ["-fshort-wchar", "-funsigned-char", "-w", "-ferror-limit=0"]
    args += [
        '-DKBUILD_MODFILE="kernel"',
        '-DKBUILD_BASENAME="kernel"',
        '-DKBUILD_MODNAME="kernel"',
        "-D__KBUILD_MODNAME=kmod_kernel",
    ]
    return tuple(args)


def _folder_flags(file: Path, root: Path) -> tuple[str, ...]:
    for folder in file.parents:
        makefile = folder / "Makefile"
        if makefile.is_file():
            text = makefile.read_text("utf-8", "replace")
            found = re.findall(r"^(?:subdir-)?ccflags-y\s*[+:]?=\s*-I\s*(\$\((?:src|srctree)\)\S*)", text, re.MULTILINE)
            return tuple(
                "-I" + path.replace("$(srctree)/$(src)", str(folder)).replace("$(srctree)", str(root)).replace("$(src)", str(folder)) for path in found
            )
        if folder == root:
            break
    return ()
