"""A tiny kernel tree: just enough for make_plan to work on, and for libclang to parse."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FILES: dict[str, str] = {
    "Makefile": (
        "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 90\nEXTRAVERSION = -rc1\n"
        "KBUILD_CFLAGS := -std=gnu11 -funsigned-char\n"
    ),
    "Kconfig": 'source "arch/$(SRCARCH)/Kconfig"\nsource "mm/Kconfig"\nsource "fs/Kconfig"\n',
    "arch/x86/Kconfig": (
        "config X86_64\n\tdef_bool y\nconfig 64BIT\n\tdef_bool y\n"
        'config SMP\n\tbool\n\tprompt "SMP"\n'
        "config HZ\n\tint\n\tdefault 250\nconfig NR_CPUS\n\tint\n\tdefault 64 if SMP\n"
    ),
    "arch/x86/configs/x86_64_defconfig": "CONFIG_SMP=y\n# CONFIG_UNWANTED is not set\n",
    "arch/x86/include/asm/Kbuild": "generic-y += early.h\ngenerated-y += syscalls_64.h\n",
    "arch/x86/include/uapi/asm/Kbuild": "generated-y += unistd_64.h\n",
    "arch/x86/include/asm/own.h": "",
    "arch/x86/entry/syscalls/syscall_64.tbl": "0 common read sys_read\n2 64 open sys_open\n# end\n",
    "arch/x86/lib/delay.c": "int delay;\n",
    "arch/x86/Makefile": "libs-y += arch/x86/lib/\n",
    "arch/x86/Kbuild": "obj-y += kernel/\n",
    "arch/x86/kernel/Makefile": "obj-y += setup.o process_$(BITS).o\n",
    "arch/x86/kernel/setup.c": "int setup;\n",
    "arch/x86/kernel/process_64.c": "int process;\n",
    "arch/x86/kernel/process_32.c": "int process;\n",
    "arch/x86/boot/main.c": "int boot;\n",
    "arch/x86/boot/Makefile": "setup-y += main.o\n$(obj)/setup.elf: $(setup-y) FORCE\n\t$(call if_changed,ld)\n",
    "arch/x86/lib/Makefile": "lib-y := delay.o\n",
    "arch/arm64/kernel/setup.c": "int setup;\n",
    "arch/arm64/Kconfig": "config ARM64\n\tdef_bool y\nconfig HZ\n\tint\n\tdefault 100\n",
    "include/asm-generic/Kbuild": "mandatory-y += own.h\nmandatory-y += early.h\nmandatory-y += bug.h\n",
    "include/asm-generic/early.h": "#define EARLY 1\n",
    "include/asm-generic/bug.h": "#define BUG 1\n",
    "include/uapi/asm-generic/Kbuild": "mandatory-y += types.h\n",
    "include/linux/kconfig.h": "#include <generated/autoconf.h>\n",
    "include/linux/compiler-version.h": "",
    "include/linux/compiler_types.h": "#define __acquires(x)\n#define __cleanup(f) __attribute__((__cleanup__(f)))\n",
    "mm/Kconfig": 'config COMPACTION\n\tbool "Compaction"\n',
    "mm/Makefile": "mmu-y := nommu.o\nmmu-$(CONFIG_COMPACTION) := memory.o\nobj-y := slab.o $(mmu-y)\n",
    "mm/slab.c": "int slab;\n",
    "mm/memory.c": "int memory;\n",
    "mm/nommu.c": "int nommu;\n",
    "fs/Kconfig": (
        'menu "File systems"\nsource "fs/demo/Kconfig"\n'
        'config FS_DAX\n\tbool "DAX"\nconfig FS_HELPER\n\tbool\nendmenu\n'
    ),
    "fs/Makefile": "obj-y += super.o\nobj-$(CONFIG_DEMO_FS)\t+= demo/\n",
    "fs/super.c": "int super;\n",
    "fs/demo/Kconfig": (
        'config DEMO_FS\n\ttristate "demo"\n\tdepends on SMP\n\tselect FS_HELPER\n'
        'if DEMO_FS\nconfig DEMO_QUOTA\n\tbool "quota"\nconfig DEMO_DEBUG\n\tbool "debug"\n'
        'config DEMO_NAME\n\tstring "name"\n\tdefault "a \\"b\\""\nendif\n'
    ),
    "fs/demo/Makefile": (
        "ccflags-y += -I $(src) -I$(srctree)/$(src)/lib -DDEMO\n"
        "obj-$(CONFIG_DEMO_FS) += demo.o\n"
        "demo-y := inode.o \\\n\t$(addprefix lib/, \\\n\ttree.o)\n"
        "demo-$(CONFIG_DEMO_QUOTA) += quota.o\ndemo-$(CONFIG_DEMO_DEBUG) += debug.o\n"
        "CFLAGS_trace.o := -I$(src)/trace\n"
    ),
    "fs/demo/inode.c": (
        '#include <asm/early.h>\n#include <generated/timeconst.h>\n#include "demo.h"\n#include "part.c"\n'
        "int inode = EARLY + CONFIG_NR_CPUS + TREE;\n"
    ),
    "include/linux/param.h": "#define HZ CONFIG_HZ\n",
    "include/linux/types.h": "",
    "fs/demo/part.c": "",
    "fs/demo/demo.h": "#include <tree.h>\n",
    "fs/demo/lib/tree.h": "#define TREE 1\n",
    "fs/demo/lib/tree.c": "int tree;\n",
    "fs/demo/quota.c": "int quota;\n",
    "fs/demo/debug.c": "int debug;\n",
    "fs/demo/orphan.c": "int orphan;\n",
    "tools/perf/main.c": "int main(void) { return 0; }\n",
    "Documentation/example.c": "int example;\n",
}


def make_tree(root: Path, extra: Mapping[str, str] | None = None) -> Path:
    """Write the tree (with `extra` files added or replaced) below `root` and return `root`."""
    for name, text in {**FILES, **(extra or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def listing(root: Path) -> dict[str, tuple[int, int]]:
    """Everything below `root` with sizes and times, to prove that nothing was written."""
    return {
        str(path.relative_to(root)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
    }
