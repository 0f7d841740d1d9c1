"""Texts of the headers that a kernel build generates from its configuration and version alone."""

from __future__ import annotations

import math
from collections.abc import Mapping


def autoconf(options: Mapping[str, str]) -> str:
    """`include/generated/autoconf.h`. `options` have values as in a .config: y, m, a number, a quoted string."""
    lines = []
    for name in sorted(options):
        value = options[name]
        if value == "m":
            lines.append(f"#define CONFIG_{name}_MODULE 1\n")
        elif value != "n":
            lines.append(f"#define CONFIG_{name} {'1' if value == 'y' else value}\n")
    return "".join(lines)


_BIG_LOCKS = ("DEBUG_SPINLOCK", "DEBUG_LOCK_ALLOC", "PREEMPT_RT")


def bounds(options: Mapping[str, str]) -> str:
    """`include/generated/bounds.h`, after the kernel's kernel/bounds.c.

    The number of page flags is a constant that fits every configuration: it sizes bit fields of
    `page->flags` and nothing else.
    """
    zones = 2 + sum(options.get(z) == "y" for z in ("ZONE_DMA", "ZONE_DMA32", "HIGHMEM", "ZONE_DEVICE"))
    cpus = max(1, number(options.get("NR_CPUS"), 1))
    generations = options.get("LRU_GEN") == "y"
    constants = {
        "NR_PAGEFLAGS": 24,
        "MAX_NR_ZONES": zones,
        "NR_CPUS_BITS": (cpus - 1).bit_length(),
        "SPINLOCK_SIZE": 24 if any(options.get(o) == "y" for o in _BIG_LOCKS) else 4,
        "LRU_GEN_WIDTH": 3 if generations else 0,
        "__LRU_REFS_WIDTH": 2 if generations else 0,
    }
    return guarded("__LINUX_BOUNDS_H__", "".join(f"#define {name} {value}\n" for name, value in constants.items()))


def timeconst(hz: int) -> str:
    """`include/generated/timeconst.h`: factors between ticks and time units, after kernel/time/timeconst.bc."""
    hz = max(2, hz)
    lines = ["#include <linux/param.h>\n#include <linux/types.h>\n"]
    for unit, second in (("MSEC", 1000), ("USEC", 1_000_000)):
        for name, up, down in ((f"HZ_TO_{unit}", second, hz), (f"{unit}_TO_HZ", hz, second)):
            shift = next(s for s in range(128) if _ceil_div(up << s, down) >= 1 << 31)
            divisor = down // math.gcd(up, down)
            lines.append(f"#define {name}_MUL32 U64_C(0x{_ceil_div(up << shift, down):X})\n")
            lines.append(f"#define {name}_ADJ32 U64_C(0x{(divisor - 1 << shift) // divisor:X})\n")
            lines.append(f"#define {name}_SHR32 {shift}\n")
    for unit, second in (("MSEC", 1000), ("USEC", 1_000_000), ("NSEC", 1_000_000_000)):
        common = math.gcd(hz, second)
        lines.append(f"#define HZ_TO_{unit}_NUM {second // common}\n#define HZ_TO_{unit}_DEN {hz // common}\n")
        lines.append(f"#define {unit}_TO_HZ_NUM {hz // common}\n#define {unit}_TO_HZ_DEN {second // common}\n")
    return guarded("KERNEL_TIMECONST_H", "".join(lines))


def version_h(version: tuple[int, ...]) -> str:
    """`include/generated/uapi/linux/version.h`."""
    major, minor, patch = (*version, 0, 0, 0)[:3]
    return (
        f"#define LINUX_VERSION_CODE {(major << 16) + (minor << 8) + min(patch, 255)}\n"
        "#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))\n"
        f"#define LINUX_VERSION_MAJOR {major}\n"
        f"#define LINUX_VERSION_PATCHLEVEL {minor}\n"
        f"#define LINUX_VERSION_SUBLEVEL {patch}\n"
    )


def release_headers(release: str, machine: str) -> dict[str, str]:
    """The headers that hold names and dates, by file name; the values mean nothing to an analysis."""
    return {
        "utsrelease.h": f'#define UTS_RELEASE "{release}"\n',
        "utsversion.h": '#define UTS_VERSION "#1"\n',
        "package.h": '#define LINUX_PACKAGE_ID ""\n',
        "compile.h": (
            f'#define UTS_MACHINE "{machine}"\n'
            '#define UTS_VERSION "#1"\n'
            '#define LINUX_COMPILE_BY "gfpcheck"\n'
            '#define LINUX_COMPILE_HOST "gfpcheck"\n'
            '#define LINUX_COMPILER "clang"\n'
        ),
    }


def guarded(name: str, body: str) -> str:
    """`body` inside an include guard."""
    return f"#ifndef {name}\n#define {name}\n{body}#endif\n"


def _ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def number(text: str | None, default: int) -> int:
    """`text` as a number of C, or `default`."""
    try:
        return int(text or "", 0)
    except ValueError:
        return default
