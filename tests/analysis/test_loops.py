"""What a loop that retries an allocation is said to wait with."""

from pathlib import Path

import pytest
from analysed import program, run

from gfpcheck.analysis.loops import LoopFinder
from gfpcheck.models import load

HEAD = """
typedef unsigned gfp_t;
void *kmalloc(unsigned long size, gfp_t gfp);
void msleep(unsigned ms);
static inline int is_bad(const void *p) { return (unsigned long)p >= (unsigned long)-4095; }
static void *make(void) { void *p = kmalloc(8, 0x4c0); if (!p) return (void *)-12L; return p; }
"""


@pytest.mark.parametrize(
    ("body", "waits"),
    [
        ("void *p; do { p = make(); if (!is_bad(p)) break; msleep(1); } while (1); return p;", ("msleep",)),
        ("void *p; do { p = make(); } while (is_bad(p)); return p;", ()),
        ("void *p; while (!(p = kmalloc(8, 0x4c0))) msleep(1); return p;", ("msleep",)),
    ],
)
def test_a_question_is_no_wait(tmp_path: Path, body: str, waits: tuple[str, ...]) -> None:
    prog = program(tmp_path, a=HEAD + f"void *f(void) {{ {body} }}")
    engine = run(prog, load((6, 12), []))
    (loop,) = LoopFinder(prog, engine).retry_loops(prog.functions["a.c:f"], engine.facts["a.c:f"].sites)
    assert loop.waits == waits
