"""Suppressions read from C: their form, and the lines that they speak of."""

from __future__ import annotations

import pytest

from gfpcheck.triage.comments import Comment, read_comments


def only(text: str) -> Comment:
    [comment] = read_comments(text.encode())
    return comment


def covered(text: str) -> tuple[int, int]:
    comment = only(text)
    return comment.first, comment.last


@pytest.mark.parametrize(
    ("comment", "words", "reason"),
    [
        ("/* gfpcheck: ignore[GFP301] at boot */", ("GFP301",), "at boot"),
        ("// gfpcheck: ignore[GFP301] at boot", ("GFP301",), "at boot"),
        ("/* gfpcheck:ignore[GFP301, missing-nofs]*/", ("GFP301", "missing-nofs"), ""),
        ("/* gfpcheck: ignore[GFP301,GFP301]: twice */", ("GFP301",), "twice"),
        ("/*\n * gfpcheck: ignore[GFP301]\n * on two\n * lines\n */", ("GFP301",), "on two lines"),
        ("/** gfpcheck: ignore[GFP301] see [1] */", ("GFP301",), "see [1]"),
        ("/* gfpcheck: ignore[GFP301] \u00fcber */", ("GFP301",), "\u00fcber"),
    ],
)
def test_forms(comment: str, words: tuple[str, ...], reason: str) -> None:
    found = only(f"a();\n{comment}\nb();\n")
    assert (found.words, found.reason, found.wrong) == (words, reason, "")


@pytest.mark.parametrize(
    "comment",
    [
        "/* gfpcheck: */",
        "/* gfpcheck: ignore GFP301 */",
        "/* gfpcheck: ignore[] x */",
        "/* gfpcheck: ignore[GFP301 x */",
    ],
)
def test_what_cannot_be_understood_says_so(comment: str) -> None:
    assert "gfpcheck: ignore[GFP301] reason" in only(comment).wrong


@pytest.mark.parametrize(
    "text",
    [
        'char *s = "/* gfpcheck: ignore[GFP301] x */";\n',
        "/* as gfpcheck: ignore[GFP301] does */\n",
        "/* gfpcheck finds it */\n",
        "int gfpcheck;\n",
        "",
    ],
)
def test_other_text_is_none(text: str) -> None:
    assert read_comments(text.encode()) == []


def test_column_is_in_bytes() -> None:
    assert only("\u00e9(); /* gfpcheck: ignore[GFP301] x */").col == 7


def test_the_statement_beside_it() -> None:
    assert covered("a();\nb(x,\n  y); /* gfpcheck: ignore[GFP1] x */\nc();\n") == (2, 3)
    assert covered("a();\nb(x, /* gfpcheck: ignore[GFP1] x */\n  y);\nc();\n") == (2, 3)
    assert covered("a();\nb(); /* gfpcheck: ignore[GFP1] x */\nc();\n") == (2, 2)
    assert covered("a();\n/* gfpcheck: ignore[GFP1] x */ b();\nc();\n") == (2, 2)


def test_the_statement_below_it() -> None:
    comment = "\t/* gfpcheck: ignore[GFP1] x */\n"
    assert covered(f"\ta();\n{comment}\tb(x,\n\t  y);\n\tc();\n") == (2, 4)
    assert covered(f"{comment}\n/* more */\n#ifdef X\n\tb();\n\tc();\n") == (1, 5)
    assert covered(f"{comment}out:\n\tb();\n") == (1, 3)
    assert covered(f"{comment}\tif (a &&\n\t    b())\n\t\tc();\n\td();\n") == (1, 4)


def test_a_function() -> None:
    comment = "/* gfpcheck: ignore[GFP1] x */\n"
    body = "{\n\tif (x) {\n\t\ta();\n\t}\n}\n"
    assert covered(f"{comment}static int\nf(int x)\n{body}int g(void)\n{body}") == (1, 8)
    assert covered(f"{comment}int f(int x) {{\n\ta();\n}}\nint b;\n") == (1, 4)
    assert covered(f"{comment}int f(int x);\nint g(int x)\n{body}") == (1, 2)
    assert covered(f"{comment}static struct s t = {{ .a = b,\n}};\nint g(int x)\n{body}") == (1, 2)


@pytest.mark.parametrize(
    "data",
    [
        b"/* gfpcheck: ignore[GFP301] x",
        b"/* gfpcheck: ignore[GFP301] \xff\xfe */",
        b"/* gfpcheck: ignore[GFP301] x */",
        b"\n\n/* gfpcheck: ignore[GFP301] x */\n\n\n",
        b"\"'/* gfpcheck: ignore[GFP301] x */\r\n'\"",
        b"// gfpcheck: ignore[GFP301] " + b"[" * 100_000,
    ],
)
def test_hostile_text(data: bytes) -> None:
    for comment in read_comments(data):
        assert 1 <= comment.first <= comment.last <= data.count(b"\n") + 1
