"""The architectures: where their sources are, what libclang calls them, how they are configured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from gfpcheck.kbuild.types import PlanError


class Arch(NamedTuple):
    """One value of `--arch`.

    `srcarch` is the folder below arch/, `triple` libclang's target, `flags` what the
    architecture's Makefile adds that changes how C is read, `defconfig` the base configuration
    below arch/*/configs, `option` the one that a .config for this architecture has on.
    """

    name: str
    srcarch: str
    triple: str
    defconfig: str
    option: str
    flags: tuple[str, ...] = ()


_ARCHES = (
    Arch("x86", "x86", "x86_64-linux-gnu", "x86_64_defconfig", "X86_64"),
    Arch("i386", "x86", "i686-linux-gnu", "i386_defconfig", "X86_32"),
    Arch("arm64", "arm64", "aarch64-linux-gnu", "defconfig", "ARM64", ("-DKASAN_SHADOW_SCALE_SHIFT=",)),
    Arch("arm", "arm", "armv7-linux-gnueabi", "multi_v7_defconfig", "ARM", ("-D__LINUX_ARM_ARCH__=7", "-msoft-float")),
    Arch("riscv", "riscv", "riscv64-linux-gnu", "defconfig", "RISCV"),
    Arch("s390", "s390", "s390x-linux-gnu", "defconfig", "S390", ("-march=z13",)),
    Arch("powerpc", "powerpc", "powerpc64le-linux-gnu", "ppc64_defconfig", "PPC64"),
)
_ALIASES = {"x86_64": "x86", "amd64": "x86", "aarch64": "arm64", "ppc64le": "powerpc", "riscv64": "riscv"}


def known_arches() -> tuple[str, ...]:
    """The names that `--arch` accepts, without aliases."""
    return tuple(arch.name for arch in _ARCHES)


def find_arch(name: str, root: Path | None = None) -> Arch:
    """The architecture called `name`; PlanError, with those that exist, when there is none (or not in this tree)."""
    wanted = _ALIASES.get(name, name)
    usable = [a for a in _ARCHES if root is None or (root / "arch" / a.srcarch).is_dir()]
    for arch in usable:
        if arch.name == wanted:
            return arch
    where = "there are" if root is None else f"{root} has"
    raise PlanError(f"unknown architecture {name!r}; {where} {', '.join(a.name for a in usable) or 'none'}")


def configured_arch(options: Mapping[str, str]) -> Arch | None:
    """The architecture that a .config is for, None when it is none of those known."""
    return next((arch for arch in _ARCHES if options.get(arch.option) == "y"), None)


def source_arch(srcarch: str) -> Arch | None:
    """The first architecture whose sources are in arch/`srcarch`."""
    return next((arch for arch in _ARCHES if arch.srcarch == srcarch), None)
