"""Functions looked at by copies before it is their turn: what is found is the same, whatever becomes of them."""

import os
from pathlib import Path

import pytest
from analysed import models, program, run

from gfpcheck.analysis.ahead import Ahead
from gfpcheck.analysis.engine import Engine, Exploration, Question

MODEL = """
[locks]
take = { does = "acquire", kind = "mutex" }
give = { does = "release", kind = "mutex" }
"""
HEAD = """
struct lock { int held; };
struct node { struct lock lock; int state; };
void take(struct lock *);
void give(struct lock *);
static int choose(struct node *n, int mode) {
    if (mode > 3) take(&n->lock);
    return mode ? n->state : 0;
}
"""
EACH = """
int work%d(struct node *n, int mode) {
    if (choose(n, %d)) give(&n->lock);
    return mode ? choose(n, mode) : 0;
}
"""
QUESTIONS: list[Question] = [(f"a.c:work{n}", (None, n % 5), None, ()) for n in range(40)]


@pytest.fixture
def fresh(tmp_path: Path) -> Engine:
    return run(program(tmp_path, a=HEAD + "".join(EACH % (n, n % 7) for n in range(40))), models(tmp_path, MODEL))


def ask(engine: Engine, jobs: int) -> list[Exploration]:
    with Ahead(engine, jobs) as ahead:
        return [ahead.explore(question, QUESTIONS[:number:-1]) for number, question in enumerate(QUESTIONS)]


@pytest.mark.parametrize("jobs", [2, 4])
def test_copies_find_the_same(fresh: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    alone = ask(fresh, 1)
    assert any(each.acquisitions for each in alone)
    engine = run(fresh.program, fresh.effects.models)
    explored = engine.explore
    made = 0

    def explore(*question: object) -> Exploration:
        nonlocal made
        made += not engine.is_explored(question)  # type: ignore[arg-type]
        return explored(*question)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "explore", explore)
    assert ask(engine, jobs) == alone
    assert made < len(QUESTIONS)


def test_what_a_copy_dies_of_is_done_here(fresh: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = ask(fresh, 1)
    engine = run(fresh.program, fresh.effects.models)
    here, explored = os.getpid(), engine.explore

    def explore(*question: object) -> Exploration:
        if os.getpid() != here:
            os._exit(1)
        return explored(*question)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "explore", explore)
    assert ask(engine, 2) == alone


def test_few_questions_need_no_copies(fresh: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("a copy was made"))
    with Ahead(fresh, 2) as ahead:
        ahead.explore(QUESTIONS[0], QUESTIONS[1:7])
