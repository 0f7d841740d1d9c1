"""Elements of reserves: which pool they are from, and whether the first is given back for the second."""

from pathlib import Path

import pytest
from analysed import program, run

from gfpcheck.analysis.callgraph import CallGraph
from gfpcheck.analysis.pools import Pools
from gfpcheck.models import load

HEAD = """
typedef unsigned gfp_t;
struct bio { struct bio *next; };
struct bio_set { int n; };
struct dev { struct bio_set set; struct bio_set *other; struct bio *bio; };
struct bio *bio_alloc_bioset(void *dev, unsigned n, unsigned op, gfp_t gfp, struct bio_set *set);
void bio_chain(struct bio *, struct bio *);
void submit_bio(struct bio *);
#define NEW(set) bio_alloc_bioset(0, 1, 0, 0x440, set)
"""


def nestings(folder: Path, text: str) -> list[tuple[str, bool]]:
    """The pools that function f() takes two elements of, and whether one is given back for the other."""
    prog = program(folder, a=HEAD + text)
    engine = run(prog, load((6, 12), []))
    pools = Pools(engine, CallGraph(prog))
    found = pools.nestings(prog.functions["a.c:f"], engine.facts["a.c:f"].sites)
    return [(nesting.text, nesting.exchanged) for nesting in found]


@pytest.mark.parametrize(
    ("after", "exchanged"),
    [
        ("bio_chain(b, a); submit_bio(a);", True),
        ("b->next = a; submit_bio(a);", True),
        ("d->other = 0; struct bio *c = a; submit_bio(c);", True),
        ("submit_bio(b); submit_bio(a);", True),
        ("submit_bio(b);", False),
        ("a = b; submit_bio(a);", False),
        ("if (d->other) submit_bio(a);", False),
    ],
)
def test_one_is_given_back_for_the_other(tmp_path: Path, after: str, exchanged: bool) -> None:
    text = f"void f(struct dev *d) {{ struct bio *a = NEW(&d->set); struct bio *b = NEW(&d->set); {after} }}"
    assert nestings(tmp_path, text) == [("d->set", exchanged)]


@pytest.mark.parametrize(
    ("body", "exchanged"),
    [
        ("struct bio *c = NEW(&d->set); bio_chain(b, c); submit_bio(b); return c;", True),
        ("struct bio *c = NEW(&d->set); if (b) submit_bio(b); return c;", True),
        ("struct bio *c = NEW(&d->set); if (d->other) submit_bio(b); return c;", False),
        ("struct bio *c = NEW(&d->set); c->next = b; return c;", False),
    ],
)
def test_a_helper_gives_one_back_for_the_other(tmp_path: Path, body: str, exchanged: bool) -> None:
    helper = f"static struct bio *next(struct dev *d, struct bio *b) {{ {body} }}"
    text = f"{helper} void f(struct dev *d) {{ struct bio *a = NEW(&d->set); a = next(d, a); d->bio = a; }}"
    assert nestings(tmp_path, text) == [("d->set", exchanged)]


@pytest.mark.parametrize(
    ("helper", "unseen"),
    [
        ("struct bio *make(struct dev *d) { return NEW(&d->set); }", False),
        ("void make(struct dev *d) { d->bio = NEW(&d->set); }", True),
        ("int make(struct dev *d) { d->bio = NEW(&d->set); return 0; }", True),
    ],
)
def test_what_a_helper_keeps_is_not_in_sight(tmp_path: Path, helper: str, unseen: bool) -> None:
    prog = program(tmp_path, a=HEAD + f"{helper} void f(struct dev *d) {{ make(d); make(d); }}")
    engine = run(prog, load((6, 12), []))
    found = Pools(engine, CallGraph(prog)).nestings(prog.functions["a.c:f"], engine.facts["a.c:f"].sites)
    assert [nesting.unseen for nesting in found] == [unseen]


@pytest.mark.parametrize(
    ("helper", "pools"),
    [
        ("struct bio *make(struct dev *d) { return NEW(&d->set); }", ["d->set"]),
        ("struct bio *make(struct dev *d) { struct bio_set *s = d->other; return NEW(s); }", ["*d->other"]),
        ("struct bio *make(struct dev *d) { struct bio_set *s = d->other; s = &d->set; return NEW(s); }", []),
        ("struct bio *make(struct dev *d) { d = d + 1; return NEW(&d->set); }", []),
        (
            "void fill(struct bio_set **); struct bio *make(struct dev *d)"
            " { struct bio_set *s = d->other; fill(&s); return NEW(s); }",
            [],
        ),
        (
            "struct bio *low(struct bio_set *s) { return NEW(s); }"
            " struct bio *make(struct dev *d) { return low(&d->set); }",
            ["d->set"],
        ),
    ],
)
def test_a_pool_is_named_by_what_a_helper_is_given(tmp_path: Path, helper: str, pools: list[str]) -> None:
    found = nestings(tmp_path, f"{helper} void f(struct dev *d) {{ make(d)->next = make(d); }}")
    assert [pool for pool, _ in found] == pools
