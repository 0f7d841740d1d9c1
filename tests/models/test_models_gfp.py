"""GfpFlags: names to bits and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfpcheck.models import GfpFlags, ModelError, load

# The bits of Linux 6.12, include/linux/gfp_types.h, in the order of its enum.
ORDER = """
    __GFP_DMA __GFP_HIGHMEM __GFP_DMA32 __GFP_MOVABLE __GFP_RECLAIMABLE __GFP_HIGH __GFP_IO __GFP_FS
    __GFP_ZERO UNUSED __GFP_DIRECT_RECLAIM __GFP_KSWAPD_RECLAIM __GFP_WRITE __GFP_NOWARN
    __GFP_RETRY_MAYFAIL __GFP_NOFAIL __GFP_NORETRY __GFP_MEMALLOC __GFP_COMP __GFP_NOMEMALLOC
    __GFP_HARDWALL __GFP_THISNODE __GFP_ACCOUNT
"""
SINGLES = {name: 1 << bit for bit, name in enumerate(ORDER.split()) if name != "UNUSED"}


def bits(names: str) -> int:
    return sum(VALUES[name] for name in names.split())


VALUES = dict(SINGLES)
VALUES["__GFP_RECLAIM"] = bits("__GFP_DIRECT_RECLAIM __GFP_KSWAPD_RECLAIM")
VALUES["GFP_NOIO"] = VALUES["__GFP_RECLAIM"]
VALUES["GFP_NOFS"] = VALUES["__GFP_RECLAIM"] | VALUES["__GFP_IO"]
VALUES["GFP_KERNEL"] = VALUES["GFP_NOFS"] | VALUES["__GFP_FS"]
VALUES["GFP_KERNEL_ACCOUNT"] = VALUES["GFP_KERNEL"] | VALUES["__GFP_ACCOUNT"]
VALUES["GFP_USER"] = VALUES["GFP_KERNEL"] | VALUES["__GFP_HARDWALL"]
VALUES["GFP_HIGHUSER"] = VALUES["GFP_USER"] | VALUES["__GFP_HIGHMEM"]
VALUES["GFP_ATOMIC"] = bits("__GFP_HIGH __GFP_KSWAPD_RECLAIM")
VALUES["GFP_NOWAIT"] = bits("__GFP_KSWAPD_RECLAIM __GFP_NOWARN")
VALUES["GFP_DMA"] = VALUES["__GFP_DMA"]

COMPOUND = load((6, 12)).gfp_compound
GFP = GfpFlags(VALUES, COMPOUND)


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("GFP_KERNEL", "GFP_KERNEL"),
        ("__GFP_NOFAIL | GFP_NOFS", "GFP_NOFS | __GFP_NOFAIL"),
        ("__GFP_IO | __GFP_RECLAIM", "GFP_NOFS"),
        ("__GFP_RECLAIM", "GFP_NOIO"),
        ("GFP_KERNEL | __GFP_ACCOUNT", "GFP_KERNEL_ACCOUNT"),
        ("GFP_USER | __GFP_HIGHMEM | __GFP_ZERO", "GFP_HIGHUSER | __GFP_ZERO"),
        ("GFP_ATOMIC | __GFP_NOWARN", "GFP_ATOMIC | __GFP_NOWARN"),
        ("GFP_NOWAIT | __GFP_NORETRY", "GFP_NOWAIT | __GFP_NORETRY"),
        ("GFP_DMA", "__GFP_DMA"),
        ("__GFP_NOFAIL", "__GFP_NOFAIL"),
        ("0", "0"),
        ("GFP_KERNEL | 0x8000000", "GFP_KERNEL | 0x8000000"),
    ],
)
def test_render_writes_what_a_developer_would(expression: str, shown: str) -> None:
    assert GFP.render(GFP.parse(expression)) == shown


def test_unknown_bits_are_named_while_they_are_few() -> None:
    fs = VALUES["__GFP_FS"]
    assert GFP.render(GFP.parse("GFP_NOFS"), fs) == "GFP_NOFS | __GFP_FS?"
    assert GFP.render(GFP.parse("GFP_KERNEL"), fs) == "GFP_NOFS | __GFP_FS?"
    assert GFP.render(0, fs | VALUES["__GFP_IO"]) == "__GFP_IO? | __GFP_FS?"
    assert GFP.render(0, 0xFFFFFFFF) == "unknown flags"
    assert GFP.render(VALUES["__GFP_NOFAIL"], 0xFFFFFFFF & ~VALUES["__GFP_NOFAIL"]) == "__GFP_NOFAIL | unknown flags"


@given(st.integers(0, 0xFFFFFFFF))
def test_parse_undoes_render(word: int) -> None:
    assert GFP.parse(GFP.render(word)) == word


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF))
def test_unknown_bits_are_never_shown_as_set(word: int, unknown: int) -> None:
    shown = GFP.render(word, unknown)
    sure = [part for part in shown.split(" | ") if not part.endswith("?") and part != "unknown flags"]
    assert GFP.parse(" | ".join(sure) or "0") == word & ~unknown


@given(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=6))
def test_every_sum_of_names_survives(names: list[str]) -> None:
    word = GFP.parse(" | ".join(names))
    shown = GFP.render(word)
    assert GFP.parse(shown) == word
    assert "0x" not in shown


@pytest.mark.parametrize("expression", ["", "GFP_KERNEL |", "GFP_KERNEL & 1", "~__GFP_FS", "0x", "010", "GFP KERNEL"])
def test_parse_refuses_what_is_no_sum_of_flags(expression: str) -> None:
    with pytest.raises(ModelError, match="not an expression of allocation flags"):
        GFP.parse(expression)


def test_a_flag_that_the_tree_lacks_has_no_bits() -> None:
    assert GFP.parse("GFP_NOFS | __GFP_NOLOCKDEP") == VALUES["GFP_NOFS"]
    assert GFP.nolockdep == 0
    assert not GfpFlags({}).blocks(0xFFFFFFFF)


def test_named_masks() -> None:
    assert GFP.direct_reclaim == 0x400
    assert GFP.kernel == GFP.parse("GFP_KERNEL")
    named = {
        "kswapd_reclaim": "__GFP_KSWAPD_RECLAIM",
        "fs": "__GFP_FS",
        "io": "__GFP_IO",
        "nofail": "__GFP_NOFAIL",
        "noretry": "__GFP_NORETRY",
        "retry_mayfail": "__GFP_RETRY_MAYFAIL",
        "nowarn": "__GFP_NOWARN",
        "high": "__GFP_HIGH",
        "memalloc": "__GFP_MEMALLOC",
        "nomemalloc": "__GFP_NOMEMALLOC",
        "zero": "__GFP_ZERO",
        "account": "__GFP_ACCOUNT",
        "movable": "__GFP_MOVABLE",
        "highmem": "__GFP_HIGHMEM",
        "dma": "__GFP_DMA",
        "dma32": "__GFP_DMA32",
        "comp": "__GFP_COMP",
    }
    assert {name: getattr(GFP, name) for name in named} == {name: SINGLES[flag] for name, flag in named.items()}


def test_blocking_is_direct_reclaim() -> None:
    assert GFP.blocks(GFP.parse("GFP_NOIO"))
    assert not GFP.blocks(GFP.parse("GFP_ATOMIC | __GFP_ZERO"))


def test_negative_and_wide_values_are_taken_as_32_bits() -> None:
    gfp = GfpFlags({"__GFP_X": -1 << 31, "GFP_ALL": -1}, ["GFP_ALL"])
    assert gfp.render(1 << 31) == "__GFP_X"
    assert gfp.render(0xFFFFFFFF) == "GFP_ALL"
