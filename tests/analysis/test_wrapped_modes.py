"""Wrappers that take more combinations of locks than can be kept apart, unless a caller says which."""

from pathlib import Path

import pytest
from analysed import models, program, run

MODEL = """
[locks]
take = { does = "acquire", kind = "mutex" }
share = { does = "acquire", kind = "mutex", mode = "shared" }
give = { does = "release", kind = "mutex" }
"""
HEAD = """
struct lock { int held; };
struct node { struct lock a, b, c; };
void take(struct lock *);
void share(struct lock *);
void give(struct lock *);
static void lock(struct node *n, unsigned mode)
{
	if (mode & 1) take(&n->a); else if (mode & 2) share(&n->a);
	if (mode & 4) take(&n->b); else if (mode & 8) share(&n->b);
	if (mode & 16) take(&n->c); else if (mode & 32) share(&n->c);
}
static void unlock(struct node *n, unsigned mode)
{
	if (mode & 3) give(&n->a);
	if (mode & 12) give(&n->b);
	if (mode & 48) give(&n->c);
}
static void wrapped(struct node *n, unsigned mode) { lock(n, mode); }
static void wrapped_twice(struct node *n, unsigned mode) { wrapped(n, mode | 32); }
"""


def held(folder: Path, body: str) -> set[tuple[str, ...]]:
    """The locks that `f` leaves held, with their modes, in each of its outcomes."""
    text = HEAD + f"void f(struct node *n, unsigned other) {{ {body} }}"
    engine = run(program(folder, a=text), models(folder, MODEL))
    outcomes = engine.summary("a.c:f").outcomes
    return {tuple(f"{lock.text} {lock.mode}" for lock in outcome.acquired) for outcome in outcomes}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("lock(n, 1);", ("n->a exclusive",)),
        ("lock(n, 8 | 16);", ("n->b shared", "n->c exclusive")),
        ("lock(n, 2 | 4 | 32); unlock(n, 4);", ("n->a shared", "n->c shared")),
        ("lock(n, 0);", ()),
        ("wrapped(n, 4);", ("n->b exclusive",)),
        ("wrapped_twice(n, 1);", ("n->a exclusive", "n->c shared")),
    ],
)
def test_a_constant_says_which(tmp_path: Path, body: str, expected: tuple[str, ...]) -> None:
    assert held(tmp_path, body) == {expected}


def test_nobody_says_which(tmp_path: Path) -> None:
    assert held(tmp_path, "wrapped(n, other);") == {()}
