"""The text report, down to the last blank."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from gfpcheck.findings import Confidence, Loss, Place, Step
from gfpcheck.report import write, write_summary

from .report_samples import IN_ATOMIC, LOSSES, MISSING_NOFS, at, golden, rendered, report, tree

_SGR = re.compile("\x1b\\[[0-9;]*m")


@pytest.mark.parametrize(
    ("name", "options"),
    [("plain.txt", {}), ("verbose.txt", {"verbose": True}), ("color.txt", {"color": True})],
)
def test_golden(tmp_path: Path, name: str, options: dict[str, bool]) -> None:
    golden(name, rendered(report(tree(tmp_path)), "text", **options))


def test_colour_changes_nothing_but_colour(tmp_path: Path) -> None:
    what = report(tree(tmp_path))
    plain = rendered(what, "text", verbose=True)
    colored = rendered(what, "text", verbose=True, color=True)
    assert "\x1b" not in plain
    assert colored != plain
    assert _SGR.sub("", colored) == plain


def test_a_clean_run_is_one_line(tmp_path: Path) -> None:
    assert rendered(report(tmp_path, (), losses=()), "text") == (
        "No findings in 3 files, 1,204 functions, 61 allocation sites, 1 unresolved call "
        "(Linux 6.12.3, x86_64, compile_commands.json).\n"
    )


def test_a_run_without_any_facts_still_ends_in_a_sentence(tmp_path: Path) -> None:
    bare = msgspec.structs.replace(report(tmp_path, (), losses=()), counts={}, arch="", kernel="", setup="")
    assert rendered(bare, "text") == "No findings.\n"


def test_quiet_is_the_findings_alone(tmp_path: Path) -> None:
    what = report(tree(tmp_path))
    assert rendered(what, "text").startswith(rendered(what, "text", quiet=True))
    assert "findings" not in rendered(what, "text", quiet=True)
    assert rendered(report(tmp_path, ()), "text", quiet=True) == ""


def test_the_summary_alone(tmp_path: Path) -> None:
    what = report(tree(tmp_path))
    stream = io.StringIO()
    write_summary(what, stream)
    assert rendered(what, "text") == rendered(what, "text", quiet=True) + stream.getvalue()


def test_a_setup_that_names_the_kernel_says_enough_and_zeros_are_left_out(tmp_path: Path) -> None:
    what = msgspec.structs.replace(
        report(tmp_path, (), losses=()),
        counts={"files": 2, "reclaim roots": 0},
        setup="Linux 6.12.3-rc1, x86, unconfigured tree: headers supplied",
    )
    expected = "No findings in 2 files (Linux 6.12.3-rc1, x86, unconfigured tree: headers supplied).\n"
    assert rendered(what, "text") == expected


def test_losses_are_counted_by_phase_and_named_when_verbose(tmp_path: Path) -> None:
    losses = (*LOSSES, Loss("rule", "GFP101", "line one\nline \x1b[2Jtwo"))
    brief = rendered(report(tmp_path, (), losses=losses), "text")
    assert "4 losses, 1 in parsing, 2 in lowering, 1 in rules (-v names them)\n" in brief
    assert "huge_switch" not in brief
    named = rendered(report(tmp_path, (), losses=losses), "text", verbose=True)
    assert "  huge_switch: more than 20000 blocks\n" in named
    assert "  GFP101: line one line \N{SYMBOL FOR ESCAPE}[2Jtwo\n" in named


def test_headers_that_are_not_there_are_named(tmp_path: Path) -> None:
    names = ["a.h", "sys/b.h", "a.h", "c.h", "d.h"]
    losses = tuple(Loss("parse", f"x.c:{line}", f"'{name}' file not found") for line, name in enumerate(names))
    expected = "Headers that were not found: a.h (2 places), sys/b.h (1 place), c.h (1 place) and 1 more\n"
    assert rendered(report(tmp_path, (), losses=losses), "text").endswith(expected)
    assert "Headers" not in rendered(report(tmp_path, (), losses=LOSSES), "text")


@pytest.mark.parametrize(
    ("confidence", "shown"), [(Confidence.HIGH, False), (Confidence.MEDIUM, True), (Confidence.LOW, True)]
)
def test_confidence_is_told_when_not_high(tmp_path: Path, confidence: Confidence, shown: bool) -> None:
    finding = msgspec.structs.replace(IN_ATOMIC, confidence=confidence)
    assert (f"= confidence: {confidence}\n" in rendered(report(tmp_path, (finding,)), "text")) is shown


def test_flags_that_a_scope_has_changed_are_told(tmp_path: Path) -> None:
    properties = {"gfp": "GFP_NOFS", "gfp_asked": "GFP_KERNEL"}
    finding = msgspec.structs.replace(IN_ATOMIC, message="kmalloc() with GFP_NOFS may", properties=properties)
    expected = "= flags: GFP_KERNEL is asked for, GFP_NOFS in effect, in an allocation scope\n"
    assert expected in rendered(report(tmp_path, (finding,)), "text")
    silent = msgspec.structs.replace(finding, message="a loop")
    assert "= flags" not in rendered(report(tmp_path, (silent, IN_ATOMIC)), "text")


def test_without_the_source_there_are_only_messages(tmp_path: Path) -> None:
    lines = rendered(report(tmp_path, (IN_ATOMIC,)), "text", quiet=True).splitlines()
    assert [line.split(": ")[0] for line in lines if line] == ["mm/pool.c:14:6", "mm/pool.c:13:2", "mm/pool.c:6:9"]


def test_a_step_deeper_in_the_chain_is_further_to_the_right(tmp_path: Path) -> None:
    steps = tuple(Step(Place("a.c", 9 + depth, 1, "f"), "calls", "call", depth) for depth in (-1, 0, 1, 3, 1000))
    finding = msgspec.structs.replace(at("a.c", 1, 1), flow=steps)
    lines = rendered(report(tmp_path, (finding,)), "text", quiet=True).splitlines()
    assert [line.split("note: ")[1] for line in lines if "note" in line] == [
        "calls",
        "calls",
        "  calls",
        "      calls",
        "                calls",
    ]


def test_a_place_that_the_file_no_longer_has(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("short\n")
    beyond_line = rendered(report(tmp_path, (at("a.c", 7, 1),)), "text", quiet=True)
    assert beyond_line == "a.c:7:1: error: message [GFP101 sleeping-alloc-in-atomic]\n\n"
    beyond_column = rendered(report(tmp_path, (at("a.c", 1, 60),)), "text", quiet=True)
    assert beyond_column.splitlines()[1:] == ["  in f():", "     1 | short", ""]


def test_a_place_without_a_column_shows_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int x;\n")
    lines = rendered(report(tmp_path, (at("a.c", 1, 0),)), "text", quiet=True).splitlines()
    assert lines[0].startswith("a.c:1: error: ")
    assert lines[1:] == ["  in f():", "     1 | int x;", ""]


@dataclass
class _Latin1:
    """A stream that can express little, as under an old locale."""

    encoding: str = "latin-1"
    written: list[bytes] = field(default_factory=list)

    def write(self, text: str, /) -> int:
        self.written.append(text.encode(self.encoding))
        return len(text)


def test_a_stream_that_cannot_express_a_character(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("f(\u00e9, \u20ac);\n")
    stream = _Latin1()
    write(report(tmp_path, (at("a.c", 1, 1),)), "text", stream, quiet=True)
    assert b"     1 | f(\xe9, ?);\n" in b"".join(stream.written)


def test_the_same_source_line_is_not_shown_twice(tmp_path: Path) -> None:
    text = rendered(report(tree(tmp_path), (MISSING_NOFS,)), "text", verbose=True)
    assert text.count("p->page = kzalloc(64, GFP_KERNEL);") == 1


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown report format 'xml'"):
        write(report(tmp_path), "xml", io.StringIO())
