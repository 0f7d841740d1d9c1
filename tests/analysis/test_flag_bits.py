"""Flags that a function works out of an argument: exact for a constant, else known as far as all arguments agree."""

from pathlib import Path

import pytest
from analysed import models, program, run

HEAD = """
typedef unsigned gfp_t;
void *kmalloc(unsigned long, gfp_t);
void complain(void);
static inline gfp_t convert(unsigned flags)
{
	gfp_t gfp;

	if (flags & ~0x3fu)
		complain();
	gfp = 0x4c0;
	if (flags & 1)
		gfp &= ~0x80u;
	if (flags & 2)
		gfp |= 0x1000;
	if (flags & 4)
		gfp |= 0x2000;
	if (flags & 8)
		gfp |= 0x4000;
	if (flags & 16)
		gfp |= 0x8000;
	return gfp;
}
static void *alloc(unsigned flags) { return kmalloc(1, convert(flags)); }
static void *alloc_zeroed(unsigned flags) { return alloc(flags | 2); }
"""
MAYBE = 0xF080


def flags(folder: Path, body: str) -> set[tuple[int, int]]:
    """(bits that are set, bits that may be set) of the allocations that `f` reaches."""
    engine = run(program(folder, a=HEAD + f"void f(unsigned other) {{ {body} }}"), models(folder, ""))
    contexts = [context for site in engine.facts["a.c:f"].sites for context in site.contexts]
    return {(c.flags.ones, ~(c.flags.ones | c.flags.zeros) & 0xFFFFFFFF) for c in contexts}


@pytest.mark.parametrize(
    ("body", "ones"),
    [
        ("alloc(0);", 0x4C0),
        ("alloc(1);", 0x440),
        ("alloc_zeroed(1);", 0x1440),
        ("alloc(1 | 8 | 16);", 0xC440),
        ("alloc_zeroed(4);", 0x34C0),
    ],
)
def test_a_constant_is_exact(tmp_path: Path, body: str, ones: int) -> None:
    assert flags(tmp_path, body) == {(ones, 0)}


def test_of_an_unknown_argument_each_bit_is_known_or_not(tmp_path: Path) -> None:
    assert flags(tmp_path, "alloc(other);") == {(0x440, MAYBE)}


def test_a_bit_that_a_helper_sets_is_known(tmp_path: Path) -> None:
    """Others are not: there are too many arguments to tell bits of flags by bits of these."""
    ((ones, maybe),) = flags(tmp_path, "alloc_zeroed(other);")
    assert ones & 0x440 == 0x440
    assert maybe & ~MAYBE == 0
    assert not maybe & 0x1000 or ones & 0x1000 == 0


def test_of_two_constants_what_both_say(tmp_path: Path) -> None:
    assert flags(tmp_path, "unsigned km = other ? 1 : 4; alloc(km);") == {(0x440, 0), (0x24C0, 0)}
