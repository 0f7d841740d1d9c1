"""Which functions are called in an atomic context, by the places where they are registered."""

from pathlib import Path

import pytest
from analysed import models, program

from gfpcheck.analysis.callbacks import Registration, registrations
from gfpcheck.analysis.state import Site
from gfpcheck.ir.places import number_of

MODEL = """
[callbacks]
on_tick = { arg = 1, context = "bh" }
add_block = { arg = 0, context = "rcu", member = "struct block.call" }
[members]
"struct ops.tick" = { context = "irq" }
"struct ops.queue" = { context = "rcu", unless = "struct set.flags", bit = 4, flag = "F_BLOCKING" }
"struct ops.start" = { context = "irq", unless = "struct set.sleeps" }
"""

HEAD = """
typedef void (*tick_t)(int);
struct block { tick_t call; };
struct ops { tick_t tick; tick_t queue; tick_t start; tick_t open; };
struct set { unsigned long flags; int sleeps; };
void on_tick(int n, tick_t f);
void add_block(struct block *b);
static void f(int n) { }
static void g(int n) { }
"""


def found(folder: Path, **files: str) -> dict[str, tuple[Registration, ...]]:
    texts = {name: HEAD + text for name, text in files.items()}
    return registrations(program(folder, **texts), models(folder, MODEL))


def contexts(folder: Path, **files: str) -> dict[str, list[str]]:
    return {key: [each.context for each in registered] for key, registered in found(folder, **files).items()}


def test_an_argument_of_a_registering_function(tmp_path: Path) -> None:
    assert found(tmp_path, a="void init(void) { on_tick(1, f); }") == {
        "a.c:f": (Registration("bh", "registered by on_tick()", Site("a.c", "init", number_of("on_tick"), 0)),)
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("void init(int c) { on_tick(1, c ? f : g); }", {"a.c:f": ["bh"], "a.c:g": ["bh"]}),
        ("void init(int c) { tick_t t = f; if (c) t = g; on_tick(1, t); }", {"a.c:f": ["bh"], "a.c:g": ["bh"]}),
        ("struct ops o = { .tick = f, .open = g };", {"a.c:f": ["irq"]}),
        ("struct ops o = { g, };", {"a.c:g": ["irq"]}),
        ("void init(struct ops *o) { o->tick = f; o->open = g; }", {"a.c:f": ["irq"]}),
        ("void init(struct ops *o) { o->tick = f; on_tick(1, f); }", {"a.c:f": ["bh", "irq"]}),
        ("void init(int n) { on_tick(f == g, 0); }", {}),
    ],
)
def test_members_and_arguments(tmp_path: Path, text: str, expected: dict[str, list[str]]) -> None:
    assert contexts(tmp_path, a=text) == expected


def test_through_wrappers(tmp_path: Path) -> None:
    text = """
void inner(int n, tick_t t) { on_tick(n, t); }
void outer(tick_t t) { inner(0, t); }
void store(struct ops *o, tick_t t) { o->tick = t; }
void init(struct ops *o) { outer(f); store(o, g); }
"""
    registered = found(tmp_path, a=text)
    (first,) = registered["a.c:f"]
    assert (first.context, first.how, first.site.function) == ("bh", "registered by outer()", "init")
    assert [site.function for site in first.via] == ["outer", "inner"]
    (second,) = registered["a.c:g"]
    assert (second.context, second.how, [site.function for site in second.via]) == (
        "irq",
        "registered by store()",
        ["store"],
    )


def test_wrappers_that_call_each_other_end(tmp_path: Path) -> None:
    text = """
void b(tick_t t, int n);
void a(tick_t t, int n) { if (n) b(t, n - 1); else on_tick(0, t); }
void b(tick_t t, int n) { a(t, n); }
void init(void) { b(f, 3); }
"""
    assert contexts(tmp_path, a=text) == {"a.c:f": ["bh"]}


@pytest.mark.parametrize(
    "text",
    [
        "static struct block x = { .call = f }; static struct block y = { .call = g };"
        "void init(void) { add_block(&x); }",
        "struct dev { struct block b; struct block other; };"
        "void init(struct dev *d) { d->b.call = f; d->other.call = g; add_block(&d->b); }",
        "void init(struct block *x, struct block *y) { x->call = f; y->call = g; add_block(x); }",
    ],
)
def test_a_registered_object_tells_which_function(tmp_path: Path, text: str) -> None:
    assert contexts(tmp_path, a=text) == {"a.c:f": ["rcu"]}


def test_objects_of_one_name_in_two_files(tmp_path: Path) -> None:
    text = "static struct block x = { .call = f };"
    assert contexts(tmp_path, a=text, b=f"{text} void init(void) {{ add_block(&x); }}") == {"b.c:f": ["rcu"]}


@pytest.mark.parametrize(
    ("setting", "atomic"),
    [
        ("s->flags = 4;", True),
        ("s->flags = 20;", False),
        ("s->flags |= 16;", False),
        ("s->flags &= ~1ul;", False),
        ("", True),
    ],
)
def test_a_bit_that_lets_callbacks_sleep(tmp_path: Path, setting: str, atomic: bool) -> None:
    files = {"one__a": "struct ops o = { .queue = f };", "one__b": f"void init(struct set *s) {{ {setting} }}"}
    assert contexts(tmp_path, **files) == ({"one/a.c:f": ["rcu"]} if atomic else {})


@pytest.mark.parametrize(("setting", "atomic"), [("= 0", True), ("= 1", False), ("= *(int *)s", False)])
def test_a_member_that_lets_callbacks_sleep(tmp_path: Path, setting: str, atomic: bool) -> None:
    text = f"struct ops o = {{ .start = f }}; void init(struct set *s) {{ s->sleeps {setting}; }}"
    assert contexts(tmp_path, a=text) == ({"a.c:f": ["irq"]} if atomic else {})


def test_what_another_folder_sets_does_not_count(tmp_path: Path) -> None:
    files = {"one__a": "struct ops o = { .start = f };", "two__b": "void init(struct set *s) { s->sleeps = 1; }"}
    assert contexts(tmp_path, **files) == {"one/a.c:f": ["irq"]}
