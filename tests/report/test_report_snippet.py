"""Source lines: where the underline goes, and that hostile source stays harmless."""

from __future__ import annotations

import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gfpcheck.findings import Place
from gfpcheck.report.lines import cells, one_line, printable
from gfpcheck.report.snippet import WIDTH, snippet
from gfpcheck.report.source import Sources

from .report_samples import at, rendered, report


def _underlined(raw: bytes, col: int) -> str:
    """The part of the shown line that stands above the underline."""
    shown = snippet(raw, col)
    column = 0
    result = ""
    for char in shown.text:
        if shown.indent <= column < shown.indent + shown.length:
            result += char
        column += cells(char)
    return result


@pytest.mark.parametrize(
    ("raw", "col", "word"),
    [
        (b"x = kmalloc(4);", 5, "kmalloc"),
        (b"\t\tx = kmalloc(4);", 7, "kmalloc"),
        (b" \t x =\tkmalloc(4);", 8, "kmalloc"),
        ("/* \u00e9\u20ac */ kmalloc(4);".encode(), 13, "kmalloc"),
        ("/* \u6f22\u5b57 */ kmalloc(4);".encode(), 14, "kmalloc"),  # two columns each
        ("/* e\u0301 */ kmalloc(4);".encode(), 11, "kmalloc"),  # a combining accent takes none
        (b"/* \xff\xfe */ kmalloc(4);", 10, "kmalloc"),  # not UTF-8
        (b"if (x)", 4, "("),
        (b"\tx;", 1, " "),
        (b"x = 5;", 5, "5"),
        ("\u00e9t\u00e9(x);".encode(), 1, "\u00e9t\u00e9"),
        ("x = \u6f22(x);".encode(), 5, "\u6f22"),
        (b"x\r", 1, "x"),
    ],
)
def test_the_underline_is_under_the_word(raw: bytes, col: int, word: str) -> None:
    assert _underlined(raw, col) == word


def test_tabs_stop_every_eight_columns() -> None:
    assert snippet(b"\ta\tbcdefgh\ti", 2).text == "        a       bcdefgh i"


@pytest.mark.parametrize("before", [0, 30, 60, 95, 130, 5000])
@pytest.mark.parametrize("after", [0, 30, 60, 5000])
def test_a_long_line_is_cut_around_the_word(before: int, after: int) -> None:
    raw = b"a" * before + b" kmalloc " + b"b" * after
    shown = snippet(raw, before + 2)
    assert _underlined(raw, before + 2) == "kmalloc"
    assert len(shown.text) <= WIDTH + len("......")
    if len(raw) <= WIDTH:
        assert shown.text == raw.decode().rstrip()
    else:
        assert shown.text.startswith("...") or shown.text.endswith("...")


def test_a_line_that_is_one_long_word() -> None:
    shown = snippet(b"a" * 100_000, 1)
    assert shown.text == "a" * WIDTH + "..."
    assert (shown.indent, shown.length) == (0, WIDTH)


def test_a_line_cut_where_nothing_has_a_width() -> None:
    raw = ("\u0301" * 1500 + "  kmalloc").encode()
    shown = snippet(raw, raw.index(b"kmalloc") + 1)
    assert (shown.text[:3], shown.indent, shown.length) == ("...", 5, 7)


@pytest.mark.parametrize(("char", "width"), [("a", 1), ("\u00e9", 1), ("\u6f22", 2), ("\uff21", 2), ("\u0301", 0)])
def test_the_width_of_a_character(char: str, width: int) -> None:
    assert cells(char) == width


def test_control_characters_become_visible() -> None:
    assert printable("a\x1b[31mb\x7f\x00\x9b\u202e\ud800c") == "a\u241b[31mb\u2421\u2400\ufffd\ufffd\ufffdc"
    assert one_line("a\n\tb\x85\u2028c\r\n") == "a b c"
    assert printable("\u00a0") == " "


@given(st.text(), st.integers(-1, 300))
@settings(deadline=None)
def test_nothing_unprintable_is_ever_shown(text: str, col: int) -> None:
    shown = snippet(text.encode("utf-8", "surrogatepass"), col).text
    assert shown.isprintable()
    assert sum(map(cells, shown)) <= WIDTH + len("......")


@given(st.binary(max_size=300), st.integers(1, 300))
@settings(deadline=None)
def test_an_underline_is_never_beside_the_line(raw: bytes, col: int) -> None:
    shown = snippet(raw, col)
    assert (shown.length > 0) is (col <= len(raw))
    if raw[col - 1 : col].isalnum():
        assert unicodedata.normalize("NFC", _underlined(raw, col)).startswith(chr(raw[col - 1]))


_LINES = st.lists(st.one_of(st.text(), st.just("\x1b]0;owned\x07 kmalloc()"), st.just("\x9b2J")), max_size=4)


@given(_LINES, st.integers(1, 5), st.integers(0, 20))
@settings(deadline=None, max_examples=60)
def test_no_escape_reaches_the_terminal(lines: list[str], line: int, col: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.c").write_bytes("\n".join(lines).encode())
        text = rendered(report(Path(folder), (at("a.c", line, col, message="".join(lines)),)), "text", verbose=True)
    assert not set(text.replace("\n", "")) & {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))}


def test_columns_in_code_points(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_bytes("/* \u00e9\u20ac\U0001f600 */ kmalloc(4);\n\tx();\n".encode())
    sources = Sources(str(tmp_path))
    assert sources.span(Place("a.c", 1, 17)) == (11, 18)
    assert sources.span(Place("a.c", 1, 0)) == (1, 22)
    assert sources.span(Place("a.c", 2, 2)) == (2, 3)
    assert sources.span(Place("a.c", 2, 70)) == (70, 71)
    assert sources.span(Place("a.c", 1, 4)) == (4, 7)
    assert sources.span(Place("none.c", 2, 7)) == (7, 8)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_lines_end_where_the_compiler_ends_them(tmp_path: Path, newline: bytes) -> None:
    (tmp_path / "a.c").write_bytes(newline.join([b"a\x0cb\x0bc\x1cd\xc2\x85e", b"second", b""]))
    sources = Sources(str(tmp_path))
    assert sources.line("a.c", 1) == b"a\x0cb\x0bc\x1cd\xc2\x85e"
    assert sources.line("a.c", 2) == b"second"
    assert sources.line("a.c", 3) is None
    assert sources.line("a.c", 0) is None


def test_a_file_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("first\n")
    sources = Sources(str(tmp_path))
    assert sources.line("a.c", 1) == b"first"
    (tmp_path / "a.c").write_text("changed\n")
    assert sources.line("a.c", 1) == b"first"
    assert sources.line_hash("a.c", 1) is not None
    assert sources.line("b.c", 1) is None
    (tmp_path / "b.c").write_text("too late\n")
    assert sources.line("b.c", 1) is None


@pytest.mark.parametrize("file", ["", ".", "a\0b", "/dev/zero", "no/such.c", "x" * 5000])
def test_what_is_no_source_file_has_no_lines(tmp_path: Path, file: str) -> None:
    sources = Sources(str(tmp_path))
    assert sources.line(file, 1) is None
    assert sources.line_hash(file, 1) is None
