"""Places: the line and column that the person wrote, and the macro they wrote there."""

from __future__ import annotations

import msgspec
import pytest
from frontend_source import Source, calls, function, written

from gfpcheck.ir import pretty
from gfpcheck.ir.types import OWN, Assign, Branch, Func, Return


def call_places(func: Func) -> list[tuple[int, int]]:
    return [written(func, call.loc) for call in calls(func)]


def test_columns_count_bytes_from_one(source: Source) -> None:
    module = source.lower('void s(const char *, int); int a(void);\nvoid f(void)\n{\n\ts("é€", a());\n}\n')
    func = function(module)
    assert {pretty.expr(call.callee): written(func, call.loc) for call in calls(func)} == {"s": (4, 2), "a": (4, 13)}


def test_crlf_and_continued_lines(source: Source) -> None:
    module = source.lower(b"void a(void);\r\nvoid b(void);\r\nvoid f(void) {\r\n  a();\\\r\n  b();\r\n}\r\n")
    assert call_places(function(module)) == [(4, 3), (5, 3)]


def test_function_place(source: Source) -> None:
    func = function(source.lower("\nstatic int\nf(int x)\n{\n\treturn x;\n}\n"))
    assert (func.file, written(func, OWN), func.end_line) == ("a.c", (3, 1), 3)
    assert (func.static, func.inline) == (True, False)


def test_lines_above_change_nothing_but_the_function_s_line(source: Source) -> None:
    text = "int f(int x)\n{\n\tint y = 1;\n\n\twhile (x > 2)\n\t\ty += x--;\n\treturn y;\n}\n"
    first, second = function(source.lower(text)), function(source.lower(f"\n/* more\n * of it */\n{text}"))
    assert (first.line, second.line) == (1, 4)
    assert msgspec.structs.replace(second, line=1) == first


def test_lines_in_a_function_change_its_positions_alone(source: Source) -> None:
    head = "int a(int); int b(int); int f(int x)\n{\n"
    text = "\tint y = a(x);\n\n\twhile (y > 2)\n\t\ty -= b(y);\n\treturn y;\n}\n"
    first = function(source.lower(head + text))
    second = function(source.lower(f"{head}\t/* more\n\t   of it */\n{text}"))
    assert second != first
    assert msgspec.structs.replace(second, end_line=first.end_line, places=first.places) == first


def test_a_call_more_changes_no_other_place(source: Source) -> None:
    head = "int a(int); int b(int); int f(int x)\n{\n"
    text = "\ta(x); b(x); return a(1);\n}\n"
    first = calls(function(source.lower(head + text)))
    second = calls(function(source.lower(f"{head}\tif (x)\n\t\tb(2);\n{text}".replace("b(2)", "c(2)"))))
    assert [call.loc for call in second[1:]] == [call.loc for call in first]


def test_statement_places(source: Source) -> None:
    func = function(source.lower("int f(int x)\n{\n\tint y = 1;\n\tif (x > 2)\n\t\ty += x;\n\treturn y;\n}\n"))
    assigns = [instr.loc for block in func.blocks for instr in block.instrs if isinstance(instr, Assign)]
    assert [written(func, loc) for loc in assigns] == [(3, 6), (5, 3)]
    ends = [block.term.loc for block in func.blocks if isinstance(block.term, (Branch, Return))]
    assert [written(func, loc) for loc in ends] == [(4, 6), (6, 2)]


MACROS = """
void real(int); void other(int); int test(int);
#define wrap(x) real(x)
#define wrap2(x) do { wrap(x); } while (0)
#define both(x) do { real(x); other(x); } while (0)
#define CHECK(c) do { if (c) other(1); } while (0)
#define pass(args...) args
struct o { void (*fn)(int); };
#define CALL(p, x) (p)->fn(x)
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("real(1);", [("real", 2, "")]),
        ("wrap(1);", [("real", 2, "wrap")]),
        ("wrap2(1);", [("real", 2, "wrap2")]),
        ("both(1);", [("real", 2, "both"), ("other", 2, "both")]),
        # the argument of a macro is where it was written
        ("CHECK(test(3));", [("test", 8, ""), ("other", 2, "CHECK")]),
        ("pass(real(1));", [("real", 7, "")]),
        ("pass(pass(wrap(2)));", [("real", 12, "wrap")]),
        ("p->fn(1);", [("p->fn", 2, "")]),
        ("pass(p->fn(1));", [("p->fn", 7, "")]),
        ("CALL(p, 1);", [("p->fn", 2, "CALL")]),
    ],
)
def test_macros(source: Source, body: str, expected: list[tuple[str, int, str]]) -> None:
    module = source.lower(f"{MACROS}void f(struct o *p)\n{{\n\t{body}\n}}\n")
    line = MACROS.count("\n") + 3
    func = function(module)
    assert [(pretty.expr(call.callee), written(func, call.loc), call.macro) for call in calls(func)] == [
        (name, (line, column), macro) for name, column, macro in expected
    ]


def test_function_defined_by_a_macro(source: Source) -> None:
    module = source.lower("void a(void);\n#define DEFINE(name) void name(void) { a(); }\n\nDEFINE(f)\n")
    func = function(module)
    assert written(func, OWN) == (4, 8)
    assert [(written(func, call.loc), call.macro) for call in calls(func)] == [((4, 1), "DEFINE")]


def test_included_fragment_gets_the_function_s_own_place(source: Source) -> None:
    source.unit("body.h", "\n\n\na();\n")
    module = source.lower('void a(void); void b(void);\nvoid f(void) {\n#include "body.h"\nb();\n}\n')
    assert call_places(function(module)) == [(2, 6), (4, 1)]


def test_function_of_an_included_c_file_belongs_to_that_file(source: Source) -> None:
    source.unit("part.c", "void a(void);\nvoid helper(void) { a(); }\nvoid unused(void) { a(); }\n")
    module = source.lower('#include "part.c"\nvoid f(void) { helper(); }\n')
    assert [func.name for func in module.functions] == ["f"]
    [helper] = module.headers
    assert (helper.file, helper.name, written(helper, OWN)) == ("part.c", "helper", (2, 6))


def test_paths_are_relative_to_the_root(source: Source) -> None:
    source.unit("include/deep/x.h", '#include "../y.h"\nstatic inline int x(void) { return y(); }\n')
    source.unit("include/y.h", "static inline int y(void) { return 1; }\n")
    module = source.lower(
        "#include <deep/x.h>\nint f(void) { return x(); }\n", name="sub/a.c", args=("-std=gnu11", "-Iinclude")
    )
    assert module.file == "sub/a.c"
    assert module.includes == ["include/deep/x.h", "include/y.h", "sub/a.c"]
    assert [func.file for func in module.headers] == ["include/deep/x.h", "include/y.h"]
    assert (module.protos["y"].file, module.protos["y"].line) == ("include/y.h", 1)


def test_location_independent_of_where_it_runs(source: Source, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing in the IR of a file names the folder that the tree lies in."""
    text = "#include <stdio_like.h>\nstruct { int x; } anon; int f(void) { return anon.x + twice(3); }\n"
    other = Source(tmp_path_factory.mktemp("elsewhere"))
    modules = []
    for place in (source, other):
        place.unit("include/stdio_like.h", "static inline int twice(int x) { return 2 * x; }\n")
        modules.append(place.lower(text, args=("-std=gnu11", "-Iinclude")))
    assert modules[0] == modules[1]
