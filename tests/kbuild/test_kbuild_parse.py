"""What libclang makes of the arguments: gfpcheck's own headers, and real kernel trees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import clang.cindex as ci
import msgspec
import pytest

from gfpcheck.kbuild import Unit, make_plan, open_workspace

OPTIONS = 0x200 | ci.TranslationUnit.PARSE_INCOMPLETE
"""0x200 is CXTranslationUnit_KeepGoing: errors in a header do not end the parse."""


def parse(unit: Unit, text: str | None = None) -> ci.TranslationUnit:
    files = [(unit.path, text)] if text is not None else None
    return ci.Index.create().parse(unit.path, args=list(unit.args), unsaved_files=files, options=OPTIONS)


def errors(unit: ci.TranslationUnit) -> list[str]:
    return [f"{d.location.file}:{d.location.line}: {d.spelling}" for d in unit.diagnostics if d.severity >= 3]


def noted(unit: ci.TranslationUnit) -> set[tuple[str, str]]:
    """(name of what is annotated, text) in the main file."""

    def walk(cursor: ci.Cursor, name: str) -> Iterator[tuple[str, str]]:
        for child in cursor.get_children():
            if child.kind == ci.CursorKind.ANNOTATE_ATTR:
                yield name, child.spelling
            yield from walk(child, child.spelling or name)

    tops = unit.cursor.get_children()
    return {
        found
        for top in tops
        if top.location.file is not None and top.location.file.name == unit.spelling
        for found in walk(top, top.spelling)
    }


def test_the_tiny_tree_parses(tree: Path, cache: Path) -> None:
    for unit in make_plan([tree], cache_dir=cache).units:
        assert errors(parse(unit)) == []


def test_a_kernel_that_traces_functions(tree: Path, cache: Path) -> None:
    """Its headers want to know how they are called, which only the top Makefile says."""
    unit = make_plan([tree / "fs/super.c"], cache_dir=cache).units[0]
    text = """
#if defined(CONFIG_FUNCTION_TRACER) != defined(CC_USING_FENTRY)
#error
#endif
"""
    given = ["-DCONFIG_FUNCTION_TRACER", "-DCONFIG_HAVE_FENTRY"]
    for more in ([], given, [*given, "-DCC_USING_FENTRY"]):
        changed = msgspec.structs.replace(unit, args=(*more, *unit.args))
        assert errors(parse(changed, text)) == []


def test_annotations_reach_the_parser(tree: Path, cache: Path) -> None:
    (unit,) = make_plan([tree / "fs/super.c"], cache_dir=cache).units
    text = (
        "#define CLASS_NAME(n) class_##n##_destructor\n"
        "void a(void) __acquires(&s->lock) __releases(rcu);\n"
        "int b(void) __must_hold(x) { return 0; }\n"
        "int c(void) __cond_acquires(true, l) __acquires_shared(l);\n"
        "static void class_mutex_destructor(int *p) { }\n"
        "void d(void) { int v __cleanup(CLASS_NAME(mutex)); }\n"
        "void e(void) __noreturn;\n"
    )
    parsed = parse(unit, text)
    assert errors(parsed) == []
    assert noted(parsed) == {
        ("a", "acquires:&s->lock"),
        ("a", "releases:rcu"),
        ("b", "must_hold:x"),
        ("c", "cond_acquires:true, l"),
        ("c", "acquires_shared:l"),
        ("v", "cleanup:class_mutex_destructor"),
        ("e", "noreturn"),
    }


def test_configuration_for_gcc_is_adapted(tree: Path, cache: Path) -> None:
    (tree / ".config").write_text("CONFIG_X86_64=y\nCONFIG_TRACEPOINTS=y\nCONFIG_CC_HAS_COUNTED_BY=y\n")
    (unit,) = make_plan([tree / "fs/super.c"], cache_dir=cache).units
    text = "#if defined(CONFIG_TRACEPOINTS) || defined(CONFIG_CC_HAS_COUNTED_BY)\n#error left\n#endif\n"
    assert errors(parse(unit, text)) == []


def test_plain_c_finds_system_and_compiler_headers(tmp_path: Path, cache: Path) -> None:
    headers = re.findall(
        r"\w+", "stddef stdarg stdbool stdint limits float iso646 stdalign stdnoreturn stdio stdlib string errno"
    )
    body = (
        "size_t n = sizeof(max_align_t); bool b = true; int i = INT_MAX; uint64_t u = UINT64_MAX; float f = FLT_MAX;\n"
    )
    (tmp_path / "a.c").write_text("".join(f"#include <{name}.h>\n" for name in headers) + body)
    (unit,) = make_plan([tmp_path / "a.c"], cache_dir=cache).units
    assert errors(parse(unit)) == []


def test_compiler_headers_without_a_c_library(tmp_path: Path, cache: Path) -> None:
    text = (
        "#include <stdint.h>\n#include <limits.h>\nuint8_t a = UINT8_MAX; long b = LONG_MAX; intptr_t c = CHAR_BIT;\n"
    )
    (tmp_path / "a.c").write_text(text)
    (unit,) = make_plan([tmp_path / "a.c"], cache_dir=cache).units
    bare = Unit(unit.path, unit.rel, (*unit.args, "-ffreestanding", "-nostdlibinc"), unit.cwd)
    assert errors(parse(bare)) == []


def lost_functions(unit: Unit, parsed: ci.TranslationUnit) -> list[str]:
    """Functions that the text defines in plain kernel style and that the parser does not have."""
    text = Path(unit.path).read_text("utf-8", "replace")
    written = set(re.findall(r"^(?:static )?(?:int|void|bool|long)\s+(\w+)\([^;{}()]*\)\n\{", text, re.MULTILINE))
    seen = {cursor.spelling for cursor in parsed.cursor.get_children() if cursor.kind == ci.CursorKind.FUNCTION_DECL}
    disabled = re.findall(r"^#\s*(?:if|ifdef|ifndef|else|elif)\b", text, re.MULTILINE)
    return [] if disabled else sorted(written - seen)


def sample(units: Sequence[Unit], count: int) -> list[Unit]:
    """`count` units spread evenly."""
    return list(units[:: max(1, -(-len(units) // count))])


TREES = ("linux-source-6.12", "linux-source-6.1")


@pytest.mark.kernel
@pytest.mark.parametrize("arch", ["x86", "arm64"])
@pytest.mark.parametrize("version", TREES)
def test_no_errors_in_xfs(kernels: Path, tmp_path: Path, version: str, arch: str) -> None:
    plan = make_plan([kernels / version / "fs/xfs"], arch=arch, cache_dir=tmp_path)
    assert plan.setup.endswith(f"{arch}, unconfigured tree: generated headers supplied by gfpcheck")
    assert plan.skipped == ()
    assert len(plan.units) > 100
    assert len({unit.args for unit in plan.units}) == 1
    for unit in sample(plan.units, 8):
        parsed = parse(unit)
        assert errors(parsed) == []
        assert lost_functions(unit, parsed) == []


@pytest.mark.kernel
@pytest.mark.parametrize("folder", ["fs/ext4", "fs/btrfs", "fs/jbd2", "mm", "block", "net/core", "drivers/md"])
@pytest.mark.parametrize("version", TREES)
def test_no_errors_elsewhere(kernels: Path, tmp_path: Path, version: str, folder: str) -> None:
    plan = make_plan([kernels / version / folder], cache_dir=tmp_path)
    for unit in sample(plan.units, 4):
        parsed = parse(unit)
        assert errors(parsed) == []
        assert lost_functions(unit, parsed) == []


@pytest.mark.kernel
@pytest.mark.parametrize("version", TREES)
def test_options_that_select_code_are_on(kernels: Path, tmp_path: Path, version: str) -> None:
    (unit,) = make_plan([kernels / version / "fs/xfs/xfs_log.c"], cache_dir=tmp_path).units
    on = re.findall(
        r"\w+", "XFS_QUOTA XFS_RT XFS_ONLINE_SCRUB SMP PREEMPT_COUNT MEMCG NUMA COMPACTION SWAP LRU_GEN CC_IS_CLANG"
    )
    off = re.findall(r"\w+", "TRACEPOINTS PREEMPT_RT LOCKDEP DEBUG_LOCK_ALLOC DEBUG_SPINLOCK KASAN XFS_DEBUG SLUB_TINY")
    lines = [f"#ifndef CONFIG_{name}\n#error {name} is off\n#endif\n" for name in on]
    lines += [f"#ifdef CONFIG_{name}\n#error {name} is on\n#endif\n" for name in off]
    assert errors(parse(unit, "".join(lines))) == []


@pytest.mark.kernel
def test_the_kernels_guards_name_their_destructors(kernels: Path, tmp_path: Path) -> None:
    workspace = open_workspace([kernels / TREES[0] / "fs/jbd2"], cache_dir=tmp_path)
    unit = workspace.unit("mm/util.c")
    assert unit is not None
    text = (
        "#include <linux/mutex.h>\n#include <linux/slab.h>\n"
        "void f(struct mutex *m) { guard(mutex)(m); void *p __free(kfree) = NULL; scoped_guard(rcu) { p = m; } }\n"
    )
    parsed = parse(unit, text)
    assert errors(parsed) == []
    found = {text for _, text in noted(parsed)}
    assert found == {"cleanup:class_mutex_destructor", "cleanup:__free_kfree", "cleanup:class_rcu_destructor"}
