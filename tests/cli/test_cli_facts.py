"""`gfpcheck facts`: what is held on each line, what is allocated there, and how reclaim comes in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fixtures_harness import TREE

from .cli_run import Cli, built_folder
from .conftest import Here

CODE = """\
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>

struct shown {
	spinlock_t lock;
	struct mutex mutex;
	void *memory;
};

static void *shown_helper(gfp_t gfp)
{
	return kmalloc(8, gfp);
}

int shown_paths(struct shown *s, int wait, int n)
{
	unsigned int nofs = memalloc_nofs_save();

	if (wait)
		mutex_lock(&s->mutex);
	else if (!mutex_trylock(&s->mutex))
		goto out;
	s->memory = shown_helper(GFP_KERNEL);
	if (n > 3)
		spin_lock(&s->lock);
	s->memory = kmalloc(n, GFP_ATOMIC);
	if (n > 3)
		spin_unlock(&s->lock);
	mutex_unlock(&s->mutex);
out:
	memalloc_nofs_restore(nofs);
	if (n < 0)
		return n;
	if (n < 0)
		s->memory = NULL;
	return 0;
}

void *shown_loop(struct shown *s)
{
	void *p;

	do {
		p = kmalloc(8, GFP_NOIO);
	} while (!p);
	return p;
}
"""
REACHED = "shown_helper() reaches kmalloc() at fs/shown/shown.c:14: GFP_KERNEL, in effect GFP_NOFS; may sleep"
PATHS = f"""\
shown_paths() in fs/shown/shown.c:17
  A  mutex s->mutex (struct shown.mutex), taken in line 23
  B  spinlock s->lock (struct shown.lock), taken in line 27
  may sleep in mutex_lock(), in line 22
             17 | int shown_paths(struct shown *s, int wait, int n)
             18 | {{
             19 |         unsigned int nofs = memalloc_nofs_save();
             20 |
nofs         21 |         if (wait)
nofs         22 |                 mutex_lock(&s->mutex);
nofs         23 |         else if (!mutex_trylock(&s->mutex))
.            24 |                 goto out;
A nofs       25 |         s->memory = shown_helper(GFP_KERNEL);
                > {REACHED}; with A nofs
A nofs       26 |         if (n > 3)
A nofs       27 |                 spin_lock(&s->lock);
A B? nofs    28 |         s->memory = kmalloc(n, GFP_ATOMIC);
                > kmalloc(): GFP_ATOMIC; does not sleep; with A nofs
                > kmalloc(): GFP_ATOMIC; does not sleep; with A B nofs
A B? nofs    29 |         if (n > 3)
A B nofs     30 |                 spin_unlock(&s->lock);
A nofs       31 |         mutex_unlock(&s->mutex);
             32 | out:
nofs         33 |         memalloc_nofs_restore(nofs);
             34 |         if (n < 0)
             35 |                 return n;
             36 |         if (n < 0)
never        37 |                 s->memory = NULL;
             38 |         return 0;
             39 | }}
"""


PLAIN_HEADER = """\
enum { __GFP_DIRECT_RECLAIM = 1, __GFP_FS = 2, __GFP_NOFAIL = 4 };
#define GFP_KERNEL 3
"""


@pytest.fixture
def shown(tree: Path) -> Path:
    """The C above, in a folder of a miniature tree."""
    return built_folder(tree, "shown", {"shown": CODE}) / "shown.c"


def test_text_beside_the_source(here: Here, shown: Path) -> None:
    run = here("facts", f"{shown}:shown_paths")
    assert (run.code, run.out) == (0, PATHS)
    assert "unconfigured tree" in run.err


def test_a_whole_file(here: Here, shown: Path) -> None:
    functions = here("facts", shown).out.split("\n\n")
    assert [text.partition("(")[0] for text in functions if "() in " in text] == [
        "shown_helper",
        "shown_paths",
        "shown_loop",
    ]
    helper = functions[0].splitlines()
    assert (
        helper[1] == "  called from shown_paths() in line 25, with mutex s->mutex (struct shown.mutex) and NOFS scope"
    )
    assert helper[2] == "  may sleep in kmalloc(), in line 14"
    assert helper[3].startswith("nofs ")  # its caller has the scope open
    assert helper[6].endswith("> kmalloc(): unknown flags; may or may not sleep; with nofs")
    assert [line for line in functions[-1].splitlines() if ">" in line] == [
        "             > kmalloc(): GFP_NOIO; may sleep",
        "             > loop: kmalloc() is tried again until there is memory",
    ]


def test_json_says_the_same(here: Here, shown: Path) -> None:
    found = json.loads(here("facts", f"{shown}:shown_paths", "--format", "json").out)
    assert (found["schema_version"], found["root"]) == (1, str(shown.parents[2]))
    [function] = found["functions"]
    assert (function["name"], function["line"], function["end_line"]) == ("shown_paths", 17, 39)
    assert {letter: (lock["class"], lock["line"]) for letter, lock in function["locks"].items()} == {
        "A": ("struct shown.mutex", 23),
        "B": ("struct shown.lock", 27),
    }
    sleep = function["sleep"]
    assert (sleep["always"], sleep["what"], [place["line"] for place in sleep["way"]]) == (False, "mutex_lock", [22])
    lines = {line["line"]: line["states"] for line in function["lines"]}
    assert lines[28] == [
        {"locks": ["A"], "maybe": [], "scopes": ["nofs"]},
        {"locks": ["A", "B"], "maybe": [], "scopes": ["nofs"]},
    ]
    assert lines[37] == []
    assert 24 not in lines
    helper, plain = function["allocations"]
    assert (helper["name"], helper["call"], helper["via"][0]["line"]) == ("kmalloc", "shown_helper", 14)
    assert helper["situations"][0]["effective"] == "GFP_NOFS"
    assert [(state["locks"], state["sleeps"]) for state in plain["situations"]] == [(["A"], False), (["A", "B"], False)]


def test_reclaim_is_seen_when_its_side_is_analysed(here: Here) -> None:
    place = f"{TREE}/fs/minifs/inode.c:minifs_grow_imap"
    assert "reclaim" not in here("facts", place).out
    together = here("facts", place, "--within", TREE / "fs/minifs")
    assert "     reclaim waits for it through super_operations.evict_inode, with __GFP_FS: " in together.out
    [function] = json.loads(here("facts", place, "--within", TREE / "fs/minifs", "--format", "json").out)["functions"]
    paths = [lock["reclaim"] for lock in function["locks"].values() if lock["reclaim"]]
    assert paths
    assert all(path["root"] and path["steps"] for path in paths)


def test_what_a_callback_is_entered_with(here: Here) -> None:
    run = here("facts", f"{TREE}/rules/GFP102/timer.c:cb_timer_expired")
    _, lock, sleep, first, *_ = run.out.splitlines()
    assert lock.startswith("  A  section with softirqs off, held at entry: it is registered by timer_setup() in line ")
    assert sleep.startswith("  sleeps in kmalloc(), in line ")
    assert first.startswith("A  ")


def test_callers_and_what_they_hold(here: Here) -> None:
    place = f"{TREE}/fs/minifs/alloc.c:minifs_new_extent"
    ways = [line for line in here("facts", place).out.splitlines() if " from " in line]
    held = "spinlock grp->lock (struct minifs_group.lock)"
    assert [re.sub(r"\d+", "N", way) for way in ways] == [
        "  called from minifs_free_blocks() in line N, with nothing held",
        f"         from minifs_split_extent() in line N, from minifs_trim_group() in line N, with {held}",
    ]
    [function] = json.loads(here("facts", place, "--format", "json").out)["functions"]
    assert [[call["function"] for call in entry["chain"]] for entry in function["entries"]] == [
        ["minifs_free_blocks"],
        ["minifs_trim_group", "minifs_split_extent"],
    ]
    assert [[lock["class"] for lock in entry["locks"]] for entry in function["entries"]] == [
        [],
        ["struct minifs_group.lock"],
    ]


RECURSIVE = """\
#include "kernel.h"
void odd(int n);
void even(int n)
{
	if (n)
		odd(n - 1);
}
void odd(int n)
{
	if (n)
		even(n - 1);
}
"""


def test_callers_that_call_each_other_and_too_many_of_them(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "kernel.h").write_text(PLAIN_HEADER)
    many = "".join(f"void caller{number}(void)\n{{\n\teven({number});\n}}\n" for number in range(30))
    (tmp_path / "x.c").write_text(RECURSIVE + many)
    ways = [line for line in cli("facts", "x.c:even").out.splitlines() if " from " in line]
    assert ways == ["  called from caller0() in line 15, with nothing held; the same from 30 other places"]


def test_a_function_of_a_header(here: Here) -> None:
    place = f"{TREE}/fs/minifs/minifs.h:MINIFS_I"
    assert here("facts", place).code == 2
    run = here("facts", place, "--within", TREE / "fs/minifs/inode.c")
    assert run.code == 0
    assert run.out.startswith("MINIFS_I() in fs/minifs/minifs.h:73\n")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("shown_path", "there is no function 'shown_path' in it that has a body; did you mean shown_paths?"),
        ("x", "there is no function 'x' in it that has a body\n"),
    ],
)
def test_a_function_that_is_not_there(here: Here, shown: Path, name: str, why: str) -> None:
    run = here("facts", f"{shown}:{name}")
    assert (run.code, run.out) == (2, "")
    assert f"gfpcheck: {shown}: {why}" in run.err


def test_files_that_are_none(here: Here, tmp_path: Path) -> None:
    assert here("facts", "none.c:f").err == "gfpcheck: none.c: no such file or directory\n"
    assert here("facts", "none.c").code == 2


def test_a_folder_is_no_file(here: Here) -> None:
    run = here("facts", TREE / "fs")
    assert (run.code, run.out) == (2, "")
    assert run.err == f"gfpcheck: {TREE}/fs: a folder; name one file, or a function of it (FILE:FUNCTION)\n"


def test_a_colon_in_the_name_of_a_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "kernel.h").write_text(PLAIN_HEADER)
    (tmp_path / "a:b.c").write_text('#include "kernel.h"\nint f(void)\n{\n\treturn 0;\n}\n')
    assert cli("facts", "a:b.c").out.startswith("f() in a:b.c:2\n")
    assert cli("facts", "a:b.c:f").out.startswith("f() in a:b.c:2\n")


def test_nothing_that_a_terminal_obeys(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "kernel.h").write_text(PLAIN_HEADER)
    (tmp_path / "x.c").write_text('#include "kernel.h"\nint f(void)\n{\n\treturn 0; /* \x1b[2J */\n}\n')
    run = cli("facts", "x.c")
    assert "\x1b" not in run.out
    coloured = cli("facts", "x.c", env={"FORCE_COLOR": "1"})
    assert "\x1b[2J" not in coloured.out
    assert "\x1b[1m" in coloured.out
