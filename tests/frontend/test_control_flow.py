"""Statements become the right graph."""

from __future__ import annotations

import pytest
from frontend_source import Source, callees, expect, function

from gfpcheck.ir.types import Goto, Jump, Return, Stop, Switch

CALLS = "void a(void); void b(void); void c(void); void d(void); int g(int); int h(int);\n"

CASES = {
    "if_else": (
        "void f(int x) { if (x) a(); else b(); c(); }",
        """
        0:
          if x goto 1 else 2
        1:
          a()
          goto 3
        2:
          b()
          goto 3
        3:
          c()
          return
        """,
    ),
    "else_if": (
        "int f(int x) { if (x == 1) return 10; else if (x == 2) return 20; else return 30; }",
        """
        0:
          if x == 1 goto 1 else 2
        1:
          return 10
        2:
          if x == 2 goto 3 else 4
        3:
          return 20
        4:
          return 30
        """,
    ),
    "while": (
        "void f(int x) { while (g(x)) { if (x) continue; if (h(x)) break; a(); } b(); }",
        """
        0:
          goto 1
        1:
          %0 = g(x)
          if %0 goto 2 else 5
        2:
          if x goto 1 else 3
        3:
          %1 = h(x)
          if %1 goto 5 else 4
        4:
          a()
          goto 1
        5:
          b()
          return
        """,
    ),
    "do_while": (
        "void f(int x) { do { if (x) continue; a(); } while (g(x)); b(); }",
        """
        0:
          goto 1
        1:
          if x goto 3 else 2
        2:
          a()
          goto 3
        3:
          %0 = g(x)
          if %0 goto 1 else 4
        4:
          b()
          return
        """,
    ),
    "do_while_0": (
        "void f(int x) { do { a(); if (x) break; b(); } while (0); c(); }",
        """
        0:
          a()
          if x goto 2 else 1
        1:
          b()
          goto 2
        2:
          c()
          return
        """,
    ),
    "for": (
        "void f(int n) { for (int i = 0; i < n; i++) { if (g(i)) continue; a(); } }",
        """
        0:
          i = 0
          goto 1
        1:
          if i < n goto 2 else 5
        2:
          %0 = g(i)
          if %0 goto 4 else 3
        3:
          a()
          goto 4
        4:
          i = i + 1
          goto 1
        5:
          return
        """,
    ),
    "switch": (
        "void f(int x) { switch (x) { case 1: a(); case 2: case 3: b(); break; case 5 ... 9: c(); break;"
        " default: d(); } }",
        """
        0:
          switch x { 1: 1, 2: 2, 3: 2, 5..9: 3, default: 4 }
        1:
          a()
          goto 2
        2:
          b()
          goto 5
        3:
          c()
          goto 5
        4:
          d()
          goto 5
        5:
          return
        """,
    ),
    "switch_without_default": (
        "void f(int x) { switch (x) { case 1: a(); __attribute__((fallthrough)); case 2: b(); } c(); }",
        """
        0:
          switch x { 1: 1, 2: 2, default: 3 }
        1:
          a()
          goto 2
        2:
          b()
          goto 3
        3:
          c()
          return
        """,
    ),
    "switch_in_loop": (
        "void f(int x) { while (g(x)) switch (x) { case 1: continue; case 2: break; default: a(); } }",
        """
        0:
          goto 1
        1:
          %0 = g(x)
          if %0 goto 2 else 4
        2:
          switch x { 1: 1, 2: 1, default: 3 }
        3:
          a()
          goto 1
        4:
          return
        """,
    ),
    "case_inside_a_loop": (  # Duff's device
        "void f(int n) { switch (n) { case 0: do { a(); case 1: b(); } while (g(n)); } }",
        """
        0:
          switch n { 0: 2, 1: 1, default: 3 }
        1:
          b()
          %0 = g(n)
          if %0 goto 2 else 3
        2:
          a()
          goto 1
        3:
          return
        """,
    ),
    "goto": (
        "int f(int x) { if (g(x)) goto out; retry: a(); if (h(x)) goto retry; out: b(); return 1; }",
        """
        0:
          %0 = g(x)
          if %0 goto 2 else 1
        1:
          a()
          %1 = h(x)
          if %1 goto 1 else 2
        2:
          b()
          return 1
        """,
    ),
    "constant_condition": (
        "void f(int x) { if (0) a(); else b(); if (1) c(); while (0) d(); }",
        """
        0:
          b()
          c()
          return
        """,
    ),
    "goto_into_dead_code": (
        "void f(int x) { if (x) goto in; if (0) { a(); in: b(); } c(); }",
        """
        0:
          if x goto 1 else 2
        1:
          b()
          goto 2
        2:
          c()
          return
        """,
    ),
    "endless": (
        "void f(int x) { for (;;) { if (g(x)) return; a(); } b(); }",
        """
        0:
          goto 1
        1:
          %0 = g(x)
          if %0 goto 2 else 3
        2:
          return
        3:
          a()
          goto 1
        """,
    ),
    "empty_endless": (
        "void f(void) { a(); while (1) ; }",
        """
        0:
          a()
          goto 1
        1:
          goto 1
        """,
    ),
    "after_return": (
        "int f(void) { return 1; a(); }",
        """
        0:
          return 1
        """,
    ),
    "constant_switch": (
        "void f(long x) { switch (sizeof(x)) { case 4: a(); break; case 8: b(); break; default: c(); } }",
        """
        0:
          b()
          return
        """,
    ),
    "local_labels": (
        "void f(int x) { ({ __label__ out; if (g(x)) goto out; a(); out: b(); });"
        " ({ __label__ out; if (h(x)) goto out; c(); out: d(); }); }",
        """
        0:
          %0 = g(x)
          if %0 goto 2 else 1
        1:
          a()
          goto 2
        2:
          b()
          %1 = h(x)
          if %1 goto 4 else 3
        3:
          c()
          goto 4
        4:
          d()
          return
        """,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_graph(source: Source, case: str) -> None:
    text, expected = CASES[case]
    assert source.blocks(CALLS + text) == expect(expected)


@pytest.mark.parametrize(
    ("head", "shape"),
    [
        ("for (;;)", "endless"),
        ("for (i = 0;;)", "init endless"),
        ("for (; i < 9;)", "cond"),
        ("for (;; i++)", "step endless"),
        ("for (i = 0; i < 9;)", "init cond"),
        ("for (i = 0;; i++)", "init step endless"),
        ("for (; i < 9; i++)", "cond step"),
        ("for (i = 0; i < 9; i++)", "init cond step"),
        ("for ( /* i = 0; */ ; i < 9 // ;\n ; )", "cond"),
        ("#define EACH(i) for (; (i) < 9; (i)++)\n EACH(i)", "cond step"),
        ("#define UP(i) for (;; (i)++)\n#define UP2(i) UP(i)\n UP2(i)", "step endless"),
    ],
)
def test_for_clauses(source: Source, head: str, shape: str) -> None:
    """libclang leaves out the clauses that are not there, without saying which are."""
    text = source.blocks(f"void a(void); void f(int i) {{\n{head}\n {{ a(); }} }}")
    assert ("i = 0" in text) == ("init" in shape)
    assert ("if i < 9" in text) == ("cond" in shape)
    assert ("i = i + 1" in text) == ("step" in shape)
    assert ("return" not in text) == ("endless" in shape)


def test_computed_goto(source: Source) -> None:
    module = source.lower(
        CALLS + "void f(int x) { static void *to[] = { &&one, &&two }; goto *to[x]; one: a(); return; two: b(); }"
    )
    func = function(module)
    [term] = [block.term for block in func.blocks if isinstance(block.term, Goto)]
    assert len(term.targets) == 2
    assert callees(func) == ["a", "b"]


@pytest.mark.parametrize(
    "body",
    [
        'asm goto("nop" : : : : yes);',
        'asm volatile goto("nop" : : "r"(x) : "memory" : yes);',
        'GOTO("nop" : : : : yes);',
        "BRANCH(x, yes);",
    ],
)
def test_asm_goto(source: Source, body: str) -> None:
    """The labels of an asm goto are not in libclang's tree; both ways are possible."""
    head = """
    void a(void); void b(void);
    #define GOTO(x...) do { asm goto(x); asm (""); } while (0)
    #define BRANCH(x, label) asm goto("test" : : "r"(x) : : label)
    """
    module = source.lower(f"{head} int f(int x) {{ {body} a(); return 0; no: b(); return 2; yes: return 1; }}")
    func = function(module)
    [term] = [block.term for block in func.blocks if isinstance(block.term, Goto)]
    values = [block.term.value for block in func.blocks if isinstance(block.term, Return)]
    assert len(term.targets) == 2
    assert callees(func) == ["a"]  # `no` is not reached
    assert len(values) == 2


def test_asm_without_goto_ends_no_block(source: Source) -> None:
    text = source.blocks('void a(void); void f(int x) { asm volatile("cli" : "=r"(x)); a(); out: ; }')
    assert text == expect("""
        0:
          x = ?
          a()
          return
        """)


@pytest.mark.parametrize(
    ("declaration", "call"),
    [
        ("void die(void) __attribute__((noreturn));", "die()"),
        ("_Noreturn void die(void);", "die()"),
        ('void die(void) __attribute__((annotate("noreturn")));', "die()"),
        ("void named(void);", "named()"),
        ("", "__builtin_unreachable()"),
        ("", "__builtin_trap()"),
    ],
)
def test_noreturn(source: Source, declaration: str, call: str) -> None:
    module = source.lower(
        f"void a(void); {declaration} void f(int x) {{ if (x) {call}; else return; a(); }}",
        noreturn=frozenset({"named"}),
    )
    func = function(module)
    assert "a" not in callees(func)
    assert any(isinstance(block.term, Stop) for block in func.blocks)


def test_noreturn_is_in_the_prototype_and_is_no_annotation(source: Source) -> None:
    module = source.lower('void die(void) __attribute__((annotate("noreturn"))); void f(void) { die(); }')
    assert module.protos["die"].noreturn
    assert module.protos["die"].annotations == ()


def test_no_block_jumps_on_through_an_empty_one(source: Source) -> None:
    func = function(source.lower("void f(int x) { if (x) { while (x) { if (x > 1) ; else ; } } }"))
    empty = [number for number, block in enumerate(func.blocks) if not block.instrs and isinstance(block.term, Jump)]
    assert empty in ([], [0])  # the entry stays


def test_switch_value_is_evaluated_once(source: Source) -> None:
    func = function(source.lower("int g(int); void f(int x) { switch (g(x)) { case 1: return; } }"))
    assert callees(func) == ["g"]
    assert isinstance(func.blocks[0].term, Switch)
