"""Locks that the methods of an operations table are called with."""

from pathlib import Path

import pytest
from analysed import models, program

from gfpcheck.analysis.starts import Starts

MODEL = """
[contracts]
"struct ops.create" = { exclusive = ["0 struct node.lock"] }
"struct ops.link" = { exclusive = ["1 struct node.lock", "0 struct name.node > struct node.lock"] }
"struct ops.lookup" = { shared = ["0 struct node.lock"] }
"struct ops.most" = { exclusive = ["7 struct node.lock"] }
"""
HEAD = """
struct node { int lock; };
struct name { struct node *node; };
struct ops {
	int (*create)(struct node *);
	int (*link)(struct name *, struct node *);
	int (*lookup)(struct node *);
	int (*most)(struct node *);
	int (*open)(struct node *);
};
static int f(struct node *dir) { return 0; }
static int g(struct name *old, struct node *dir) { return 0; }
"""


def held(folder: Path, text: str, function: str = "f") -> list[tuple[str, str, str]]:
    """(lock as it is written, class, mode) of each lock at entry."""
    starts = Starts(program(folder, a=HEAD + text), models(folder, MODEL))
    locks = starts.held(f"a.c:{function}")
    assert all(lock.origin == "contract" and lock.kind == "rwsem" and lock.site.file == "a.c" for lock in locks)
    return [(lock.text, lock.cls, lock.mode) for lock in locks]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("struct ops o = { .create = f };", [("dir->lock", "struct node.lock", "exclusive")]),
        ("struct ops o = { f };", [("dir->lock", "struct node.lock", "exclusive")]),
        ("struct ops o = { .lookup = f };", [("dir->lock", "struct node.lock", "shared")]),
        ("struct ops o = { .open = f };", []),
        ("struct ops o = { .most = f };", []),  # there is no such parameter
        ("int (*alone)(struct node *) = f;", []),
    ],
)
def test_a_method_is_entered_with_what_its_table_promises(
    tmp_path: Path, text: str, expected: list[tuple[str, str, str]]
) -> None:
    assert held(tmp_path, text) == expected


def test_locks_are_reached_over_members(tmp_path: Path) -> None:
    assert held(tmp_path, "struct ops o = { .link = g };", "g") == [
        ("dir->lock", "struct node.lock", "exclusive"),
        ("old->node->lock", "struct node.lock", "exclusive"),
    ]


def test_of_a_function_in_two_tables_only_what_both_promise(tmp_path: Path) -> None:
    assert held(tmp_path, "struct ops o = { .create = f }, p = { .create = f };") != []
    assert held(tmp_path, "struct ops o = { .create = f, .lookup = f };") == []
    assert held(tmp_path, "struct ops o = { .create = f, .open = f };") == []
