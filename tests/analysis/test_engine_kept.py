"""What was found out about functions is found out again only where something has changed."""

from pathlib import Path

import pytest
from analysed import models, program, run

from gfpcheck.analysis import bottom_up, kept
from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.kept import Kept
from gfpcheck.analysis.trace import Consts

MODEL = """
[locks]
take = { does = "acquire", kind = "mutex" }
give = { does = "release", kind = "mutex" }
"""
TEXT = """
struct lock { int held; };
struct node { struct lock lock; struct lock other; int state; };
struct ops { int (*act)(struct node *); };
void take(struct lock *);
void give(struct lock *);
typedef unsigned gfp_t;
void *kmalloc(unsigned long, gfp_t);
void outside(struct node *);
static void *make(struct node *n, gfp_t gfp) { return kmalloc(8, gfp); }
static void lock_some(struct node *n, int which) { if (which) take(&n->lock); else take(&n->other); }
static int even(struct node *n, int depth);
static int odd(struct node *n, int depth) { take(&n->lock); give(&n->lock); return depth ? even(n, depth - 1) : 0; }
static int even(struct node *n, int depth) { return depth ? odd(n, depth - 1) : 1; }
static int act(struct node *n) { take(&n->lock); make(n, 0x4c0); give(&n->lock); return 0; }
struct ops table = { act };
int call(struct ops *ops, struct node *n) { return ops->act(n); }
void *first(struct node *n) { void *p; lock_some(n, 1); p = make(n, 0x4c0); give(&n->lock); return p; }
void *second(struct node *n) { void *p; lock_some(n, 0); p = make(n, 0x440); give(&n->other); return p; }
void third(struct node *n) { first(n); even(n, 3); second(n); }
"""


class Runs:
    """Runs over the same program, which changes; `made` are the functions that were interpreted in the last one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.table: bytes | None = None
        self.made: set[str] = set()
        self.text = TEXT
        interpret = Engine._interpret

        def noting(engine: Engine, key: str, consts: Consts, *more: object, **options: object) -> object:
            self.made.add(key.partition(":")[2])
            return interpret(engine, key, consts, *more, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(Engine, "_interpret", noting)

    def again(self, old: str = "", new: str = "", jobs: int = 1) -> Engine:
        """Runs with what was kept, after a change, and checks that it makes no difference that it was kept."""
        assert old in self.text
        self.text = self.text.replace(old, new) if old else self.text
        whole, knowledge = program(self.folder, a=self.text), models(self.folder, MODEL)
        fresh = run(whole, knowledge)
        self.made.clear()
        kept = Kept(self.table)
        engine = run(whole, knowledge, jobs, kept)
        assert list(engine.facts) == list(fresh.facts)
        assert engine.facts == fresh.facts
        assert all(engine.summary(key) == fresh.summary(key) for key in whole.functions)
        self.table = kept.table() or self.table
        return engine


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    found = Runs(tmp_path, monkeypatch)
    found.again()
    assert {"first", "lock_some", "make", "even", "odd", "act", "call"} <= found.made
    return found


def test_nothing_is_run_again_when_nothing_has_changed(runs: Runs) -> None:
    runs.again()
    assert runs.made == set()


def test_lines_above_make_no_difference(runs: Runs) -> None:
    runs.again("struct node {", "/*\n\n*/\nstruct node {")
    assert runs.made == set()


def test_lines_within_make_no_difference(runs: Runs) -> None:
    runs.again("return kmalloc(8, gfp);", "\n\n\treturn /* eight */ kmalloc(8, gfp);")
    assert runs.made == set()


def test_another_call_before_an_allocation_is_its_function_s_business_alone(runs: Runs) -> None:
    runs.again("{ return kmalloc(8, gfp); }", "{\n\toutside(n);\n\treturn kmalloc(8, gfp);\n}")
    assert runs.made == {"make"}


def test_a_table_that_moves_makes_no_difference(runs: Runs) -> None:
    runs.again("struct ops table = { act };", "\n\nstruct ops table = { act };")
    assert runs.made == set()


def test_a_change_that_callers_do_not_see_ends_where_it_is(runs: Runs) -> None:
    runs.again("{ take(&n->lock); make(n, 0x4c0); give", "{ take(&n->lock); make(n, 0x4c0); outside(n); give")
    assert runs.made == {"act"}


def test_a_change_of_a_summary_goes_up(runs: Runs) -> None:
    runs.again("return kmalloc(8, gfp);", "return kmalloc(8, gfp & ~0x40u);")
    assert {"make", "first", "second", "act"} <= runs.made
    assert runs.made.isdisjoint({"lock_some", "odd"})


def test_but_only_to_callers_for_whose_constants_it_changes(runs: Runs) -> None:
    runs.again("return kmalloc(8, gfp);", "return kmalloc(8, gfp | 0x80);")
    assert {"make", "second"} <= runs.made
    assert runs.made.isdisjoint({"first", "act"})


def test_what_constants_decide_is_kept(runs: Runs) -> None:
    runs.again("if (which) take", "if (!which) take")
    assert {"lock_some", "first", "second"} <= runs.made
    assert "make" not in runs.made


def test_functions_that_call_each_other_are_run_together_or_not_at_all(runs: Runs) -> None:
    runs.again("return depth ? odd(n, depth - 1) : 1;", "return depth ? odd(n, depth - 1) : 2;")
    assert {"even", "odd"} <= runs.made
    runs.again()
    assert runs.made == set()


def test_another_function_in_a_table_is_another_callee(runs: Runs) -> None:
    runs.again("struct ops table = { act };", "static int no(struct node *n) { return 0; }\nstruct ops table = { no };")
    assert "call" in runs.made


def test_a_function_that_is_gone(runs: Runs) -> None:
    runs.again("void third(struct node *n) { first(n); even(n, 3); second(n); }", "void third(struct node *n) {}")
    runs.again(
        "void *first(struct node *n) { void *p; lock_some(n, 1); p = make(n, 0x4c0); give(&n->lock); return p; }"
    )


def test_explorations_are_kept(runs: Runs) -> None:
    engine = runs.again()
    before = engine.explore("a.c:third", ())
    assert engine.kept is not None
    runs.table = engine.kept.table()
    assert "third" in runs.made
    again = runs.again().explore("a.c:third", ())
    assert again == before
    assert "third" not in runs.made


def test_copies_keep_what_they_find(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bottom_up, "_WORTH_COPYING", 0)
    runs.table = None
    runs.again(jobs=3)
    runs.again()
    assert runs.made == set()


@pytest.mark.parametrize("damage", [b"", b"\x80", b"\xc1", b"\x81\xc4\x01a\x92\x00\xc0"])
def test_a_table_that_is_none(runs: Runs, damage: bytes) -> None:
    runs.table = damage
    runs.again()
    assert "first" in runs.made


def test_an_entry_that_is_none(runs: Runs) -> None:
    kept = Kept(runs.table)
    for name in list(kept._old):
        kept._new[name] = b"\x92\x90\x01"
    runs.table = kept.table()
    runs.again()
    assert "first" in runs.made


def test_what_is_not_asked_for_goes_after_a_while(runs: Runs) -> None:
    assert runs.table is not None
    before = len(runs.table)
    runs.text = TEXT.partition("static int act")[0]
    for _ in range(6):
        runs.again("int state;", "int state; int more;")
        runs.again("struct node *n, int which) {", "struct node *n, int which) { outside(n);")
    assert len(runs.table) < before


def test_large_entries_are_kept_too(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = runs.table
    monkeypatch.setattr(kept, "_LARGE", 100)
    monkeypatch.setattr(runs, "table", None)
    runs.again()
    assert plain is not None
    assert runs.table is not None
    assert len(runs.table) < len(plain)
    runs.again()
    assert runs.made == set()
