"""Precompiled headers: chosen and ordered well, and without any effect on the IR."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from frontend_source import Source

from gfpcheck.frontend import lower_file, pch, worker
from gfpcheck.frontend.directives import IncludeSearch, macros_that_matter, read_directives
from gfpcheck.ir.types import Module
from gfpcheck.ir.units import Linker, Piece, Pool, Translation
from gfpcheck.kbuild.types import Unit

HEADERS = {
    "include/types.h": "#ifndef T_H\n#define T_H\ntypedef unsigned int gfp_t;\n#endif\n",
    "include/slab.h": (
        "#ifndef S_H\n#define S_H\n#include <types.h>\n"
        "void *alloc(unsigned long n, gfp_t flags);\n"
        "static inline void *zalloc(unsigned long n, gfp_t flags) { return alloc(n, flags | 0x100); }\n#endif\n"
    ),
    # does not stand alone: needs slab.h before it
    "fs/needy.h": "#ifndef N_H\n#define N_H\nstatic inline void *needy(gfp_t g) { return zalloc(8, g); }\n#endif\n",
    "include/guard.h": (
        "#ifndef G_H\n#define G_H\n"
        "struct m { int x; }; void lock(struct m *); void unlock(struct m *);\n"
        "typedef struct m *class_m_t;\n"
        "static inline void class_m_destructor(class_m_t *p) { if (*p) unlock(*p); }\n"
        "static inline class_m_t class_m_constructor(struct m *p) { lock(p); return p; }\n"
        "#define __cleanup(f) __attribute__((cleanup(f)))\n"
        "#define guard(n) class_##n##_t v __cleanup(class_##n##_destructor) = class_##n##_constructor\n#endif\n"
    ),
    "include/trace.h": (
        "#ifndef TR_H\n#define TR_H\n#ifdef CREATE_TRACE_POINTS\nvoid trace(void) { }\n#else\n"
        "void trace(void);\n#endif\n#endif\n"
    ),
    "include/printk.h": (
        "#ifndef P_H\n#define P_H\nvoid printk(const char *, ...);\n"
        "#ifndef pr_fmt\n#define pr_fmt(fmt) fmt\n#endif\n"
        "#define pr_info(fmt, ...) printk(pr_fmt(fmt), ##__VA_ARGS__)\n#endif\n"
    ),
}
COMMON = '#include <types.h>\n#include <slab.h>\n#include "needy.h"\n#include <guard.h>\n#include <printk.h>\n'
FILES = {
    "fs/a.c": COMMON + "void *a(struct m *m) { guard(m)(m); return needy(1); }\n",
    "fs/b.c": "#define pr_fmt(fmt) \"b: \" fmt\n" + COMMON + "void b(void) { pr_info(\"hello\"); zalloc(3, 4); }\n",
    "fs/c.c": COMMON + "#include <trace.h>\nvoid c(void) { trace(); }\n",
    "fs/d.c": COMMON + "#define CREATE_TRACE_POINTS\n#include <trace.h>\nvoid d(void) { trace(); }\n",
    "fs/e.c": "#include <slab.h>\nvoid *e(void) { return zalloc(1, 2); }\nstatic int needy(int x) { return x; }\n"
    "int e2(void) { return needy(3); }\n",
    "fs/f.c": COMMON + "#include <nowhere.h>\nvoid f(void) { alloc(1, 2); }\n",
}  # fmt: skip
ARGS = ("-std=gnu11", "-Iinclude")


def units(source: Source, names: Sequence[str] = tuple(FILES)) -> list[Unit]:
    for name, text in HEADERS.items():
        source.unit(name, text)
    return [source.unit(name, FILES[name], ARGS) for name in names]


def names(header: pch.Precompiled, root: Path) -> list[str]:
    return [os.path.relpath(path, root) for path in header.headers]


def lowered(group: pch.GroupHeader | None, found: Sequence[Unit], root: Path) -> list[Module]:
    """As worker processes lower them, each file for itself."""
    settings = worker.Settings(str(root), frozenset(), frozenset())
    worker._shared.clear()
    modules: list[Module] = []
    for unit in found:
        share = None if group is None else group.share(unit.rel)
        headers = {}
        if group is not None:
            headers[group.header.path] = worker.Header(group.header.digest, tuple(group.header.files), ())
        result = worker.lower(worker.Lower(((unit, share),), headers, settings))
        pool = Pool()
        for digest, pieces in result.shared.items():
            pool.add(digest, msgspec.msgpack.decode(pieces, type=dict[str, Piece]))
        worker._shared.clear()  # as if it were another process
        module, complete = Linker(pool).module(msgspec.msgpack.decode(result.units[0], type=Translation))
        assert complete
        modules.append(module)
    return modules


def without_includes(module: Module) -> bytes:
    return msgspec.msgpack.encode(msgspec.structs.replace(module, includes=[]), order="deterministic")


def test_ir_is_the_same_with_and_without(source: Source, tmp_path: Path) -> None:
    found = units(source)
    group = pch.prepare(found, tmp_path / "pch", str(source.root))
    assert group is not None
    plain = [lower_file(unit, str(source.root), frozenset(), frozenset()) for unit in found]
    with_header = lowered(group, found, source.root)
    for one, other in zip(plain, with_header, strict=True):
        assert without_includes(one) == without_includes(other)
        assert one.includes == other.includes
    assert [func.name for func in with_header[0].headers] == [
        "needy",
        "class_m_constructor",
        "class_m_destructor",
        "zalloc",
    ]


def test_a_file_includes_what_it_names(source: Source, tmp_path: Path) -> None:
    """Not all that is precompiled; and what only a macro names may be included by anyone."""
    source.unit("include/inner.h", "int inner;\n")
    source.unit("include/named.h", "#define INNER <inner.h>\n#include INNER\nint named;\n")
    source.unit("include/force.h", "int force;\n")
    source.unit("fs/own.h", "#include <types.h>\n")
    for name, text in HEADERS.items():
        source.unit(name, text)
    texts = {
        "fs/a.c": "#include <named.h>\n#include <slab.h>\n",
        "fs/b.c": "#include <named.h>\n#include <slab.h>\n",
        "fs/c.c": '#include "own.h"\n',
    }
    found = [source.unit(name, text, (*ARGS, "-include", "include/force.h")) for name, text in texts.items()]
    group = pch.prepare(found, tmp_path / "pch", str(source.root))
    assert group is not None
    assert names(group.header, source.root) == ["include/named.h", "include/slab.h"]
    a, b, c = lowered(group, found, source.root)
    common = ["include/force.h", "include/inner.h"]
    assert a.includes == ["fs/a.c", *common, "include/named.h", "include/slab.h", "include/types.h"]
    assert b.includes == ["fs/b.c", *a.includes[1:]]
    assert c.includes == ["fs/c.c", "fs/own.h", *common, "include/types.h"]


def test_order_and_choice(source: Source, tmp_path: Path) -> None:
    group = pch.prepare(units(source), tmp_path / "pch", str(source.root))
    assert group is not None
    chosen = names(group.header, source.root)
    assert chosen.index("include/slab.h") < chosen.index("fs/needy.h")
    assert "include/trace.h" in chosen
    assert group.plain == {"fs/d.c"}


def test_headers_that_do_not_compile_are_left_out(source: Source, tmp_path: Path) -> None:
    """needy.h comes first in these files, and so finds no gfp_t."""
    for name, text in HEADERS.items():
        source.unit(name, text)
    found = [
        source.unit(f"fs/{n}.c", f'typedef unsigned gfp_t;\n#include "needy.h"\n#include <slab.h>\nint {n};\n', ARGS)
        for n in "xyz"
    ]
    group = pch.prepare(found, tmp_path / "pch", str(source.root))
    assert group is not None
    assert names(group.header, source.root) == ["include/slab.h"]


def test_made_once(source: Source, tmp_path: Path) -> None:
    found = units(source)
    source.settle()
    folder = tmp_path / "pch"
    first = pch.prepare(found, folder, str(source.root))
    assert first is not None
    stamp = Path(first.header.path).stat().st_mtime_ns
    assert pch.prepare(found, folder, str(source.root)) == first
    one = pch.prepare(found[:1], folder, str(source.root))  # one file touched: the others' header serves
    assert one is not None
    assert one.header == first.header
    assert Path(first.header.path).stat().st_mtime_ns == stamp
    other = [msgspec.structs.replace(unit, args=(*unit.args, "-DX=1")) for unit in found]
    changed = pch.prepare(other, folder, str(source.root))
    assert changed is not None
    assert changed.header.path != first.header.path


def test_changed_header_makes_a_new_one(source: Source, tmp_path: Path) -> None:
    found = units(source)
    source.settle()
    folder = tmp_path / "pch"
    assert pch.prepare(found, folder, str(source.root))
    assert list(folder.glob("*.json"))
    source.unit("include/slab.h", HEADERS["include/slab.h"].replace("0x100", "0x200"))
    again = pch.prepare(found, folder, str(source.root))
    assert again is not None
    [module] = lowered(again, found[1:2], source.root)
    assert "512" in str(module.headers)
    assert len(list(folder.glob("*.pch"))) == 1


TRACE = "#ifndef TE_H\n#define TE_H\n#define INODE(x) cast(x)\nint cast(int);\n#endif\n"
OWN = "static inline int INODE(int x) { return x; }\n"


@pytest.mark.parametrize(("users", "others", "size"), [(9, 1, 4000), (2, 8, 0)])
def test_macros_of_headers_that_a_file_does_not_include(
    source: Source, tmp_path: Path, users: int, others: int, size: int
) -> None:
    """As EXT4_I(): an inline function, and a macro of the same name in a trace header. If few files would suffer
    they are parsed plainly; if many, the header is left out."""
    source.unit("include/base.h", "#pragma once\nint base(int);\n" + "\n" * 10_000)
    source.unit("include/trace.h", TRACE + "\n" * size)
    found = [
        source.unit(
            f"u{n}.c", f"#include <base.h>\n#include <trace.h>\nint u{n}(void) {{ return INODE({n}); }}\n", ARGS
        )
        for n in range(users)
    ]
    found += [
        source.unit(f"v{n}.c", f"#include <base.h>\n{OWN}int v{n}(void) {{ return INODE({n}); }}\n", ARGS)
        for n in range(others)
    ]
    group = pch.prepare(found, tmp_path / "pch", str(source.root))
    assert group is not None
    assert ("include/trace.h" in names(group.header, source.root)) == (users > others)
    assert group.plain == ({"v0.c"} if users > others else set())
    for unit, module in zip(found, lowered(group, found, source.root), strict=True):
        plain = lower_file(unit, str(source.root), frozenset(), frozenset())
        assert without_includes(plain) == without_includes(module)
        assert module.errors == []


def test_one_file_alone_makes_none(source: Source, tmp_path: Path) -> None:
    assert pch.prepare(units(source, ["fs/a.c"]), tmp_path / "pch", str(source.root)) is None


def test_old_ones_are_removed(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pch, "_KEEP", 2)
    found = units(source, ["fs/a.c", "fs/b.c"])
    source.settle()
    folder = tmp_path / "pch"
    for number in range(4):
        variant = [msgspec.structs.replace(unit, args=(*unit.args, f"-DX={number}")) for unit in found]
        group = pch.prepare(variant, folder, str(source.root))
        assert group is not None
        assert Path(group.header.path).exists()
    assert sorted(path.suffix for path in folder.iterdir()) == sorted([".h", ".json", ".pch"] * 2)


def test_folder_that_cannot_be_written(source: Source, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert pch.prepare(units(source), tmp_path / "file" / "pch", str(source.root)) is None


def test_record_that_is_damaged(source: Source, tmp_path: Path) -> None:
    found = units(source)
    source.settle()
    folder = tmp_path / "pch"
    first = pch.prepare(found, folder, str(source.root))
    [record] = folder.glob("*.json")
    record.write_bytes(b"{")
    assert pch.prepare(found, folder, str(source.root)) == first


def test_headers_that_may_have_changed_meanwhile(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read and what is there now may differ: used now, but not kept."""
    found = units(source)
    monkeypatch.setattr(pch, "is_settled", lambda *_: False)
    assert pch.prepare(found, tmp_path / "pch", str(source.root)) is not None
    assert list((tmp_path / "pch").glob("*.json")) == []


def test_header_that_vanished(source: Source, tmp_path: Path) -> None:
    """Another run may have removed it: the file is parsed without."""
    found = units(source, ["fs/a.c", "fs/b.c"])
    group = pch.prepare(found, tmp_path / "pch", str(source.root))
    assert group is not None
    Path(group.header.path).unlink()
    modules = lowered(group, found, source.root)
    assert [module.errors for module in modules] == [[], []]
    assert modules[0].functions


def test_forced_includes_are_not_repeated(source: Source, tmp_path: Path) -> None:
    once = "#ifdef ONCE\n#error twice\n#endif\n#define ONCE\n"
    forced = source.unit("force.h", once)
    args = (*ARGS, "-include", forced.path)
    found = [msgspec.structs.replace(unit, args=args) for unit in units(source, ["fs/a.c", "fs/b.c"])]
    group = pch.prepare(found, tmp_path / "pch", str(source.root))
    assert group is not None
    assert "-include" not in pch.with_header(args, group.header.path)
    assert all(module.errors == [] for module in lowered(group, found, source.root))


def test_the_next_header_of_a_name(tmp_path: Path) -> None:
    for folder in ("wrappers", "first", "second"):
        (tmp_path / folder).mkdir()
    for folder in ("wrappers", "second"):
        (tmp_path / folder / "a.h").touch()
    search = IncludeSearch(("-I", f"{tmp_path}/wrappers", "-Ifirst", "-Isecond"), str(tmp_path))
    assert search.after("a.h", f"{tmp_path}/wrappers/a.h") == f"{tmp_path}/second/a.h"
    assert search.after("a.h", f"{tmp_path}/second/a.h") == ""
    assert search.after("a.h", f"{tmp_path}/elsewhere/a.h") == ""


def test_directives() -> None:
    found = read_directives(
        b'#define EARLY 1\n # include <linux/fs.h> /* x */\n#ifdef A\n#include "a.h"\n#define B\n#endif\n'
        b'#include "b.h"\n#undef EARLY\n#include MACRO\n#define LATE\n#if 0\n#include_next <c.h>\n#endif\n'
    )
    assert found.following == ("c.h",)
    assert found.always == (("linux/fs.h", False), ("b.h", True))
    assert found.includes == (("linux/fs.h", False), ("a.h", True), ("b.h", True))
    assert found.early == (b"EARLY", b"B", b"LATE")
    assert found.defines == (b"EARLY", b"B", b"EARLY", b"LATE")


@pytest.mark.parametrize(
    ("header", "matters"),
    [
        (b"#ifdef X\nint y;\n#endif\n", True),
        (b"#if defined(X) && X > 1\n#endif\n", True),
        (b"int y = X;\n", True),
        (b"#define X 3\n", True),
        (b"int XY, aX;\n", False),
        (b"#ifndef X\n#define X 3\n#endif\n", False),
        (b"#define Y(a) X(a)\n", False),
        (b"#define Y(a) \\\n\tfirst(a); \\\n\tX(a)\n", False),
        (b"#ifndef X\nint y;\n#endif\n", True),
        (b"#define Y \\\n 1\nint z = X;\n", True),
        (b'/* X is\n * X(a) */\nint y; // X\nchar *s = "X";\n', False),
        (b"/* the default */\n#ifndef X\n/* of */\n#define X 1\n#endif\n", False),
        (b"#define Y /* X */ 1\nint z = Y;\n", False),
        (b"/* unclosed X", False),
    ],
)
def test_macros_that_matter(header: bytes, matters: bool) -> None:
    assert macros_that_matter([b"X"], [header]) == ({b"X"} if matters else set())
