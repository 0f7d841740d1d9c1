"""Functions that call each other: run until what they were given is so, and no more often than it takes."""

import itertools
import sys
from collections import Counter
from pathlib import Path

import pytest
from analysed import models, program, run

from gfpcheck.analysis.callgraph import MAX_ROUND, CallGraph
from gfpcheck.analysis.engine import MAX_ROUNDS, Engine
from gfpcheck.analysis.kept import Kept
from gfpcheck.analysis.trace import Consts

MODEL = """
[locks]
take = { does = "acquire", kind = "mutex" }
give = { does = "release", kind = "mutex" }
"""
HEAD = """
struct lock { int held; };
struct node { struct lock lock; int state; struct node *next; };
void take(struct lock *);
void give(struct lock *);
typedef unsigned gfp_t;
void *kmalloc(unsigned long, gfp_t);
"""
MANY = 300


def ring() -> str:
    """Functions each of which calls the next one, and the last one the first; the last one takes the lock."""
    names = [f"f{number}" for number in range(MANY)]
    declared = [f"int {name}(struct node *n);" for name in names]
    calls = [f"int {a}(struct node *n) {{ return n->state ? {b}(n->next) : 0; }}" for a, b in itertools.pairwise(names)]
    last = f"int {names[-1]}(struct node *n) {{ take(&n->lock); return f0(n->next); }}"
    return "\n".join([HEAD, *declared, *calls, last])


def crowd(size: int) -> str:
    """Functions each of which calls all the others; one of them takes the lock, another one allocates."""
    names = [f"g{number}" for number in range(size)]
    bodies = []
    for name in names:
        does = {"g1": "take(&n->lock);", "g2": "kmalloc(8, 0xcc0);"}.get(name, "")
        calls = " ".join(f"if (n->state == {k}) {other}(n);" for k, other in enumerate(names) if other != name)
        bodies.append(f"void {name}(struct node *n) {{ {does} {calls} }}")
    return "\n".join([HEAD, *(f"void {name}(struct node *n);" for name in names), *bodies])


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each function was interpreted."""
    counted: Counter[str] = Counter()
    interpret = Engine._interpret

    def counting(engine: Engine, key: str, consts: Consts, *more: object, **options: object) -> object:
        counted[key.partition(":")[2]] += 1
        return interpret(engine, key, consts, *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "_interpret", counting)
    return counted


def test_a_long_way_round_is_followed_to_its_end_and_kept(tmp_path: Path, made: Counter[str]) -> None:
    whole, knowledge = program(tmp_path, a=ring()), models(tmp_path, MODEL)
    kept = Kept()
    engine = run(whole, knowledge, kept=kept)
    for number in (0, MANY // 2, MANY - 1):
        assert engine.summary(f"a.c:f{number}").taken == {"struct node.lock"}
    assert max(made.values()) <= MAX_ROUNDS + 1
    made.clear()
    again = run(whole, knowledge, kept=Kept(kept.table()))
    assert not made
    assert again.facts == engine.facts


@pytest.mark.parametrize("size", [4, 12])
def test_all_calling_all_are_not_run_more_often_the_more_they_are(
    tmp_path: Path, made: Counter[str], size: int
) -> None:
    engine = run(program(tmp_path, a=crowd(size)), models(tmp_path, MODEL))
    assert max(made.values()) <= MAX_ROUNDS + 1
    for number in range(size):
        summary = engine.summary(f"a.c:g{number}")
        assert summary.taken == {"struct node.lock"}
        assert {reached.name for reached in summary.reached} == {"kmalloc"}


def test_the_way_to_a_lock_does_not_go_round(tmp_path: Path) -> None:
    text = (
        HEAD
        + """
    int b(struct node *n);
    int a(struct node *n) { return n->state ? b(n) : 0; }
    int b(struct node *n) { if (n->state > 1) return a(n); take(&n->lock); return 1; }
    """
    )
    engine = run(program(tmp_path, a=text), models(tmp_path, MODEL))
    locks = [lock for key in ("a", "b") for o in engine.summary(f"a.c:{key}").outcomes for lock in o.acquired]
    assert locks
    assert all(len(set(way)) == len(way) for way in ((lock.site, *lock.via) for lock in locks))


def table(size: int) -> str:
    """Methods of one table, each of which drops an object, which calls one of the methods; the first one takes the
    lock, the second one allocates."""
    names = [f"m{number}" for number in range(size)]
    does = {"m0": "take(&n->lock);", "m1": "kmalloc(8, 0xcc0);"}
    methods = [f"static void {m}(struct node *n) {{ {does.get(m, '')} drop(n); }}" for m in names]
    tables = [f"struct ops t{m} = {{ {m} }};" for m in names]
    drop = "void drop(struct node *n) { n->ops->end(n); }"
    begin = "struct ops { void (*end)(struct node *); };\nvoid drop(struct node *n);"
    head = HEAD.replace("struct node *next;", "struct node *next; struct ops *ops;").replace(
        "struct lock {", f"struct node;\n{begin}\nstruct lock {{", 1
    )
    return "\n".join([head, *methods, *tables, drop, "void other(struct node *n) { n->ops->end(n); }"])


def test_too_wide_a_pointer_is_not_followed_where_it_leads_back(tmp_path: Path, made: Counter[str]) -> None:
    knowledge = models(tmp_path, MODEL)
    narrow = run(program(tmp_path, a=table(MAX_ROUND)), knowledge)
    assert {reached.name for reached in narrow.summary("a.c:m3").reached} == {"kmalloc"}
    made.clear()
    whole = program(tmp_path, a=table(MAX_ROUND + 1))
    assert len(CallGraph(whole).rounds) == MAX_ROUND + 1
    wide = run(whole, knowledge)
    assert max(made.values()) == 1
    assert not wide.summary("a.c:m3").reached
    assert {reached.name for reached in wide.summary("a.c:other").reached} == {"kmalloc"}


def test_parsers_in_c_keep_the_ordinary_limit(tmp_path: Path) -> None:
    before = sys.getrecursionlimit()
    engine = run(program(tmp_path, a=ring()), models(tmp_path, MODEL))
    assert engine.summary("a.c:f0", (0,)).taken == {"struct node.lock"}
    assert sys.getrecursionlimit() == before
