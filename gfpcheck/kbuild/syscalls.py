"""System call numbers and tables (`asm/unistd_64.h`, `asm/syscall_table_64.h`, ...) from the tree's `.tbl` files.

The format is that of the kernel's scripts/syscallhdr.sh and scripts/syscalltbl.sh: number, ABI, name, entry
point, compat entry point, "noreturn".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from gfpcheck.kbuild.headers import guarded

Reader = Callable[[str], str]
"""Gives the text of a file of the tree by its relative path, "" when there is none."""


class _Row(NamedTuple):
    number: int
    name: str
    native: str
    compat: str
    noreturn: bool


def header(file_name: str, srcarch: str, read: Reader) -> str | None:
    """The text of the generated header `file_name`, or None when it is not one about system calls."""
    match = re.fullmatch(r"(unistd|syscalls|syscall_table)(?:[_-](\w+))?\.h", file_name)
    if match is None:
        return None
    what, suffix = match[1], match[2] or ""
    rows = _rows(srcarch, suffix, read)
    if what == "unistd":
        return _numbers(rows, srcarch, suffix, file_name)
    return _table(rows)


def _rows(srcarch: str, suffix: str, read: Reader) -> list[_Row]:
    """The rows of the table and the ABIs that the file's suffix stands for (arch/*/entry|kernel/syscalls/Makefile)."""
    bits = "32" if "32" in suffix and "x32" not in suffix else "64"
    if srcarch == "x86":
        abis = {"i386"} if bits == "32" else {"x32"} if suffix == "64_x32" else {"common", suffix or "64"}
        return _parse(read(f"arch/x86/entry/syscalls/syscall_{bits}.tbl"), abis)
    makefile = read(f"arch/{srcarch}/kernel/Makefile.syscalls")
    abis = {"common", "nospu", bits, suffix or bits}
    abis.update(" ".join(re.findall(rf"^syscall_abis_{bits}\s*\+=(.*)$", makefile, re.MULTILINE)).split())
    named = re.search(r"^syscalltbl\s*[:+]?=\s*(\S+)", makefile, re.MULTILINE)
    for path in (
        named[1].replace("%", bits).replace("$(SRCARCH)", srcarch) if named else "",
        f"arch/{srcarch}/kernel/syscalls/syscall_{suffix}.tbl",
        f"arch/{srcarch}/kernel/syscalls/syscall.tbl",
        f"arch/{srcarch}/tools/syscall.tbl",
        "scripts/syscall.tbl",
    ):
        text = read(path) if path else ""
        if text:
            return _parse(text, abis)
    return []


def _parse(text: str, abis: set[str]) -> list[_Row]:
    rows = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if len(words) >= 3 and words[0].isdigit() and words[1] in abis:
            native, compat = ("" if word == "-" else word for word in (*words[3:5], "", "")[:2])
            rows.append(_Row(int(words[0]), words[2], native, compat, "noreturn" in words[5:]))
    return rows


def _numbers(rows: list[_Row], srcarch: str, suffix: str, file_name: str) -> str:
    prefix = {"32_ia32": "ia32_", "64_x32": "x32_"}.get(suffix, "")
    if suffix.startswith("compat_"):
        prefix = f"compat{suffix.removeprefix('compat_')}_"
    value = "(__X32_SYSCALL_BIT + {})" if srcarch == "x86" and suffix == "x32" else "{}"
    lines = [f"#define __NR_{prefix}{row.name} {value.format(row.number)}\n" for row in rows]
    count = max((row.number for row in rows), default=-1) + 1
    lines.append(f"#ifdef __KERNEL__\n#define __NR_{prefix}syscalls {count}\n#endif\n")
    return guarded("_UAPI_ASM_" + re.sub(r"\W", "_", file_name).upper(), "".join(lines))


def _table(rows: list[_Row]) -> str:
    lines: list[str] = []
    following = 0
    for row in rows:
        lines.extend(f"__SYSCALL({number}, sys_ni_syscall)\n" for number in range(following, row.number))
        following = row.number + 1
        if row.noreturn:
            lines.append(f"__SYSCALL_NORETURN({row.number}, {row.native})\n")
        elif row.compat:
            lines.append(f"__SYSCALL_WITH_COMPAT({row.number}, {row.native}, {row.compat})\n")
        else:
            lines.append(f"__SYSCALL({row.number}, {row.native or 'sys_ni_syscall'})\n")
    return "".join(lines)
