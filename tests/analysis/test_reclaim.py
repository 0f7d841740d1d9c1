"""What reclaim takes: whose function a pointer means, which flags are asked for, what is put off to workers."""

from pathlib import Path

import pytest
from analysed import FS, IO, SLEEPS, models, program, run

from gfpcheck.analysis.callgraph import CallGraph
from gfpcheck.analysis.reclaim import Reclaim

MODEL = """
last_references = ["put_and_test"]
[locks]
take = { does = "acquire", kind = "mutex" }
give = { does = "release", kind = "mutex" }
try_to_take = { does = "acquire", kind = "mutex", when = "nonzero", try = true }
[reclaim]
"struct ops.evict" = { gate = "__GFP_FS", kept_by = "end_all" }
"struct ops.drop" = { gate = "__GFP_FS", owns = 0, refused = "struct ops.unwanted" }
"struct ops.shrink" = { gate = "", mask = 1, mask_member = "struct control.mask" }
"struct ops.queue" = { gate = "__GFP_IO", io = true }
"""

HEAD = """
typedef unsigned gfp_t;
struct lock { int held; };
struct control { int nid; gfp_t mask; };
struct work_struct { void *data; void (*func)(struct work_struct *); };
struct object;
struct ops {
    void (*evict)(struct object *);
    long (*shrink)(struct object *, struct control *);
    int (*queue)(struct object *);
    void (*write)(struct object *);
    void (*end)(struct object *);
    void (*drop)(struct object *);
    int (*unwanted)(struct object *);
};
void end_all(struct object *);
struct object { struct ops *ops; struct lock lock; int flags; };
void take(struct lock *);
void give(struct lock *);
void *kmalloc(unsigned long, gfp_t);
void queue_work(void *, struct work_struct *);
int put_and_test(struct object *);
"""


def reclaim(folder: Path, **files: str) -> Reclaim:
    prog = program(folder, **{name: HEAD + text for name, text in files.items()})
    knowledge = models(folder, MODEL)
    return Reclaim(prog, run(prog, knowledge), knowledge, CallGraph(prog))


def fs(name: str, evict: str) -> str:
    """A file system whose write takes a lock of its own."""
    return f"""
    static struct lock {name}_lock;
    void {name}_write(struct object *o) {{ take(&{name}_lock); give(&{name}_lock); }}
    void {name}_evict(struct object *o) {{ {evict} }}
    struct ops {name}_ops = {{ .evict = {name}_evict, .write = {name}_write }};
    """


def test_an_object_has_the_operations_of_its_module(tmp_path: Path) -> None:
    found = reclaim(tmp_path, fs__a__a=fs("a", "o->ops->write(o);"), fs__b__b=fs("b", ""))
    assert list(found.ways("fs/a/a.c")) == ["a_lock"]
    assert found.ways("fs/b/b.c") == {}


def test_a_module_that_evicts_is_not_entered_through_another(tmp_path: Path) -> None:
    """Whoever has no such function may be entered through anybody's, but that is not sure."""
    text = "void a_evict(struct object *o) { take(&o->lock); give(&o->lock); } struct ops a_ops = { .evict = a_evict };"
    found = reclaim(tmp_path, fs__a__a=text, fs__b__b=fs("b", ""), fs__c="void c(void) { }")
    assert [way.sure for way in found.ways("fs/a/a.c")["struct object.lock"]] == [True]
    assert found.ways("fs/b/b.c") == {}
    assert [way.sure for way in found.ways("fs/c.c")["struct object.lock"]] == [False]


@pytest.mark.parametrize(
    ("file", "end"),
    [
        ("a", "struct ops a_end = { .end = end_all };"),
        ("a", "void a_end(struct object *o) { end_all(o); }"),
        ("other", "struct ops a_end = { .end = end_all };"),
    ],
)
def test_what_is_kept_in_use_is_hardly_evicted(tmp_path: Path, file: str, end: str) -> None:
    files = {"fs__a__other": "", "fs__a__a": fs("a", "a_write(o);")}
    files[f"fs__a__{file}"] += end
    (way,) = reclaim(tmp_path, **files).ways("fs/a/a.c")["a_lock"]
    assert way.sure is (file != "a")


@pytest.mark.parametrize(
    ("unwanted", "sure"),
    [
        (".unwanted = a_unwanted,", False),
        ("", True),
        (".unwanted = a_other,", True),
    ],
)
def test_what_another_method_does_not_leave_for_reclaim_is_hardly_met(
    tmp_path: Path, unwanted: str, sure: bool
) -> None:
    text = f"""
    static int a_unwanted(struct object *o) {{ if (!o->lock.held) return 1; if (o->flags & 4) return 1; return 0; }}
    static int a_other(struct object *o) {{ if (o->flags & 8) return 1; return 0; }}
    static void a_finish(struct object *o) {{ take(&a_lock); give(&a_lock); }}
    static void a_drop(struct object *o) {{ if (o->flags & 4) a_finish(o); }}
    struct ops a_ops = {{ .drop = a_drop, {unwanted} }};
    """
    found = reclaim(tmp_path, fs__a__a=f"static struct lock a_lock; {text}")
    assert [way.sure for way in found.ways("fs/a/a.c")["a_lock"]] == [sure]


def test_a_pointer_of_many_is_not_sure(tmp_path: Path) -> None:
    others = {f"x__m{n}__m": fs(f"m{n}", "") for n in range(9)}
    text = "void a_evict(struct object *o) { o->ops->write(o); } struct ops a_ops = { .evict = a_evict };"
    found = reclaim(tmp_path, y__a=text, **others)
    assert [way.sure for way in found.ways("x/m0/m.c")["m0_lock"]] == [False]


@pytest.mark.parametrize(
    ("before", "gate"),
    [
        ("", ""),
        (f"if (!(c->mask & {FS})) return 0;", "__GFP_FS"),
        (f"if ((c->mask & {FS | SLEEPS}) != {FS | SLEEPS}) return 0;", "__GFP_FS"),
        (f"if (!(c->mask & {IO})) return 0;", "__GFP_IO"),
        (f"if (!(c->mask & {SLEEPS})) return 0;", ""),
        (f"if (c->mask & {FS}) return 0;", ""),
        (f"if (!(c->nid & {FS})) return 0;", ""),
        (f"if (!(c->mask & {FS})) c->nid = 0;", ""),
    ],
)
@pytest.mark.parametrize("below", [False, True])
def test_what_a_shrinker_asks_for(tmp_path: Path, before: str, gate: str, below: bool) -> None:
    """In the shrinker itself, and in a function that it hands the flags on to."""
    took = "take(&o->lock); give(&o->lock); return 1;"
    if below:
        body = f"long help(struct control *c, struct object *o) {{ {before} {took} }}"
        text = f"{body} long scan(struct object *o, struct control *c) {{ return help(c, o); }}"
    else:
        text = f"long scan(struct object *o, struct control *c) {{ {before} {took} }}"
    found = reclaim(tmp_path, a=f"{text} struct ops ops = {{ .shrink = scan }};")
    (way,) = found.ways("a.c")["struct object.lock"]
    assert (way.gate, way.sure, way.io) == (gate, True, False)


def test_the_way_to_a_device_goes_on_in_workers(tmp_path: Path) -> None:
    """A work item that is made there belongs to it; one that is only queued may be for something else."""
    text = """
    struct dev { struct work_struct kept; struct work_struct other; };
    struct cmd { struct work_struct work; };
    static struct dev dev; static struct cmd cmd;
    static void *p;
    static void cmd_work(struct work_struct *w) { p = kmalloc(8, 0x4c0); }
    static void kept_work(struct work_struct *w) { p = kmalloc(8, 0x4c0); }
    static void other_work(struct work_struct *w) { p = kmalloc(8, 0x4c0); }
    void probe(struct dev *d) { d->kept.func = kept_work; d->other.func = other_work; p = kmalloc(8, 0x4c0); }
    static int queue(struct object *o)
    { cmd.work.func = cmd_work; queue_work(0, &cmd.work); queue_work(0, &dev.kept); return 0; }
    struct ops ops = { .queue = queue };
    """
    found = reclaim(tmp_path, a=text)
    assert {key.partition(":")[2]: way.sure for key, way in found.io.items()} == {
        "queue": True,
        "cmd_work": True,
        "kept_work": False,
    }


def test_an_object_that_is_tried_first_is_not_sure_to_be_waited_for(tmp_path: Path) -> None:
    """The lock of an object that somebody works on is held."""
    text = """
    struct node { struct lock lock; struct lock io; };
    struct other { struct lock io; };
    int try_to_take(struct lock *);
    static struct node *node; static struct other *other;
    long scan(struct object *o, struct control *c)
    {
        if (!try_to_take(&node->lock)) return 0;
        take(&node->io); give(&node->io); take(&other->io); give(&other->io);
        give(&node->lock); return 1;
    }
    struct ops ops = { .shrink = scan };
    """
    ways = reclaim(tmp_path, a=text).ways("a.c")
    assert {cls: way.sure for cls, (way,) in ways.items()} == {"struct node.io": False, "struct other.io": True}


def test_a_delayed_work_item_is_told_apart_by_its_object(tmp_path: Path) -> None:
    text = """
    struct delayed_work { struct work_struct work; };
    struct dev { struct delayed_work io; struct delayed_work setup; };
    static struct dev dev; static void *p;
    void queue_delayed(struct delayed_work *);
    static void io_work(struct work_struct *w) { p = kmalloc(8, 0x4c0); }
    static void setup_work(struct work_struct *w) { p = kmalloc(8, 0x4c0); }
    void probe(struct dev *d) { d->io.work.func = io_work; d->setup.work.func = setup_work; }
    static int queue(struct object *o) { queue_delayed(&dev.io); return 0; }
    struct ops ops = { .queue = queue };
    """
    assert {key.partition(":")[2] for key in reclaim(tmp_path, a=text).io} == {"queue", "io_work"}


@pytest.mark.parametrize(("calls", "sure"), [(7, True), (8, False)])
def test_a_long_way_is_not_sure(tmp_path: Path, calls: int, sure: bool) -> None:
    chain = "".join(f"void f{n}(struct object *o) {{ f{n - 1}(o); }}\n" for n in range(1, calls))
    first = "void f0(struct object *o) { take(&o->lock); give(&o->lock); }"
    text = f"{first} {chain} void evict(struct object *o) {{ f{calls - 1}(o); }} struct ops ops = {{ .evict = evict }};"
    (way,) = reclaim(tmp_path, a=text).ways("a.c")["struct object.lock"]
    assert (len(way.chain), way.sure) == (calls + 1, sure)


@pytest.mark.parametrize(
    ("body", "sure"),
    [
        ("last(o);", True),
        ("if (put_and_test(o)) last(o);", False),
        ("if (!put_and_test(o)) return 0; last(o);", False),
        ("int gone = put_and_test(o); if (gone != 0) last(o);", False),
        ("if (put_and_test(o)) last(o); else last(o);", True),
        ("if (!put_and_test(o)) last(o);", True),
        ("if (put_and_test(o)) p = 0; last(o);", True),
    ],
)
def test_what_comes_with_the_last_reference_is_hardly_on_the_way_to_a_device(
    tmp_path: Path, body: str, sure: bool
) -> None:
    text = f"""
    static void *p;
    static void last(struct object *o) {{ take(&o->lock); p = kmalloc(8, 0x4c0); give(&o->lock); }}
    static int queue(struct object *o) {{ {body} return 0; }}
    struct ops ops = {{ .queue = queue }};
    """
    found = reclaim(tmp_path, a=text)
    assert {key.partition(":")[2]: way.sure for key, way in found.io.items()} == {"queue": True, "last": sure}
    assert [way.sure for way in found.ways("a.c")["struct object.lock"]] == [sure]


def test_what_is_handed_on_may_be_kept_for_later(tmp_path: Path) -> None:
    """A function that is called by the one it is handed to is on the way all the same."""
    text = """
    static void (*kept)(struct object *); static void *p;
    static void later(struct object *o) { p = kmalloc(8, 0x4c0); }
    static void now(struct object *o) { p = kmalloc(8, 0x4c0); }
    static void keep(struct object *o, void (*fn)(struct object *)) { kept = fn; p = kmalloc(8, 0x4c0); }
    static void do_it(struct object *o, void (*fn)(struct object *)) { fn(o); }
    static int queue(struct object *o) { keep(o, later); do_it(o, now); return 0; }
    struct ops ops = { .queue = queue };
    """
    found = reclaim(tmp_path, a=text)
    sure = {key.partition(":")[2]: way.sure for key, way in found.io.items()}
    assert sure == {"queue": True, "keep": True, "do_it": True, "now": True, "later": False}
