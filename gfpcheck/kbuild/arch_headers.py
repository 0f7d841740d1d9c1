"""Headers that only one architecture generates, from tables in its own folder.

All functions take the tables' texts and give a header's text; a line that is not understood is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gfpcheck.kbuild.headers import guarded


def cpucaps(text: str, guard: str) -> str:
    """arm64's `asm/cpucap-defs.h` (`asm/cpucaps.h` before Linux 6.4) from arch/arm64/tools/cpucaps."""
    names = [line.strip() for line in text.splitlines() if re.fullmatch(r"[vA-Z0-9_]+\s*", line)]
    lines = [f"#define ARM64_{name} {number}\n" for number, name in enumerate(names)]
    return guarded(guard, "".join(lines) + f"#define ARM64_NCAPS {len(names)}\n")


def xen_hypercalls(texts: Iterable[str]) -> str:
    """x86's `asm/xen-hypercalls.h`: one HYPERCALL() per number, from include/xen/interface/xen*.h."""
    names: dict[str, str] = {}
    for text in texts:
        for match in re.finditer(r"^#\s*define\s+__HYPERVISOR_([a-z][a-z_0-9]*)\s+(\d+)\s*$", text, re.MULTILINE):
            names[match[2]] = match[1]
    return "".join(f"HYPERCALL({name})\n" for name in sorted(names.values()))


def sysregs(text: str) -> str:
    """arm64's `asm/sysreg-defs.h` from arch/arm64/tools/sysreg.

    The table's blocks (Sysreg, SysregFields, Enum and its signed forms) nest; each line inside
    names a bit range of the register.
    """
    out: list[str] = []
    register = field = ""
    fixed: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        keyword = words[0]
        if keyword == "Sysreg" and len(words) >= 7:
            register, op0, op1, crn, crm, op2 = words[1:7]
            fixed = {"RES0": "UL(0)", "RES1": "UL(0)", "UNKN": "UL(0)"}
            out.append(f"#define REG_{register} S{op0}_{op1}_C{crn}_C{crm}_{op2}\n")
            out.append(f"#define SYS_{register} sys_reg({op0}, {op1}, {crn}, {crm}, {op2})\n")
            for name, value in zip(("Op0", "Op1", "CRn", "CRm", "Op2"), (op0, op1, crn, crm, op2), strict=True):
                out.append(f"#define SYS_{register}_{name} {value}\n")
        elif keyword == "SysregFields" and len(words) >= 2:
            register = words[1]
            fixed = {"RES0": "UL(0)", "RES1": "UL(0)", "UNKN": "UL(0)"}
        elif keyword in ("EndSysreg", "EndSysregFields"):
            out.extend(f"#define {register}_{name} ({mask})\n" for name, mask in fixed.items())
        elif keyword in ("Fields", "Mapping"):
            # The register's fields are another block's.
            fixed = {}
        elif keyword in ("Field", "Enum", "SignedEnum", "UnsignedEnum") and len(words) >= 3:
            field = words[2]
            out.extend(_field(register, field, words[1]))
            if keyword == "SignedEnum" or keyword == "UnsignedEnum":
                out.append(f"#define {register}_{field}_SIGNED {'true' if keyword == 'SignedEnum' else 'false'}\n")
        elif keyword in ("Res0", "Res1", "Unkn") and len(words) >= 2 and keyword.upper() in fixed:
            high, _, low = words[1].partition(":")
            fixed[keyword.upper()] += f" | GENMASK_ULL({high}, {low or high})"
        elif keyword.startswith("0b") and len(words) >= 2:
            out.append(f"#define {register}_{field}_{words[1]} UL({keyword})\n")
    return guarded("__ASM_SYSREG_DEFS_H", "".join(out))


def _field(register: str, field: str, bits: str) -> list[str]:
    high, _, low = bits.partition(":")
    low = low or high
    if not (high.isdigit() and low.isdigit()):
        return []
    name = f"{register}_{field}"
    return [
        f"#define {name} GENMASK({high}, {low})\n",
        f"#define {name}_MASK GENMASK({high}, {low})\n",
        f"#define {name}_SHIFT {low}\n",
        f"#define {name}_WIDTH {int(high) - int(low) + 1}\n",
    ]
