"""Summaries made by several processes: the same as by one, whatever becomes of the others."""

import os
import threading
from pathlib import Path

import pytest
from analysed import models, program, run

from gfpcheck import workers
from gfpcheck.analysis import bottom_up
from gfpcheck.analysis.program import Program
from gfpcheck.models import Models

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
typedef unsigned gfp_t;
void *kmalloc(unsigned long, gfp_t);
typedef void *(*maker)(struct node *, gfp_t);
static void *make(struct node *n, gfp_t gfp) { return kmalloc(8, gfp); }
static void *choose(struct node *n, int nofs, gfp_t gfp) { return make(n, nofs ? gfp & ~0x80u : gfp); }
static void *through(maker f, struct node *n, gfp_t gfp) { return f(n, gfp); }
int outside(struct node *, int);
static int plain(struct node *n, int step) { outside(n, step); return outside(n, 1); }
static int even(struct node *n, int depth);
static int odd(struct node *n, int depth) { take(&n->lock); give(&n->lock); return depth ? even(n, depth - 1) : 0; }
static int even(struct node *n, int depth) { return depth ? odd(n, depth - 1) : 1; }
"""
EACH = """
static void *low%d(struct node *n, gfp_t gfp) {
    void *p = n->state == %d ? choose(n, %d, gfp) : through(make, n, gfp);
    if (!p) take(&n->lock);
    return p;
}
void *high%d(struct node *n) {
    void *p;
    take(&n->lock);
    even(n, plain(n, 3) ? %d : 1);
    p = low%d(n, 0x4c0);
    if (p) give(&n->lock);
    return p;
}
"""
TEXT = HEAD + "".join(EACH % (n, n % 7, n % 2, n, n % 5, n) for n in range(40))


@pytest.fixture
def whole(tmp_path: Path) -> Program:
    return program(tmp_path, a=TEXT)


@pytest.fixture
def knowledge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    monkeypatch.setattr(bottom_up, "_WORTH_COPYING", 0)
    monkeypatch.setattr(bottom_up, "_BATCH", 12)
    return models(tmp_path, MODEL)


@pytest.mark.parametrize("jobs", [2, 4])
def test_any_number_of_processes_finds_the_same_in_the_same_order(whole: Program, knowledge: Models, jobs: int) -> None:
    alone, together = run(whole, knowledge), run(whole, knowledge, jobs)
    assert list(together.facts) == list(alone.facts)
    assert {k: repr(f) for k, f in together.facts.items()} == {k: repr(f) for k, f in alone.facts.items()}
    assert all(together.summary(key) == alone.summary(key) for key in whole.functions)
    assert any(site.contexts for facts in alone.facts.values() for site in facts.sites)


def test_copies_do_a_part(whole: Program, knowledge: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[list[int]] = []
    take = bottom_up._Work._take

    def note(work: bottom_up._Work, copy: workers.Copy, batch: list[int]) -> bool:
        taken.append(batch)
        return take(work, copy, batch)

    monkeypatch.setattr(bottom_up._Work, "_take", note)
    run(whole, knowledge, 2)
    assert len({number for batch in taken for number in batch}) > 1


@pytest.mark.parametrize("survives", [0, 2])
def test_what_a_copy_that_dies_was_to_do_is_done(
    whole: Program, knowledge: Models, monkeypatch: pytest.MonkeyPatch, survives: int
) -> None:
    alone = run(whole, knowledge)
    answer = bottom_up._Work.answer
    parent = os.getpid()
    asked: list[bytes] = []

    def dying(work: bottom_up._Work, question: bytes) -> bytes:
        assert os.getpid() != parent
        asked.append(question)
        if len(asked) > survives:
            os._exit(9)
        return answer(work, question)

    monkeypatch.setattr(bottom_up._Work, "answer", dying)
    together = run(whole, knowledge, 3)
    assert {k: repr(f) for k, f in together.facts.items()} == {k: repr(f) for k, f in alone.facts.items()}


def test_progress_is_told_to_the_end(whole: Program, knowledge: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    summarise = bottom_up.summarise
    monkeypatch.setattr(
        "analysed.summarise", lambda engine, graph, jobs: summarise(engine, graph, jobs, lambda *at: told.append(at))
    )
    run(whole, knowledge, 2)
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_copies_answer_and_end_with_the_block() -> None:
    with workers.copies(2, lambda question: question + str(os.getpid()).encode()) as made:
        for each in made:
            each.ask(b"who? ")
        waiting, answers = set(made), set()
        while waiting:
            for each in workers.answered(waiting, wait=True):
                answers.add(each.answer())
                waiting.remove(each)
    assert len(answers) == 2
    assert f"who? {os.getpid()}".encode() not in answers
    for answer in answers:  # other tests may have left children of their own
        with pytest.raises(ChildProcessError):
            os.waitpid(int(answer.split()[1]), os.WNOHANG)


def test_a_process_with_threads_is_not_copied() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        with workers.copies(2, bytes) as made:
            assert made == []
    finally:
        done.set()
        thread.join()
