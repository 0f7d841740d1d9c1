"""Variables with the cleanup attribute: their function runs wherever their scope is left."""

from __future__ import annotations

import pytest
from frontend_source import Source, calls, expect, function, written

from gfpcheck.ir import pretty
from gfpcheck.ir.types import Addr, Var

HEAD = """
void put(int *p); void put2(int *p); int get(void); void a(void); void b(void); int g(int);
#define AUTO __attribute__((cleanup(put)))
#define AUTO2 __attribute__((cleanup(put2)))
"""

BODIES = {
    "end_of_scope": (
        "{ int x AUTO = get(); a(); } b();",
        """
        0:
          %0 = get()
          x = %0
          a()
          put(&x)  [cleanup]
          b()
          return
        """,
    ),
    "end_of_function": (
        "int x AUTO = get(); a();",
        """
        0:
          %0 = get()
          x = %0
          a()
          put(&x)  [cleanup]
          return
        """,
    ),
    "reverse_order": (
        "int x AUTO = 1; int y AUTO2 = 2; a();",
        """
        0:
          x = 1
          y = 2
          a()
          put2(&y)  [cleanup]
          put(&x)  [cleanup]
          return
        """,
    ),
    "value_is_computed_first": (
        "int x AUTO = get(); return x + 1;",
        """
        0:
          %0 = get()
          x = %0
          %1 = x + 1
          put(&x)  [cleanup]
          return %1
        """,
    ),
    "return_of_call": (
        "int x AUTO = 1; return get();",
        """
        0:
          x = 1
          %0 = get()
          put(&x)  [cleanup]
          return %0
        """,
    ),
    "return_before_declaration": (
        "if (i) return 0; int x AUTO = 1; return 1;",
        """
        0:
          if i goto 1 else 2
        1:
          return 0
        2:
          x = 1
          put(&x)  [cleanup]
          return 1
        """,
    ),
    "break_and_continue": (
        "while (g(i)) { int x AUTO = 1; if (i) break; if (i > 1) continue; a(); }",
        """
        0:
          goto 1
        1:
          %0 = g(i)
          if %0 goto 2 else 7
        2:
          x = 1
          if i goto 3 else 4
        3:
          put(&x)  [cleanup]
          goto 7
        4:
          if i > 1 goto 5 else 6
        5:
          put(&x)  [cleanup]
          goto 1
        6:
          a()
          put(&x)  [cleanup]
          goto 1
        7:
          return
        """,
    ),
    "goto_out": (
        "{ int x AUTO = 1; { int y AUTO2 = 2; if (i) goto out; } a(); } out: b();",
        """
        0:
          x = 1
          y = 2
          if i goto 1 else 2
        1:
          put2(&y)  [cleanup]
          put(&x)  [cleanup]
          goto 3
        2:
          put2(&y)  [cleanup]
          a()
          put(&x)  [cleanup]
          goto 3
        3:
          b()
          return
        """,
    ),
    "goto_inside_the_scope": (
        "int x AUTO = 1; if (i) goto out; a(); out: b();",
        """
        0:
          x = 1
          if i goto 2 else 1
        1:
          a()
          goto 2
        2:
          b()
          put(&x)  [cleanup]
          return
        """,
    ),
    "goto_back_before_the_declaration": (
        "again: a(); int x AUTO = get(); if (x) goto again; b();",
        """
        0:
          goto 1
        1:
          a()
          %0 = get()
          x = %0
          if x goto 2 else 3
        2:
          put(&x)  [cleanup]
          goto 1
        3:
          b()
          put(&x)  [cleanup]
          return
        """,
    ),
    "switch": (
        "switch (i) { case 1: { int x AUTO = 1; a(); break; } case 2: b(); }",
        """
        0:
          switch i { 1: 1, 2: 2, default: 3 }
        1:
          x = 1
          a()
          put(&x)  [cleanup]
          goto 3
        2:
          b()
          goto 3
        3:
          return
        """,
    ),
    "variable_of_a_for": (
        "for (int x AUTO = 1, *done = 0; !done; done = (void *)1) { if (i) return 5; a(); } b(); return 0;",
        """
        0:
          x = 1
          done = 0
          goto 1
        1:
          if done goto 2 else 3
        2:
          put(&x)  [cleanup]
          b()
          return 0
        3:
          if i goto 4 else 5
        4:
          put(&x)  [cleanup]
          return 5
        5:
          a()
          done = 1
          goto 1
        """,
    ),
    "statement_expression": (
        "i = ({ int x AUTO = get(); x; }); b();",
        """
        0:
          %0 = get()
          x = %0
          %1 = x
          put(&x)  [cleanup]
          i = %1
          b()
          return
        """,
    ),
    "no_initialiser": (
        "int x AUTO; a();",
        """
        0:
          a()
          put(&x)  [cleanup]
          return
        """,
    ),
    "unreachable_end": (
        "{ int x AUTO = 1; return 3; }",
        """
        0:
          x = 1
          put(&x)  [cleanup]
          return 3
        """,
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_scope_exit(source: Source, case: str) -> None:
    body, expected = BODIES[case]
    assert source.blocks(f"{HEAD} int f(int i) {{ {body} }}") == expect(expected)


@pytest.mark.parametrize(
    ("declaration", "called"),
    [
        ("int x __attribute__((cleanup(put))) = 1;", "put"),
        ("int x __attribute__((__cleanup__(put))) = 1;", "put"),
        ("__attribute__((unused, cleanup ( put ))) int x = 1;", "put"),
        # gfpcheck's redefinition of the kernel's __cleanup() adds an annotation
        ('int x __attribute__((cleanup(put), annotate("cleanup:put2"))) = 1;', "put2"),
        ("int x NOTED(put);", "put"),
        ("class_it_t x __attribute__((unused, cleanup(class_it_destructor))) = 1;", "class_it_destructor"),
        # the macro's parameter is all the text there is: the type tells
        ("class_it_t x CLEAN(class_it_destructor);", "class_it_destructor"),
        ("int x __attribute__((unused)) = 1;", ""),
    ],
)
def test_name_of_the_function(source: Source, declaration: str, called: str) -> None:
    head = HEAD + (
        "typedef int class_it_t; void class_it_destructor(class_it_t *p);\n"
        "#define CLEAN(fn) __attribute__((cleanup(fn)))\n"
        '#define NOTED(fn) __attribute__((cleanup(fn), annotate("cleanup:" #fn)))\n'
    )
    module = source.lower(f"{head} void f(void) {{ {declaration} a(); }}")
    cleanups = [call for call in calls(function(module)) if call.cleanup]
    assert [(pretty.expr(call.callee), call.args) for call in cleanups] == (
        [(called, (Addr(Var("x", "l")),))] if called else []
    )
    assert (called in module.protos) == bool(called)


def test_place_is_where_the_scope_is_left(source: Source) -> None:
    module = source.lower(HEAD + "int f(int i)\n{\n\tint x AUTO = 1;\n\tif (i)\n\t\treturn 2;\n\ta();\n}\n")
    first = HEAD.count("\n") + 1
    func = function(module)
    assert [written(func, c.loc) for c in calls(func) if c.cleanup] == [(first + 4, 3), (first + 6, 1)]
