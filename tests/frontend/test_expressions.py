"""Expressions: side effects in order, short circuits as control flow, constants folded, casts dropped."""

from __future__ import annotations

import pytest
from frontend_source import Source, callees, calls, expect, function

from gfpcheck.ir import pretty
from gfpcheck.ir.types import Assign, Bin, Const, Expr, Field, Index, Return, Temp, Unknown, Var

HEAD = """
typedef unsigned int gfp_t;
struct inner { int z; };
struct ops { void *(*alloc)(int size, gfp_t flags); int (*get)(void); };
struct node {
	struct node *next; int x; unsigned char small; unsigned long flags; char name[8];
	struct inner in; const struct ops *ops;
	union { int u1; struct { int deep; }; }; struct { int b; } named;
};
typedef struct { int raw; } known_t;
struct holder { known_t k; };
int g(int); int h(int); void v(int); extern int global;
"""

VALUES = {
    "arrow": ("p->next->x", "p->next->x"),
    "dot": ("p->in.z", "p->in.z"),
    "deref_dot": ("(*p).x", "p->x"),
    "address_arrow": ("(&p->in)->z", "p->in.z"),
    "anonymous": ("p->deep", "p->deep"),
    "index": ("p->name[i]", "p->name[i]"),
    "pointer_arithmetic": ("*(q + i)", "*(q + i)"),
    "address_of_deref": ("*&i", "i"),
    "call_arrow": ("((struct node *)q)->x", "q->x"),
    "minus": ("-i", "-i"),
    "plus": ("+i", "i"),
    "not": ("!i", "!i"),
    "complement": ("~i", "~i"),
    "precedence": ("i + 2 * (i - 1)", "i + (2 * (i - 1))"),
    "shift": ("i << 3 >> 1", "(i << 3) >> 1"),
    "bits": ("i & 4 | i ^ 1", "(i & 4) | (i ^ 1)"),
    "signed_less": ("i < 3", "i < 3"),
    "unsigned_less": ("u < 3", "u <u 3"),
    "mixed_is_unsigned": ("i >= u", "i >=u u"),
    "pointer_order": ("q > q2", "q >u q2"),
    "equality_has_no_sign": ("u == 3", "u == 3"),
    "small_promotes_to_signed": ("p->small < 3", "p->small < 3"),
    "cast_dropped": ("(long)i", "i"),
    "cast_narrows": ("(unsigned char)i", "i & 255"),
    "cast_narrows_long": ("(unsigned int)p->flags", "p->flags & 4294967295"),
    "cast_keeps_width": ("(unsigned int)i", "i"),
    "pointer_cast": ("(char *)p", "p"),
    "folded": ("(1 << 4) | 3", "19"),
    "folded_negative": ("-5", "-5"),
    "folded_unsigned": ("~0UL", "18446744073709551615"),
    "folded_part": ("i | (1 << 4)", "i | 16"),
    "enum": ("ENUM_B", "7"),
    "character": ("'a'", "97"),
    "string": ('"text"', '"text"'),
    "sizeof_type": ("sizeof(struct node)", "sizeof(struct node)"),
    "sizeof_object": ("sizeof(*p)", "sizeof(struct node)"),
    "sizeof_pointer": ("sizeof(struct node *)", "8"),
    "sizeof_is_cast": ("(int)sizeof(struct inner)", "sizeof(struct inner)"),
    "sizeof_product": ("i * sizeof(struct inner)", "i * sizeof(struct inner)"),
    "alignof": ("_Alignof(long)", "8"),
    "offsetof": ("__builtin_offsetof(struct node, x)", "offsetof(struct node, x)"),
    "offsetof_typeof": ("__builtin_offsetof(typeof(*p), in.z)", "offsetof(struct node, in.z)"),
    "expect": ("__builtin_expect(i, 1)", "i"),
    "expect_twice": ("__builtin_expect(!!(i), 0)", "!(!i)"),
    "constant_p": ("__builtin_constant_p(3)", "0"),
    "choose": ("__builtin_choose_expr(sizeof(long) == 8, i, u)", "i"),
    "choose_other": ("__builtin_choose_expr(0, i, u)", "u"),
    "generic": ("_Generic(i, int: p, default: 5L)->x", "p->x"),
    "types_compatible": ("__builtin_types_compatible_p(typeof(g(1)), int)", "1"),
    "float": ("1.5", "?"),
    "extension": ("__extension__ i", "i"),
    "global": ("global", "global"),
    "function": ("&g", "g"),
    "constant_object": ("limit", "9"),
    "read_once": ("*(const volatile typeof(i) *)&(i)", "i"),
    "va_arg": ("__builtin_va_arg(ap, int)", "?"),
    "compound_literal": ("(struct inner){ 3 }", "?"),
    "function_name": ("__func__", '"f"'),
}


@pytest.mark.parametrize("case", VALUES)
def test_value(source: Source, case: str) -> None:
    text, expected = VALUES[case]
    body = f"__auto_type value = ({text});" if case != "compound_literal" else f"g(({text}).z);"
    module = source.lower(
        HEAD
        + "enum e { ENUM_A = 6, ENUM_B }; static const int limit = 9;\n"
        + "void f(struct node *p, int i, unsigned int u, char *q, char *q2, __builtin_va_list ap) {\n"
        + body
        + "}"
    )
    assert module.errors == []
    instrs = [instr for block in function(module).blocks for instr in block.instrs]
    if case == "compound_literal":
        assert [instr.args for instr in calls(function(module))] == [(Field(Unknown(), "struct inner", "z"),)]
    else:
        assert [pretty.expr(instr.src) for instr in instrs if isinstance(instr, Assign)] == [expected]


BODIES = {
    "and": (
        "return g(i) && h(i);",
        """
        0:
          %1 = g(i)
          if %1 goto 1 else 3
        1:
          %2 = h(i)
          if %2 goto 2 else 3
        2:
          %0 = 1
          goto 4
        3:
          %0 = 0
          goto 4
        4:
          return %0
        """,
    ),
    "or_branches_without_temporary": (
        "if (g(i) || (h(i) && i)) v(1);",
        """
        0:
          %0 = g(i)
          if %0 goto 3 else 1
        1:
          %1 = h(i)
          if %1 goto 2 else 4
        2:
          if i goto 3 else 4
        3:
          v(1)
          goto 4
        4:
          return
        """,
    ),
    "not_swaps_the_arms": (
        "if (!(i && u)) v(1); else v(2);",
        """
        0:
          if i goto 1 else 3
        1:
          if u goto 2 else 3
        2:
          v(2)
          goto 4
        3:
          v(1)
          goto 4
        4:
          return
        """,
    ),
    "likely": (
        "if (__builtin_expect(!!(i > 1), 1)) v(1);",
        """
        0:
          if i > 1 goto 1 else 2
        1:
          v(1)
          goto 2
        2:
          return
        """,
    ),
    "conditional": (
        "return i ? g(1) : 5;",
        """
        0:
          if i goto 1 else 2
        1:
          %1 = g(1)
          %0 = %1
          goto 3
        2:
          %0 = 5
          goto 3
        3:
          return %0
        """,
    ),
    "conditional_as_a_condition": (
        "if (i ? g(1) : u) v(1);",
        """
        0:
          if i goto 1 else 2
        1:
          %0 = g(1)
          if %0 goto 3 else 4
        2:
          if u goto 3 else 4
        3:
          v(1)
          goto 4
        4:
          return
        """,
    ),
    "conditional_of_a_constant": (
        "return sizeof(long) == 8 ? g(1) : h(1);",
        """
        0:
          %0 = g(1)
          return %0
        """,
    ),
    "conditional_for_effect": (
        "i ? v(1) : v(2);",
        """
        0:
          if i goto 1 else 2
        1:
          v(1)
          goto 3
        2:
          v(2)
          goto 3
        3:
          return
        """,
    ),
    "and_for_effect": (
        "i && g(2);",
        """
        0:
          if i goto 1 else 2
        1:
          %0 = g(2)
          goto 2
        2:
          return
        """,
    ),
    "elvis": (
        "return g(i) ?: h(i);",
        """
        0:
          %0 = g(i)
          %1 = %0
          if %1 goto 2 else 1
        1:
          %2 = h(i)
          %1 = %2
          goto 2
        2:
          return %1
        """,
    ),
    "comma": (
        "return g(1), i = 2, h(i);",
        """
        0:
          %0 = g(1)
          i = 2
          %1 = h(i)
          return %1
        """,
    ),
    "post_increment_used": (
        "return i++;",
        """
        0:
          %0 = i
          i = i + 1
          return %0
        """,
    ),
    "pre_decrement_used": (
        "return --p->x;",
        """
        0:
          p->x = p->x - 1
          return p->x
        """,
    ),
    "increment_for_effect": (
        "i++; ++i;",
        """
        0:
          i = i + 1
          i = i + 1
          return
        """,
    ),
    "compound_assignment": (
        "p->flags |= 4; i <<= u; p->flags &= ~4;",
        """
        0:
          p->flags = p->flags | 4
          i = i << u
          p->flags = p->flags & 18446744073709551611
          return
        """,
    ),
    "assignment_in_condition": (
        "while ((i = g(i)) != 0) v(i);",
        """
        0:
          goto 1
        1:
          %0 = g(i)
          i = %0
          if i != 0 goto 2 else 3
        2:
          v(i)
          goto 1
        3:
          return
        """,
    ),
    "chained_assignment": (
        "i = u = g(1);",
        """
        0:
          %0 = g(1)
          u = %0
          i = u
          return
        """,
    ),
    "struct_copy": (
        "struct node n = *p; *p = n;",
        """
        0:
          n = *p
          *p = n
          return
        """,
    ),
    "statement_expression": (
        "return ({ int t = g(i); t + 1; });",
        """
        0:
          %0 = g(i)
          t = %0
          return t + 1
        """,
    ),
    "statement_expression_that_returns": (
        "i = ({ if (u) return 3; g(1); }); v(i); return 0;",
        """
        0:
          if u goto 1 else 2
        1:
          return 3
        2:
          %0 = g(1)
          i = %0
          v(i)
          return 0
        """,
    ),
    "statement_expression_that_jumps": (
        "while (i) { i = ({ if (u) break; if (i > 3) continue; if (i > 2) goto out; h(1); }); v(1); } out: v(2);",
        """
        0:
          goto 1
        1:
          if i goto 2 else 6
        2:
          if u goto 6 else 3
        3:
          if i > 3 goto 1 else 4
        4:
          if i > 2 goto 6 else 5
        5:
          %0 = h(1)
          i = %0
          v(1)
          goto 1
        6:
          v(2)
          return
        """,
    ),
    "statement_expression_ends_in_a_label": (
        "return ({ if (i) goto out; v(1); out: u; });",
        """
        0:
          if i goto 2 else 1
        1:
          v(1)
          goto 2
        2:
          return u
        """,
    ),
    "shadowing": (
        "int t = 1; { int t = 2; v(t); } { int t = 3; v(t); } v(t);",
        """
        0:
          t = 1
          t@2 = 2
          v(t@2)
          t@3 = 3
          v(t@3)
          v(t)
          return
        """,
    ),
    "builtin_overflow": (
        "if (__builtin_add_overflow(i, g(1), &i)) v(1);",
        """
        0:
          %0 = g(1)
          i = ?
          if ? goto 1 else 2
        1:
          v(1)
          goto 2
        2:
          return
        """,
    ),
    "constant_keeps_the_effects_of_its_operands": (
        "if (g(1) && 0) v(1); return (h(2), 5);",
        """
        0:
          %0 = g(1)
          %1 = h(2)
          return 5
        """,
    ),
    "array_of_function_results": (
        "i = p->name[g(1)];",
        """
        0:
          %0 = g(1)
          i = p->name[%0]
          return
        """,
    ),
    "void_function_returned": (
        "return (void)g(1);",
        """
        0:
          %0 = g(1)
          return
        """,
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_body(source: Source, case: str) -> None:
    body, expected = BODIES[case]
    result = "void" if case == "void_function_returned" else "int"
    text = f"{HEAD} {result} f(struct node *p, int i, unsigned int u) {{ {body} }}"
    assert source.blocks(text) == expect(expected)


def test_field_records(source: Source) -> None:
    """The record is the nearest named one; anonymous steps are left out; a typedef's name stands for its struct."""
    module = source.lower(
        HEAD + "void f(struct node *p, struct holder *o) { v(p->deep); v(p->u1); v(p->named.b); v(o->k.raw); }"
    )
    args = [call.args[0] for call in calls(function(module))]
    assert [(arg.record, arg.member) for arg in args if isinstance(arg, Field)] == [
        ("struct node", "deep"),
        ("struct node", "u1"),
        ("struct node", "b"),
        ("known_t", "raw"),
    ]
    assert module.members == {
        "struct node.deep": "int",
        "struct node.u1": "int",
        "struct node.b": "int",
        "struct node.named": module.members["struct node.named"],
        "struct holder.k": "known_t",
        "known_t.raw": "int",
    }


def test_indirect_calls_find_gfp_by_type(source: Source) -> None:
    module = source.lower(
        HEAD
        + "typedef void *(*alloc_t)(gfp_t, int);\n"
        + "void *f(struct node *p, alloc_t fn, gfp_t gfp) { fn(gfp, 1); (*fn)(gfp, 1); (*p->ops->alloc)(4, gfp);"
        + " p->ops->get(); return p->ops->alloc(4, gfp); }"
    )
    assert [(pretty.expr(call.callee), call.gfp) for call in calls(function(module))] == [
        ("fn", 0),
        ("fn", 0),
        ("p->ops->alloc", 1),
        ("p->ops->get", -1),
        ("p->ops->alloc", 1),
    ]


def test_void_calls_have_no_result(source: Source) -> None:
    module = source.lower(HEAD + "void f(void (*fn)(void), int (*fn2)(void)) { v(1); g(1); fn(); fn2(); }")
    assert [call.dst >= 0 for call in calls(function(module))] == [False, True, False, True]


def test_static_local_is_global(source: Source) -> None:
    func = function(
        module := source.lower(HEAD + "void f(void) { static int count = 1; extern int far; count = far; }")
    )
    [assign] = func.blocks[0].instrs
    assert assign == Assign(Var("f.count", "g"), Var("far", "g"), assign.loc)
    assert set(module.globals) == {"f.count", "far", "global"}
    assert func.types == {}


def test_types_of_what_the_body_names(source: Source) -> None:
    func = function(
        source.lower(HEAD + "void f(gfp_t gfp, int unused) { struct node *p = 0; int idle; g(p->x | gfp); }")
    )
    assert func.types == {"gfp": "gfp_t", "unused": "int", "p": "struct node *"}


def test_typeof_is_seen_through(source: Source) -> None:
    func = function(
        source.lower(HEAD + "void f(struct node *p) { typeof(p->next) n = p; __auto_type m = n; v(m->x); }")
    )
    assert func.types == {"p": "struct node *", "n": "struct node *", "m": "struct node *"}


def test_long_sum_is_cut_with_temporaries(source: Source) -> None:
    """Readers of the IR recurse over expressions."""
    text = "int f(int a) { return " + " + ".join(["a"] * 5000) + "; }"
    func = function(source.lower(text))
    assert sum(isinstance(instr, Assign) for instr in func.blocks[0].instrs) >= 5000 // 100
    term = func.blocks[-1].term
    assert isinstance(term, Return)
    assert _depth(term.value) < 100


def _depth(expr: Expr | None) -> int:
    if isinstance(expr, Bin):
        return 1 + max(_depth(expr.left), _depth(expr.right))
    return 1 + _depth(expr.base) if isinstance(expr, (Field, Index)) else 1


def test_asm_operands(source: Source) -> None:
    func = function(source.lower('int g(int); void f(int i, int j) { asm("x" : "+r"(i) : "r"(j), "r"(g(1))); }'))
    assert [pretty.instr(instr) for instr in func.blocks[0].instrs] == ["i = ?", "%0 = g(1)"]


def test_same_temp_number_is_never_reused(source: Source) -> None:
    func = function(source.lower("int g(int); int f(int i) { return g(g(1) + g(2)) ?: (i ? g(3) : g(4)); }"))
    numbers = [call.dst for call in calls(func)]
    assert len(set(numbers)) == len(numbers)
    temps = {
        instr.dst.id
        for block in func.blocks
        for instr in block.instrs
        if isinstance(instr, Assign) and isinstance(instr.dst, Temp)
    }
    assert not temps & set(numbers)


def test_unsigned_constant_keeps_its_bits(source: Source) -> None:
    func = function(source.lower("void v(unsigned long); void w(long); void f(void) { v(-1); w(-1); }"))
    assert [call.args for call in calls(func)] == [(Const(0xFFFFFFFFFFFFFFFF),), (Const(-1),)]


def test_either_of_two_functions_is_called_by_its_name(source: Source) -> None:
    """`(w ? up_write : up_read)(&lock)`, as code writes it that takes a lock in one of two modes."""
    text = "int f1(int *); int f2(int *); void v1(int); void v2(int); "
    func = function(source.lower(text + "int f(int w, int *p) { (w ? v1 : (v2))(w); return (w > 1 ? f1 : f2)(p); }"))
    assert callees(func) == ["v1", "v2", "f1", "f2"]
    assert [pretty.expr(argument) for call in calls(func) for argument in call.args] == ["w", "w", "p", "p"]


def test_what_is_no_function_by_name_is_called_as_a_pointer(source: Source) -> None:
    text = "int f1(int *); "
    func = function(source.lower(text + "int f(int w, int *p, int (*g)(int *)) { return (w ? f1 : g)(p); }"))
    assert len(calls(func)) == 1
