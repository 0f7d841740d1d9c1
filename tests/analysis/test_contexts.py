"""The ways in which functions are entered: what flows from callers, registrations, tables and assertions."""

from pathlib import Path

import pytest
from analysed import models, program, run

from gfpcheck.analysis.contexts import MAX_JOINED, MAX_WAYS, Contexts, Way
from gfpcheck.analysis.edges import Edges

MODEL = """
[locks]
take = { does = "acquire", kind = "mutex" }
give = { does = "release", kind = "mutex" }
spin = { does = "acquire", kind = "spin" }
unspin = { does = "release", kind = "spin" }
assert_held = { does = "assert", kind = "mutex" }
[scopes]
save = { does = "open", kind = "nofs" }
restore = { does = "close", kind = "nofs" }
[callbacks]
on_tick = { arg = 0, context = "bh" }
run_thread = { arg = 0, context = "thread" }
[contracts]
"struct ops.write" = { exclusive = ["0 struct node.lock"] }
[reclaim]
"struct ops.evict" = { gate = "__GFP_FS" }
"""

HEAD = """
struct lock { int held; };
struct node { struct lock lock; struct lock other; struct lock bit; };
struct ops { int (*write)(struct node *); void (*evict)(struct node *); int (*open)(struct node *); };
typedef void (*fn_t)(struct node *);
void take(struct lock *);
void give(struct lock *);
void spin(struct lock *);
void unspin(struct lock *);
void assert_held(struct lock *);
unsigned save(void);
void restore(unsigned);
void on_tick(fn_t f);
void run_thread(fn_t f);
void *kmalloc(unsigned long, unsigned);
static void f(struct node *n);
"""
TAIL = """
static void f(struct node *n) { kmalloc(1, 0); }
"""


def ways(folder: Path, text: str, function: str = "f") -> tuple[Way, ...]:
    whole = program(folder, a=HEAD + text + TAIL)
    engine = run(whole, models(folder, MODEL))
    return Contexts(engine, Edges(engine)).ways(f"a.c:{function}")


def held(found: tuple[Way, ...]) -> list[tuple[list[str], list[str], list[str]]]:
    """(functions on the way, lock classes, scopes) of each way."""
    return [
        (
            [site.function for site in way.chain],
            [lock.cls.partition(" ")[2] or lock.cls for lock in way.locks],
            [*way.scopes],
        )
        for way in found
    ]


def test_who_is_called_by_nobody_is_a_start(tmp_path: Path) -> None:
    assert ways(tmp_path, "") == (Way("f", "", (), (), (), 1, 0, False),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("void a(struct node *n) { f(n); }", [(["a"], [], [])]),
        ("void a(struct node *n) { take(&n->lock); f(n); give(&n->lock); }", [(["a"], ["node.lock"], [])]),
        (
            "void a(struct node *n) { f(n); take(&n->lock); f(n); give(&n->lock); }",
            [(["a"], [], []), (["a"], ["node.lock"], [])],
        ),
        (  # locks of several functions on the way come together, whoever is nearer
            "static void b(struct node *n) { take(&n->other); f(n); give(&n->other); }"
            "void a(struct node *n) { take(&n->lock); b(n); give(&n->lock); }",
            [(["a", "b"], ["node.lock", "node.other"], [])],
        ),
        (  # what is released on the way is not held below
            "static void b(struct node *n) { give(&n->lock); f(n); take(&n->lock); }"
            "void a(struct node *n) { take(&n->lock); b(n); give(&n->lock); }",
            [(["a", "b"], [], [])],
        ),
        (
            "static void b(struct node *n) { f(n); }void a(struct node *n) { unsigned s = save(); b(n); restore(s); }",
            [(["a", "b"], [], ["nofs"])],
        ),
        (  # a function that holds nothing, and does nothing, hands on what its callers hold
            "static void c(struct node *n) { f(n); } static void b(struct node *n) { c(n); }"
            "void a(struct node *n) { spin(&n->bit); b(n); unspin(&n->bit); }",
            [(["a", "b", "c"], ["node.bit"], [])],
        ),
        (  # handed to a function that calls it
            "static void each(struct node *n, fn_t g) { take(&n->other); g(n); give(&n->other); }"
            "void a(struct node *n) { take(&n->lock); each(n, f); give(&n->lock); }",
            [(["a"], ["node.lock"], []), (["a", "each"], ["node.lock", "node.other"], [])],
        ),
        (  # of two ways that bring the same the shorter one is kept
            "static void b(struct node *n) { f(n); }"
            "void a(struct node *n) { take(&n->lock); b(n); f(n); give(&n->lock); }",
            [(["a"], ["node.lock"], [])],
        ),
        (  # what a function says of itself
            "static void b(struct node *n) { assert_held(&n->lock); f(n); } void a(struct node *n) { b(n); }",
            [(["a", "b"], ["node.lock"], [])],
        ),
    ],
)
def test_what_flows_from_callers(tmp_path: Path, text: str, expected: object) -> None:
    assert held(ways(tmp_path, text)) == expected


def test_an_assertion_says_what_its_own_function_is_entered_with(tmp_path: Path) -> None:
    text = "static void b(struct node *n) { assert_held(&n->lock); f(n); } void a(struct node *n) { b(n); }"
    (way,) = ways(tmp_path, text, "b")
    assert [(lock.cls, lock.origin) for lock in way.locks] == [("struct node.lock", "asserted")]
    taken = text.replace("{ b(n); }", "{ take(&n->lock); b(n); give(&n->lock); }")
    (way,) = ways(tmp_path, taken, "b")
    assert [(lock.cls, lock.origin) for lock in way.locks] == [("struct node.lock", "taken")]


@pytest.mark.parametrize(
    ("text", "context", "locks"),
    [
        ("void init(void) { on_tick(f); }", "bh", ["bh"]),
        ("void init(void) { run_thread(f); }", "thread", []),
        ("struct ops o = { .evict = f };", "reclaim", []),
        ("struct ops o = { .write = (void *)f };", "", ["node.lock"]),
        ("struct ops o = { .open = (void *)f };", "", []),
    ],
)
def test_how_a_start_is_called(tmp_path: Path, text: str, context: str, locks: list[str]) -> None:
    (way,) = ways(tmp_path, text)
    assert (way.start, way.context, way.chain) == ("f", context, ())
    assert held((way,))[0][1] == locks


def test_a_callback_that_is_called_directly_as_well(tmp_path: Path) -> None:
    text = "static void g(struct node *n) { f(n); } void init(struct node *n) { on_tick(g); f(n); }"
    found = ways(tmp_path, text)
    assert held(found) == [(["g"], ["bh"], []), (["init"], [], [])]
    assert [way.context for way in found] == ["bh", ""]


def test_two_hundred_callers_are_one_way(tmp_path: Path) -> None:
    text = "".join(f"void c{n}(struct node *n) {{ take(&n->lock); f(n); give(&n->lock); }}" for n in range(200))
    (way,) = ways(tmp_path, text)
    assert held((way,)) == [(["c0"], ["node.lock"], [])]
    assert way.places == 200


def test_functions_that_call_each_other(tmp_path: Path) -> None:
    text = (
        "void b(struct node *n, int k); void a(struct node *n, int k) { if (k) b(n, k - 1); f(n); }"
        "void b(struct node *n, int k) { take(&n->lock); a(n, k); give(&n->lock); if (k) b(n, k - 1); }"
    )
    assert held(ways(tmp_path, text)) == [(["a"], [], []), (["a", "b", "a"], ["node.lock"], [])]
    outer = text + "void top(struct node *n) { spin(&n->bit); b(n, 3); unspin(&n->bit); }"
    assert held(ways(tmp_path, outer)) == [(["top", "b", "a"], ["node.bit", "node.lock"], [])]


def test_a_function_that_calls_itself(tmp_path: Path) -> None:
    text = "void a(struct node *n, int k) { f(n); take(&n->lock); if (k) a(n, k - 1); give(&n->lock); }"
    assert held(ways(tmp_path, text)) == [(["a"], [], []), (["a", "a"], ["node.lock"], [])]


def test_too_many_ways_are_joined(tmp_path: Path) -> None:
    many = MAX_WAYS + 30
    members = "".join(f"struct lock l{n:02};" for n in range(many))
    callers = "".join(
        f"void c{n:02}(struct node *n, struct big *b) {{ take(&b->l{n:02}); f(n); give(&b->l{n:02}); }}"
        for n in range(many)
    )
    found = ways(tmp_path, f"struct big {{ {members} }}; {callers}")
    assert len(found) == MAX_WAYS + 1
    assert [way.joined for way in found] == [False] * MAX_WAYS + [True]
    rest = found[-1]
    assert rest.places == 30
    assert len(rest.locks) == MAX_JOINED
    assert all(lock.may for lock in rest.locks)
    assert rest.locks[0].cls == f"struct big.l{MAX_WAYS}"


def test_pointers_on_the_way(tmp_path: Path) -> None:
    text = (
        "static int g(struct node *n) { f(n); return 0; } static int h(struct node *n) { return 0; }"
        "struct ops one = { .open = g }, two = { .open = h };"
        "void a(struct node *n, struct ops *o) { take(&n->lock); o->open(n); give(&n->lock); }"
    )
    (way,) = ways(tmp_path, text)
    assert (held((way,))[0], way.width) == ((["a", "g"], ["node.lock"], []), 2)
