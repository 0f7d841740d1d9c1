"""Initialisers: functions stored in static objects, members of local ones."""

from __future__ import annotations

import pytest
from frontend_source import Source, expect, function

from gfpcheck.ir import pretty
from gfpcheck.ir.types import GlobalVar

HEAD = """
typedef int (*fn_t)(int);
struct ops { int id; fn_t open, close; };
struct outer { const char *name; struct ops ops; fn_t last; };
struct list { struct ops *o; union { fn_t in_union; int i; }; struct { fn_t deep; }; fn_t many[3]; };
int a(int); int b(int); int c(int); void *other(void);
"""

STORES = {
    "designated": ("struct ops o = { .close = a, .open = b };", "ops.close=a, ops.open=b"),
    "positional": ("struct ops o = { 1, a, b };", "ops.open=a, ops.close=b"),
    "mixed": ("struct ops o = { .open = a, b };", "ops.open=a, ops.close=b"),
    "cast": ("struct ops o = { .open = (fn_t)other };", "ops.open=other"),
    "address": ("struct ops o = { .open = (fn_t)(void *)&a };", "ops.open=a"),
    "nested": ("struct outer o = { .ops = { .open = a }, .last = b };", "ops.open=a, outer.last=b"),
    "nested_path": ("struct outer o = { .ops.close = a };", "ops.close=a"),
    "nested_positional": ('struct outer o = { "x", { 1, a }, b };', "ops.open=a, outer.last=b"),
    "elided_braces": ('struct outer o = { "x", 1, a, b, c };', "ops.open=a, ops.close=b, outer.last=c"),
    "array": ("struct ops o[] = { { 1, a }, { .close = b } };", "ops.open=a, ops.close=b"),
    "array_designators": ("struct ops o[9] = { [3] = { .open = a }, [5].close = b };", "ops.open=a, ops.close=b"),
    "array_range": ("struct ops o[9] = { [0 ... 3] = { .open = a } };", "ops.open=a"),
    "array_elided": ("struct ops o[] = { 1, a, b, 2, c, a };", "ops.open=a, ops.close=b, ops.open=c, ops.close=a"),
    "anonymous": ("struct list o = { .in_union = a, .deep = b };", "list.in_union=a, list.deep=b"),
    "anonymous_positional": (
        "struct list o = { 0, { a }, { b }, { c } };",
        "list.in_union=a, list.deep=b, list.many=c",
    ),
    "array_member": ("struct list o = { .many = { a, [2] = b } };", "list.many=a, list.many=b"),
    "pointer": ("fn_t o = a;", "o=a"),
    "pointer_array": ("static fn_t o[] = { a, 0, b };", "o=a, o=b"),
    "static_local": ("void f(void) { static struct ops o = { .open = a }; }", "ops.open=a"),
    "compound_literal": (
        "struct list o = { .o = &(struct ops){ .open = a, .close = b } };",
        "ops.open=a, ops.close=b",
    ),
    "array_of_numbers": ("unsigned long o[] = { 1, 2, 3 };", ""),
    "number": ("int o = 3;", ""),
}


@pytest.mark.parametrize("case", STORES)
def test_stores(source: Source, case: str) -> None:
    text, expected = STORES[case]
    module = source.lower(HEAD + text)
    assert module.errors == []
    stores = [(store.record.removeprefix("struct ") + "." + store.member, store.function) for store in module.stores]
    assert ", ".join(f"{place.lstrip('.')}={function}" for place, function in stores) == expected
    owner = "f.o" if case == "static_local" else "o"
    assert {store.owner for store in module.stores} <= {owner}


def test_store_through_a_macro_has_the_place_of_the_object(source: Source) -> None:
    module = source.lower(HEAD + "#define OPS(name, fn) \\\n struct ops name = { \\\n .open = fn }\n\nOPS(first, a);\n")
    [store] = module.stores
    assert (store.owner, store.line) == ("first", HEAD.count("\n") + 5)


LOCALS = {
    "designated": (
        "struct ops o = { .open = a, .id = n };",
        """
        0:
          o.open = a
          o.id = n
          return
        """,
    ),
    "positional": (
        "struct ops o = { 7, a };",
        """
        0:
          o.id = 7
          o.open = a
          return
        """,
    ),
    "nested": (
        'struct outer o = { "x", { .open = a }, .last = b };',
        """
        0:
          o.name = "x"
          o.ops.open = a
          o.last = b
          return
        """,
    ),
    "array": (
        "int v[3] = { 1, [2] = n };",
        """
        0:
          v[0] = 1
          v[2] = n
          return
        """,
    ),
    "calls_happen": (
        "struct ops o = { .id = a(1) };",
        """
        0:
          %0 = a(1)
          o.id = %0
          return
        """,
    ),
    "scalar_in_braces": (
        "int v = { n };",
        """
        0:
          v = n
          return
        """,
    ),
    "compound_literal": (
        "struct ops o; o = (struct ops){ .open = a };",
        """
        0:
          o.open = a
          return
        """,
    ),
    "through_a_pointer": (
        "struct ops *p; *p = (struct ops){ .open = a };",
        """
        0:
          p->open = a
          return
        """,
    ),
    "string_in_an_array": (
        'char v[] = "abc";',
        """
        0:
          v = "abc"
          return
        """,
    ),
    "empty": (
        "struct ops o = {};",
        """
        0:
          return
        """,
    ),
}


@pytest.mark.parametrize("case", LOCALS)
def test_locals(source: Source, case: str) -> None:
    body, expected = LOCALS[case]
    assert source.blocks(f"{HEAD} void f(int n) {{ {body} }}") == expect(expected)


def test_globals(source: Source) -> None:
    source.unit("g.h", "extern int far; extern int unused;\n")
    module = source.lower('#include "g.h"\nstatic long near;\nint both = 1;\nvoid f(void) { near = far; }\n')
    assert module.globals == {
        "near": GlobalVar("near", "long", "a.c", 2, True),
        "both": GlobalVar("both", "int", "a.c", 3, False),
        "far": GlobalVar("far", "int", "g.h", 1, False),
    }


def test_a_function_named_but_not_called(source: Source) -> None:
    """A header function whose address is taken may be called by somebody."""
    source.unit("inline.h", "static inline int cb(int x) { return x; }\nstatic inline int idle(int x) { return x; }\n")
    module = source.lower('#include "inline.h"\nint reg(int (*)(int)); void f(void) { reg(cb); }')
    assert [func.name for func in module.headers] == ["cb"]
    assert pretty.func(function(module, "cb")) == "static inline int cb(int x)\n0:\n  return x"
