"""Values of macros, folded through the headers."""

from __future__ import annotations

from pathlib import Path

import pytest
from frontend_source import Source

from gfpcheck.frontend import fold_constants

NUMBERS = """
#define __force
typedef unsigned int gfp_t;
#define ___GFP_IO 0x40u
#define __GFP_IO ((__force gfp_t)___GFP_IO)
#define GFP_NOFS (__GFP_IO | 0x400)
enum { ENUMERATOR = 5, NEGATIVE = -1 };
#define NEEDS_MORE (SOMETHING_ELSE | 1)
#define NOT_A_NUMBER "text"
#define EMPTY
int variable;
"""
BITS = """
#define UL(x) (x##UL)
#define BIT(n) (UL(1) << (n))
typedef unsigned int gfp_t;
enum { IO_BIT = 6, LAST };
#define ___GFP_IO BIT(IO_BIT)
#define __GFP_IO ((gfp_t)___GFP_IO)
#define ALL ((gfp_t)~0UL)
"""


def test_numbers(source: Source) -> None:
    source.unit("gfp.h", NUMBERS)
    names = ["__GFP_IO", "GFP_NOFS", "ENUMERATOR", "NEEDS_MORE", "NOT_A_NUMBER", "EMPTY", "UNKNOWN", "variable"]
    folded = fold_constants(("-std=gnu11",), '#include "gfp.h"\n', names, str(source.root)).values
    assert folded == {
        "__GFP_IO": 0x40,
        "GFP_NOFS": 0x440,
        "ENUMERATOR": 5,
        "NEEDS_MORE": None,
        "NOT_A_NUMBER": None,
        "EMPTY": None,
        "UNKNOWN": None,
        "variable": None,
    }
    assert list(folded) == names


def test_bits(source: Source) -> None:
    source.unit("include/gfp.h", BITS)
    args = ("-std=gnu11", f"-I{source.root}/include")
    folded = fold_constants(args, "#include <gfp.h>\n", ["__GFP_IO", "___GFP_IO", "ALL"], str(source.root))
    assert folded.values == {"__GFP_IO": 0x40, "___GFP_IO": 0x40, "ALL": 0xFFFFFFFF}
    assert (folded.files, folded.failed) == ((f"{source.root}/include/gfp.h",), False)


def test_header_that_is_not_there(source: Source) -> None:
    folded = fold_constants((), "#include <gfp.h>\n", ["__GFP_IO"], str(source.root))
    assert folded == ({"__GFP_IO": None}, (), True)


@pytest.mark.parametrize("name", ["", "1x", "x; int y = 1", "a b"])
def test_names_that_are_none(source: Source, name: str) -> None:
    assert fold_constants((), "", [name], str(source.root)).values == {name: None}


def test_nothing_is_written(tmp_path: Path) -> None:
    fold_constants((), "", ["X"], str(tmp_path))
    assert list(tmp_path.iterdir()) == []
