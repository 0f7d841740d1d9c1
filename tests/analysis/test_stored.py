"""What a function puts where its parameters point: values, objects, and the locks of these."""

from pathlib import Path

import pytest
from analysed import in_order, models, program, run

MODEL = """
[locks]
take = { does = "acquire", kind = "mutex" }
try_take = { does = "acquire", kind = "mutex", when = "nonzero" }
give = { does = "release", kind = "mutex" }
"""
HEAD = """
typedef unsigned gfp_t;
struct lock { int held; };
struct node { struct lock lock; struct node *next; };
struct set { struct node *first; gfp_t flags; };
void take(struct lock *);
int try_take(struct lock *);
void give(struct lock *);
struct node *pick(struct set *);
void *kmalloc(unsigned long, gfp_t);
int fails(void);
static int find(struct set *s, struct node **out)
{
	struct node *n = pick(s);

	*out = 0;
	if (!n)
		return -2;
	take(&n->lock);
	if (fails()) {
		give(&n->lock);
		return -11;
	}
	*out = n;
	return 0;
}
static int find_first(struct set *s, struct node **out) { return find(s, out); }
static int find_again(struct set *s, struct node **out)
{
	struct node *n;
	int err = find(s, &n);

	if (err)
		return err;
	*out = n;
	return 0;
}
static void put(struct node *n) { give(&n->lock); }
static void lookup(struct set *s, struct node **out)
{
	struct node *n = pick(s);

	if (n && !try_take(&n->lock))
		n = 0;
	*out = n;
}
static int choose(int atomic, gfp_t *flags)
{
	if (atomic) {
		*flags = 0x20;
		return 1;
	}
	*flags = 0x400;
	return 0;
}
static void hand(gfp_t given, gfp_t *flags) { *flags = given | 0x100; }
static void alloc(void) { kmalloc(1, 0x400); }
"""


def sites(folder: Path, body: str, name: str) -> list[set[str]]:
    """Of each call in `f` that allocates in the end, in order: the locks held, or the flags if `name` is "flags"."""
    text = HEAD + f"int f(struct set *s) {{ struct node *n; gfp_t g; {body} return 0; }}"
    engine = run(program(folder, a=text), models(folder, MODEL))
    found = in_order(engine, "a.c:f")
    if name == "flags":
        return [{f"{c.flags.ones:#x}" if c.flags.known else "?" for c in site.contexts} for site in found]
    return [
        {f"{lock.text}{'?' * lock.may}" for c in site.contexts for lock in c.locks}
        | {"" for c in site.contexts if not c.locks}
        for site in found
    ]


@pytest.mark.parametrize("find", ["find", "find_first", "find_again"])
def test_the_lock_of_an_object_that_is_stored(tmp_path: Path, find: str) -> None:
    body = f"if ({find}(s, &n)) {{ alloc(); return 1; }} alloc(); put(n); alloc();"
    assert sites(tmp_path, body, "locks") == [{""}, {"n->lock"}, {""}]


def test_in_a_member(tmp_path: Path) -> None:
    body = "if (find(s, &s->first)) { alloc(); return 1; } alloc(); put(s->first); alloc();"
    assert sites(tmp_path, body, "locks") == [{""}, {"s->first->lock"}, {""}]


def test_null_is_stored_where_there_is_no_lock(tmp_path: Path) -> None:
    body = "lookup(s, &n); if (!n) { alloc(); return 1; } alloc(); put(n); alloc();"
    assert sites(tmp_path, body, "locks") == [{""}, {"n->lock"}, {""}]


def test_an_earlier_value_is_forgotten(tmp_path: Path) -> None:
    body = "n = 0; find(s, &n); if (n) alloc();"
    assert sites(tmp_path, body, "locks") == [{"n->lock"}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("choose(1, &g); kmalloc(1, g);", [{"0x20"}]),
        ("choose(0, &g); kmalloc(1, g);", [{"0x400"}]),
        ("g = 0x20; choose(0, &g); kmalloc(1, g);", [{"0x400"}]),
        ("if (choose(s->flags, &g)) kmalloc(1, g); else kmalloc(2, g);", [{"0x20"}, {"0x400"}]),
        ("hand(0x20, &g); kmalloc(1, g);", [{"0x120"}]),
        ("choose(1, &s->flags); kmalloc(1, s->flags);", [{"0x20"}]),
        ("choose(1, 0); kmalloc(1, 0x20);", [{"0x20"}]),
    ],
)
def test_values(tmp_path: Path, body: str, expected: list[set[str]]) -> None:
    assert sites(tmp_path, body, "flags") == expected
