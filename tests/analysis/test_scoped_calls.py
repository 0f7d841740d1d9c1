"""A function whose effect on scopes a model tells: what it allocates is seen all the same, before the scope is open."""

from pathlib import Path

from analysed import in_order, models, program, run

MODEL = """
[scopes]
begin = { does = "open", kind = "nofs" }
finish = { does = "close", kind = "nofs" }
"""
TEXT = """
struct node;
typedef unsigned gfp_t;
void *kmalloc(unsigned long, gfp_t);
unsigned begin(struct node *n, gfp_t gfp) { kmalloc(8, gfp | 0x8000); return 1; }
void finish(unsigned token) { kmalloc(16, 0x4c0); }
void f(struct node *n)
{
    unsigned token = begin(n, 0x440);

    kmalloc(32, 0x4c0);
    finish(token);
    kmalloc(64, 0x4c0);
}
"""


def test_what_is_allocated_where_a_scope_is_opened_and_closed(tmp_path: Path) -> None:
    engine = run(program(tmp_path, a=TEXT), models(tmp_path, MODEL))
    found = [
        (each.via != (), [(hex(context.flags.ones), context.scopes) for context in each.contexts])
        for each in in_order(engine, "a.c:f")
    ]
    assert found == [
        (True, [("0x8440", ())]),
        (False, [("0x4c0", ("nofs",))]),
        (True, [("0x4c0", ("nofs",))]),
        (False, [("0x4c0", ())]),
    ]
