"""Bad and extreme input: no crash, and what was lost is said."""

from __future__ import annotations

import ctypes

import pytest
from frontend_source import Source, callees, function

from gfpcheck.frontend import FrontendError, libclang
from gfpcheck.frontend.functions import Lowering
from gfpcheck.frontend.libclang import libclang_version
from gfpcheck.ir.types import Assign


def test_syntax_error_in_one_function(source: Source) -> None:
    module = source.lower(
        "void a(void);\nvoid before(void) { a(); }\nvoid bad(void) { a(1 2); }\nvoid after(void) { a(); }\n"
    )
    assert [error.line for error in module.errors] == [3]
    assert module.errors[0].file == "a.c"
    assert callees(function(module, "before")) == callees(function(module, "after")) == ["a"]


def test_missing_header(source: Source) -> None:
    module = source.lower('#include "none.h"\n#include <none2.h>\nvoid a(void);\nvoid f(void) { a(); }\n')
    assert [(error.file, error.line) for error in module.errors] == [("a.c", 1), ("a.c", 2)]
    assert "none.h" in module.errors[0].message
    assert callees(function(module)) == ["a"]


def test_error_in_a_header_names_the_header(source: Source) -> None:
    source.unit("sub/bad.h", "int x;\nint 3y;\n")
    module = source.lower('#include "sub/bad.h"\nvoid f(void) { }\n')
    assert [(error.file, error.line) for error in module.errors] == [("sub/bad.h", 2)]


def test_undeclared_names(source: Source) -> None:
    module = source.lower("void a(int);\nvoid f(void) { a(nothing); undeclared(1); missing->x = 2; a(3); }\n")
    assert module.errors
    assert "a" in callees(function(module))


@pytest.mark.parametrize(
    "body",
    [
        "case 1: a();",
        "break;",
        "continue;",
        "goto nowhere;",
        "return 1 +;",
        "for (;;",
        "switch (x) { case y: a(); }",
        "if (x",
        "({ });",
        "x ? : 3;",
        "struct nope n; n.x = 1;",
        "p->",
        "int y = { .z = 1 };",
        'asm goto ("" : : : : none);',
        "&&none;",
        "goto *3;",
        "_Generic(x, long: 1);",
        "__builtin_choose_expr(x, 1, 2);",
        "__builtin_offsetof(struct nope, x);",
        "a(1, 2, 3);",
        "sizeof(struct nope);",
    ],
)
def test_broken_bodies(source: Source, body: str) -> None:
    module = source.lower(f"void a(void);\nvoid f(int x) {{ {body} }}\nvoid g(void) {{ a(); }}\n")
    names = [func.name for func in module.functions]
    assert "f" in names or "f" in module.lost or module.errors
    if body not in ("for (;;", "if (x"):
        assert callees(function(module, "g")) == ["a"]


@pytest.mark.parametrize("op", ["&&", "||"])
def test_conditions_of_things_of_unknown_types(source: Source, op: str) -> None:
    """clang leaves nothing of the operands, as if they were constants, and cannot say what they are."""
    head = "static unknown_t *one, *two;\nvoid a(void);\nvoid b(void);\n"
    module = source.lower(f"{head}void f(void) {{ if ((one == (void *)0) {op} (two == (void *)0)) a(); b(); }}\n")
    assert module.errors
    assert module.lost == []
    assert callees(function(module)) == ["a", "b"]


def test_a_function_that_cannot_be_lowered_is_lost_alone(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    lower = Lowering._lower

    def fails(lowering: Lowering, name: str, cursor: libclang.CXCursor) -> object:
        if name == "f":
            raise ctypes.ArgumentError("argument 1: RecursionError: ???")
        return lower(lowering, name, cursor)

    monkeypatch.setattr(Lowering, "_lower", fails)
    module = source.lower("void a(void);\nvoid f(void) { a(); }\nvoid g(void) { a(); }\n")
    assert module.lost == ["f"]
    assert callees(function(module, "g")) == ["a"]


def test_bytes_that_are_not_utf8(source: Source) -> None:
    module = source.lower(
        b"/* J\xf6rg */ void a(const char *, int);\nvoid f(void) { a(\"\xff\xfe\", '\xe9'); } // \xe9\n"
    )
    assert callees(function(module)) == ["a"]


def test_nul_byte(source: Source) -> None:
    module = source.lower(b"void a(void);\0\nvoid f(void) { a(); }\n")
    assert callees(function(module)) == ["a"]


def test_empty_file(source: Source) -> None:
    module = source.lower("")
    assert (module.functions, module.errors, module.includes) == ([], [], ["a.c"])


def test_deep_parentheses(source: Source) -> None:
    depth = 250  # clang's own limit is 256
    module = source.lower(f"int f(int x) {{ return {'(' * depth}x{')' * depth}; }}")
    assert module.errors == []
    assert len(function(module).blocks) == 1
    too_deep = source.lower(f"int f(int x) {{ return {'(' * 5000}x{')' * 5000}; }}")
    assert too_deep.errors


def test_long_else_if_chain(source: Source) -> None:
    chain = " else ".join(f"if (x == {number}) a();" for number in range(2000))
    module = source.lower(f"void a(void); void f(int x) {{ {chain} }}")
    assert module.lost == []
    assert len(callees(function(module))) == 2000


def test_long_conditional_chain(source: Source) -> None:
    chain = "".join(f"x == {number} ? {number} : " for number in range(500))
    module = source.lower(f"int f(int x) {{ return {chain} 0; }}")
    assert module.lost == []


def test_long_case_list(source: Source) -> None:
    cases = " ".join(f"case {number}:" for number in range(3000))
    module = source.lower(f"void a(void); void f(int x) {{ switch (x) {{ {cases} a(); }} }}")
    assert module.lost == []
    assert callees(function(module)) == ["a"]


def test_long_function(source: Source) -> None:
    body = "\n".join(f"if (x > {number}) x = g(x + {number});" for number in range(10_000))
    module = source.lower(f"int g(int); void f(int x) {{\n{body}\n}}")
    assert module.lost == []
    func = function(module)
    assert len(callees(func)) == 10_000
    assert func.end_line == 10_001


def test_deep_nesting_is_lost_and_said(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("gfpcheck.frontend.stmt.Body.condition", fail)
    module = source.lower("void a(void); void f(int x) { if (x) a(); } void g(void) { a(); }")
    assert module.lost == ["f"]
    assert [func.name for func in module.functions] == ["g"]


def test_long_chain_of_unary_operators(source: Source) -> None:
    module = source.lower(f"int f(int x) {{ return {'~ ' * 1000}x; }}")
    assert module.errors == []
    [func] = module.functions
    assert any(isinstance(instr, Assign) for block in func.blocks for instr in block.instrs)


def test_library_that_does_not_load(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    libclang.load.cache_clear()
    monkeypatch.setenv(libclang.ENVIRONMENT, "/nonexistent/libclang.so")
    try:
        with pytest.raises(FrontendError, match=r"/nonexistent/libclang\.so"):
            libclang_version()
        monkeypatch.setenv(libclang.ENVIRONMENT, "libc.so.6")
        with pytest.raises(FrontendError, match=r"libc\.so\.6 has no clang_"):
            libclang_version()
    finally:
        libclang.load.cache_clear()


def test_version() -> None:
    assert "clang version" in libclang_version()
