"""The architectures: where their sources are, what libclang calls them, how they are configured."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gfpcheck.kbuild.types import PlanError


class Arch(NamedTuple):
    """One value of `--arch`.

    `srcarch` is the folder below arch/, `triple` libclang's target, `flags` what the
    architecture's Makefile adds that changes how C is read, `defconfig` the base configuration
    below arch/*/configs, `variables` names that its Kconfig files take from the environment.
    """

    name: str
    srcarch: str
    triple: str
    defconfig: str
    flags: tuple[str, ...] = ()


_ARCHES = (
    Arch("x86", "x86", "x86_64-linux-gnu", "x86_64_defconfig", ("-mcmodel=kernel", "-mno-red-zone")),
    Arch("i386", "x86", "i686-linux-gnu", "i386_defconfig"),
    Arch("arm64", "arm64", "aarch64-linux-gnu", "defconfig", ("-DKASAN_SHADOW_SCALE_SHIFT=", "-mgeneral-regs-only")),
    Arch("arm", "arm", "armv7-linux-gnueabi", "multi_v7_defconfig", ("-D__LINUX_ARM_ARCH__=7", "-msoft-float")),
    Arch("riscv", "riscv", "riscv64-linux-gnu", "defconfig"),
    Arch("s390", "s390", "s390x-linux-gnu", "defconfig", ("-march=z13",)),
    Arch("powerpc", "powerpc", "powerpc64le-linux-gnu", "ppc64_defconfig"),
    Arch("loongarch", "loongarch", "loongarch64-linux-gnu", "loongson3_defconfig"),
    Arch("mips", "mips", "mips64-linux-gnuabi64", "generic_defconfig"),
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
    where = "" if root is None else f" in {root}"
    raise PlanError(f"unknown architecture {name!r}; there is{where}: {', '.join(a.name for a in usable) or 'none'}")
