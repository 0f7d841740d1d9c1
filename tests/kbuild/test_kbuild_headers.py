"""The texts of generated headers."""

from __future__ import annotations

import re

import pytest

from gfpcheck.kbuild import arch_headers, headers, syscalls


def defines(text: str) -> dict[str, str]:
    return dict(re.findall(r"^#define (\w+) (.*)$", text, re.MULTILINE))


def test_autoconf_spells_every_kind_of_value() -> None:
    text = headers.autoconf({"B": "y", "M": "m", "N": "n", "I": "12", "S": '"a b"', "A": "0x10"})
    assert text == (
        "#define CONFIG_A 0x10\n#define CONFIG_B 1\n#define CONFIG_I 12\n#define CONFIG_M_MODULE 1\n"
        '#define CONFIG_S "a b"\n'
    )


@pytest.mark.parametrize("hz", [100, 250, 300, 1000, 1024])
def test_time_factors_convert_rounding_up(hz: int) -> None:
    found = defines(headers.timeconst(hz))
    for unit, second in (("MSEC", 1000), ("USEC", 1_000_000)):
        for name, up, down in ((f"HZ_TO_{unit}", second, hz), (f"{unit}_TO_HZ", hz, second)):
            multiplier, adjustment = (int(found[f"{name}_{kind}32"][8:-1], 16) for kind in ("MUL", "ADJ"))
            shift = int(found[f"{name}_SHR32"])
            assert 1 << 31 <= multiplier < 1 << 32
            for ticks in (0, 1, 7, 999, 123_456):
                assert (multiplier * ticks + adjustment) >> shift == -(-ticks * up // down), (name, ticks)


def test_time_factors_of_a_known_kernel() -> None:
    found = defines(headers.timeconst(1000))
    assert found["HZ_TO_MSEC_MUL32"] == "U64_C(0x80000000)"
    assert found["HZ_TO_MSEC_SHR32"] == "31"
    assert (found["HZ_TO_USEC_NUM"], found["HZ_TO_USEC_DEN"]) == ("1000", "1")


def test_bounds_follow_the_configuration() -> None:
    found = defines(
        headers.bounds({"ZONE_DMA": "y", "ZONE_DMA32": "y", "ZONE_DEVICE": "y", "NR_CPUS": "64", "LRU_GEN": "y"})
    )
    assert found["MAX_NR_ZONES"] == "5"
    assert found["NR_CPUS_BITS"] == "6"
    assert found["LRU_GEN_WIDTH"] == "3"
    assert found["SPINLOCK_SIZE"] == "4"
    assert defines(headers.bounds({"DEBUG_SPINLOCK": "y"}))["SPINLOCK_SIZE"] == "24"


def test_version_is_capped_as_the_kernel_caps_it() -> None:
    assert defines(headers.version_h((6, 1, 192)))["LINUX_VERSION_CODE"] == str((6 << 16) + (1 << 8) + 192)
    assert defines(headers.version_h((4, 9, 300)))["LINUX_VERSION_CODE"] == str((4 << 16) + (9 << 8) + 255)


TABLE = (
    "# comment\n0 common read sys_read\n2 64 open sys_open compat_sys_open\n"
    "5 common exit sys_exit - noreturn\n6 x32 only sys_only\n"
)


def read_table(path: str) -> str:
    return TABLE if path == "arch/x86/entry/syscalls/syscall_64.tbl" else ""


def test_syscall_numbers() -> None:
    text = syscalls.header("unistd_64.h", "x86", read_table)
    assert text is not None
    assert defines(text) == {"__NR_read": "0", "__NR_open": "2", "__NR_exit": "5", "__NR_syscalls": "6"}
    text = syscalls.header("unistd_64_x32.h", "x86", read_table)
    assert text is not None
    assert defines(text) == {"__NR_x32_only": "6", "__NR_x32_syscalls": "7"}


def test_syscall_table_fills_the_gaps() -> None:
    assert syscalls.header("syscalls_64.h", "x86", read_table) == (
        "__SYSCALL(0, sys_read)\n__SYSCALL(1, sys_ni_syscall)\n__SYSCALL_WITH_COMPAT(2, sys_open, compat_sys_open)\n"
        "__SYSCALL(3, sys_ni_syscall)\n__SYSCALL(4, sys_ni_syscall)\n__SYSCALL_NORETURN(5, sys_exit)\n"
    )
    assert syscalls.header("other.h", "x86", read_table) is None


def test_syscalls_of_the_generic_table_and_its_extra_abis() -> None:
    texts = {
        "arch/arm64/kernel/Makefile.syscalls": (
            "syscall_abis_64 += rlimit\nsyscalltbl = arch/arm64/tools/syscall_%.tbl\n"
        ),
        "arch/arm64/tools/syscall_64.tbl": "1 common a sys_a\n2 rlimit b sys_b\n3 other c sys_c\n",
    }
    text = syscalls.header("unistd_64.h", "arm64", lambda path: texts.get(path, ""))
    assert text is not None
    assert defines(text) == {"__NR_a": "1", "__NR_b": "2", "__NR_syscalls": "3"}


def test_cpucaps_are_numbered() -> None:
    assert defines(arch_headers.cpucaps("# c\n\nBTI\nHAS_ARMv8_4\nnot a cap\n", "G")) == {
        "ARM64_BTI": "0",
        "ARM64_HAS_ARMv8_4": "1",
        "ARM64_NCAPS": "2",
    }


def test_hypercalls() -> None:
    text = "#define __HYPERVISOR_mmu_update 1\n#define __HYPERVISOR_set_trap   0\n#define __HYPERVISOR_ARCH 2\n"
    assert arch_headers.xen_hypercalls([text]) == "HYPERCALL(mmu_update)\nHYPERCALL(set_trap)\n"


def test_system_registers() -> None:
    text = (
        "SysregFields Common\nRes0 63:2\nField 1 ONE\nRes1 0\nEndSysregFields\n"
        "Sysreg REG_EL1 3 0 1 2 3\nUnsignedEnum 63:60 KIND\n0b0000 NI\n0b0001 IMP\nEndEnum\nUnkn 59:0\nEndSysreg\n"
        "Sysreg ALIAS 3 1 0 0 0\nFields Common\nEndSysreg\nBroken line\n"
    )
    found = defines(arch_headers.sysregs(text))
    assert found["SYS_REG_EL1"] == "sys_reg(3, 0, 1, 2, 3)"
    assert found["REG_REG_EL1"] == "S3_0_C1_C2_3"
    assert found["REG_EL1_KIND"] == "GENMASK(63, 60)"
    assert found["REG_EL1_KIND_WIDTH"] == "4"
    assert found["REG_EL1_KIND_IMP"] == "UL(0b0001)"
    assert found["REG_EL1_KIND_SIGNED"] == "false"
    assert found["REG_EL1_UNKN"] == "(UL(0) | GENMASK_ULL(59, 0))"
    assert found["Common_ONE_SHIFT"] == "1"
    assert found["Common_RES0"] == "(UL(0) | GENMASK_ULL(63, 2))"
    assert found["Common_RES1"] == "(UL(0) | GENMASK_ULL(0, 0))"
    assert "ALIAS_RES0" not in found
