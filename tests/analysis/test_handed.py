"""A lock that is handed to somebody else, who releases it by a name of his own: whether it is held after that."""

from pathlib import Path

import pytest
from analysed import in_order, models, program, run

MODEL = """
[locks]
take = { does = "acquire", kind = "mutex" }
give = { does = "release", kind = "mutex" }
assert_held = { does = "assert", kind = "mutex" }
"""
HEAD = """
struct lock { int held; };
struct node { struct lock lock; struct lock other; struct node *next; unsigned flags; };
struct trans { struct node *first; struct node *joined; int dirty; };
void take(struct lock *);
void give(struct lock *);
void assert_held(struct lock *);
int fails(struct trans *);
struct node *pick(struct trans *);
typedef unsigned gfp_t;
void *kmalloc(unsigned long, gfp_t);
static void unlock(struct node *n, unsigned flags)
{
	if (flags & 1)
		give(&n->lock);
}
static int commit(struct trans *t)
{
	struct node *n;

	for (n = t->first; n; n = n->next) {
		unsigned flags = n->flags;

		n->flags = 0;
		if (flags)
			unlock(n, flags);
	}
	return fails(t);
}
static int finish(struct trans *t) { t->dirty = 0; return commit(t); }
static void join(struct trans *t, struct node *n, unsigned flags)
{
	n->flags = flags;
	n->next = t->first;
	t->first = n;
}
static void log(struct node *n) { assert_held(&n->lock); n->flags |= 2; }
static void alloc(void) { kmalloc(1, 0x400); }
"""


def held(folder: Path, text: str, function: str = "f") -> list[list[str]]:
    """The locks held at each allocation of `f`, in order; with a question mark one that may be held."""
    engine = run(program(folder, a=HEAD + text), models(folder, MODEL))
    sites = [site for site in in_order(engine, f"a.c:{function}") if site.name == "kmalloc"]
    return [
        sorted({f"{lock.cls.rpartition('.')[2]}{'?' * lock.may}" for each in site.contexts for lock in each.locks})
        for site in sites
    ]


@pytest.mark.parametrize("commit", ["commit", "finish"])
def test_who_takes_it_over_may_have_released_it(tmp_path: Path, commit: str) -> None:
    text = (
        f"void f(struct trans *t, struct node *n) {{ take(&n->lock); join(t, n, 1); alloc(); {commit}(t); alloc(); }}"
    )
    assert held(tmp_path, text) == [["lock"], ["lock?"]]


def test_a_lock_of_another_class_is_not_concerned(tmp_path: Path) -> None:
    text = "void f(struct trans *t, struct node *n) { take(&n->other); commit(t); alloc(); }"
    assert held(tmp_path, text) == [["other"]]


def test_it_is_doubted_by_whoever_holds_it(tmp_path: Path) -> None:
    text = """
    static void g(struct trans *t) { finish(t); alloc(); }
    void f(struct trans *t, struct node *n) { take(&n->lock); g(t); alloc(); }
    """
    assert held(tmp_path, text)[-1] == ["lock?"]


def test_who_held_it_in_between_is_the_one_that_is_concerned(tmp_path: Path) -> None:
    text = """
    static void g(struct trans *t, struct node *n) { take(&n->lock); join(t, n, 1); commit(t); }
    void f(struct trans *t, struct node *n, struct node *m) { take(&m->lock); g(t, n); alloc(); }
    """
    assert held(tmp_path, text) == [["lock"]]


def test_an_assertion_ends_the_doubt(tmp_path: Path) -> None:
    text = "void f(struct trans *t, struct node *n) { take(&n->lock); commit(t); alloc(); log(n); alloc(); }"
    assert held(tmp_path, text) == [["lock?"], ["lock"]]


def test_an_unlock_ends_it(tmp_path: Path) -> None:
    text = "void f(struct trans *t, struct node *n) { take(&n->lock); commit(t); give(&n->lock); alloc(); }"
    assert held(tmp_path, text) == [[]]


def test_an_asserted_lock_that_is_released_is_the_callers(tmp_path: Path) -> None:
    text = """
    static void g(struct node *n, unsigned flags) { assert_held(&n->lock); unlock(n, flags); }
    void f(struct node *n) { take(&n->lock); g(n, 1); alloc(); take(&n->lock); g(n, 2); alloc(); }
    """
    assert held(tmp_path, text) == [[], ["lock"]]


def test_what_holds_a_lock_is_there(tmp_path: Path) -> None:
    """So who gets it can tell it from NULL, which comes without a lock."""
    text = """
    static struct node *first(struct trans *t)
    {
        struct node *n = pick(t);

        take(&n->next->lock);
        if (n->flags)
            return n->next;
        give(&n->next->lock);
        return 0;
    }
    void f(struct trans *t)
    {
        struct node *n = first(t);

        if (!n) {
            alloc();
            return;
        }
        alloc();
        give(&n->lock);
        alloc();
    }
    """
    assert held(tmp_path, text) == [[], ["lock"], []]
