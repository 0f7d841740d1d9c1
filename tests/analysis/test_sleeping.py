"""How functions sleep: always, on some path, or not; for memory or for something else; under which locks."""

from pathlib import Path

import pytest
from analysed import models, program, run

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.sleeping import Sleep, Sleeping

MODEL = """
waits = ["wait_for_it"]
[locks]
take = { does = "acquire", kind = "mutex" }
take_or_signal = { does = "acquire", kind = "mutex", when = "zero" }
try_take = { does = "acquire", kind = "mutex", when = "nonzero", try = true }
give = { does = "release", kind = "mutex" }
spin = { does = "acquire", kind = "spin" }
unspin = { does = "release", kind = "spin" }
"""
HEAD = """
typedef unsigned gfp_t;
struct lock { int held; };
struct node { struct lock spin; struct lock mutex; int ready; };
void take(struct lock *);
int take_or_signal(struct lock *);
int try_take(struct lock *);
void give(struct lock *);
void spin(struct lock *);
void unspin(struct lock *);
void wait_for_it(void);
void unknown(void);
void *kmalloc(unsigned long, gfp_t);
static void waits(struct node *n) { if (n->ready) n->ready = 0; wait_for_it(); }
static void waits_below(struct node *n) { waits(n); }
static void waits_unless(struct node *n) { if (!n->ready) waits(n); }
static void drops(struct node *n) { unspin(&n->spin); wait_for_it(); spin(&n->spin); }
static void calls_itself(struct node *n) { if (n->ready) calls_itself(n); }
"""


def engine(folder: Path, body: str) -> Engine:
    whole = program(folder, a=HEAD + f"void f(struct node *n, gfp_t gfp) {{ {body} }}")
    return run(whole, models(folder, MODEL))


def told(sleep: Sleep | None) -> str:
    return f"{'always' if sleep.always else 'may'} {sleep.what} {len(sleep.chain)}" if sleep else "no"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("unknown();", "no"),
        ("spin(&n->spin); unspin(&n->spin);", "no"),
        ("try_take(&n->mutex);", "no"),
        ("calls_itself(n);", "no"),
        ("kmalloc(1, 0x20);", "no"),
        ("wait_for_it();", "always wait_for_it 1"),
        ("take(&n->mutex);", "always take 1"),
        ("take_or_signal(&n->mutex);", "always take_or_signal 1"),
        ("kmalloc(1, 0x400);", "always kmalloc 1"),
        ("kmalloc(1, gfp);", "may kmalloc 1"),
        ("if (n->ready) wait_for_it();", "may wait_for_it 1"),
        ("if (n->ready) wait_for_it(); else take(&n->mutex);", "always wait_for_it 1"),
        ("if (n->ready) return; wait_for_it();", "may wait_for_it 1"),
        ("while (n->ready) wait_for_it();", "may wait_for_it 1"),
        ("do { wait_for_it(); } while (n->ready);", "always wait_for_it 1"),
        ("waits_below(n);", "always wait_for_it 3"),
        ("waits_unless(n);", "may wait_for_it 3"),
        ("waits_unless(n); waits(n);", "always wait_for_it 2"),
    ],
)
def test_how_it_sleeps(tmp_path: Path, body: str, expected: str) -> None:
    assert told(Sleeping(engine(tmp_path, body)).of("a.c:f")) == expected


def test_memory_can_be_left_out(tmp_path: Path) -> None:
    sleeping = Sleeping(engine(tmp_path, "kmalloc(1, 0x400); if (n->ready) wait_for_it();"))
    assert told(sleeping.of("a.c:f")) == "always kmalloc 1"
    assert told(sleeping.of("a.c:f", memory=False)) == "may wait_for_it 1"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("spin(&n->spin); wait_for_it(); unspin(&n->spin);", "always wait_for_it 1"),
        ("spin(&n->spin); waits_below(n); unspin(&n->spin);", "always wait_for_it 3"),
        ("spin(&n->spin); kmalloc(1, 0x400); unspin(&n->spin); wait_for_it();", "no"),
        ("spin(&n->spin); waits_unless(n); unspin(&n->spin);", "no"),
        ("if (n->ready) spin(&n->spin); wait_for_it(); if (n->ready) unspin(&n->spin);", "always wait_for_it 1"),
        ("if (n->ready) spin(&n->spin); else wait_for_it(); if (n->ready) unspin(&n->spin);", "no"),
        ("spin(&n->spin); drops(n); unspin(&n->spin);", "no"),
        ("take(&n->mutex); wait_for_it(); give(&n->mutex);", "no"),
    ],
)
def test_under_a_lock(tmp_path: Path, body: str, expected: str) -> None:
    sleeping = Sleeping(engine(tmp_path, body))
    assert told(sleeping.under("a.c:f", lambda held: held.kind == "spin")) == expected
