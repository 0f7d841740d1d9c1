"""The formats of one line a finding: gcc's, and GitHub's workflow commands."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gfpcheck.findings import Finding, Level, Place, Step

from .report_samples import IN_ATOMIC, at, golden, rendered, report, tree

_COMMAND = re.compile(r"::(error|warning|notice) ([^\r\n]*?)::([^\r\n]*)")
_GCC_LINE = re.compile(r"(.+?):(\d+)(?::(\d+))?: (error|warning|note): (.*)")


@pytest.mark.parametrize("fmt", ["gcc", "github"])
def test_golden(tmp_path: Path, fmt: str) -> None:
    golden(f"{fmt}.txt", rendered(report(tree(tmp_path)), fmt))


@pytest.mark.parametrize("fmt", ["gcc", "github"])
def test_no_findings_no_output(tmp_path: Path, fmt: str) -> None:
    assert rendered(report(tmp_path, ()), fmt) == ""


@pytest.mark.parametrize(
    ("level", "command"), [(Level.ERROR, "error"), (Level.WARNING, "warning"), (Level.NOTE, "notice")]
)
def test_levels(tmp_path: Path, level: Level, command: str) -> None:
    finding = msgspec.structs.replace(at("a.c", 3, 4), level=level)
    assert rendered(report(tmp_path, (finding,)), "gcc") == f"a.c:3:4: {level}: message [GFP101]\n"
    assert rendered(report(tmp_path, (finding,)), "github").startswith(f"::{command} file=a.c,line=3,col=4,title=")


def test_no_column_when_none_is_known(tmp_path: Path) -> None:
    findings = (at("a.c", 3, 0),)
    assert rendered(report(tmp_path, findings), "gcc") == "a.c:3: error: message [GFP101]\n"
    assert rendered(report(tmp_path, findings), "github").startswith("::error file=a.c,line=3,title=GFP101 ")


def test_github_counts_characters_and_gcc_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_bytes("\t/* \u00e9\u20ac */ kmalloc(4);\n".encode())
    findings = (at("a.c", 1, 14),)
    assert rendered(report(tmp_path, findings), "gcc").startswith("a.c:1:14: ")
    assert ",col=11," in rendered(report(tmp_path, findings), "github")


def test_github_escapes_what_the_runner_reads(tmp_path: Path) -> None:
    finding = at("a,b:c%.c", 1, 1, message="100% sure:\n::error::injected")
    finding = msgspec.structs.replace(finding, flow=(Step(Place("d.c", 2, 1), "50%", "call"),), rule="GFP101,x=1::y")
    assert rendered(report(tmp_path, (finding,)), "github") == (
        "::error file=a%2Cb%3Ac%25.c,line=1,col=1,title=GFP101%2Cx=1%3A%3Ay::"
        "a,b:c%25.c:1:1: 100%25 sure: ::error::injected%0Ad.c:2:1: note: 50%25\n"
    )


def _with_flow(file: str, message: str) -> Finding:
    step = Step(Place("other.c", 1, 1), message, "call")
    return msgspec.structs.replace(at(file, 1, 1, message=message), flow=(step,), other=(step,))


_TEXT = st.one_of(st.text(), st.text(alphabet="%:,\r\n\x1b[]a=\u2028"))


@given(file=_TEXT.filter(bool), message=_TEXT)
@settings(deadline=None)
def test_any_text_stays_one_github_command(file: str, message: str) -> None:
    text = rendered(report(Path("/nonexistent"), (_with_flow(file, message),)), "github")
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    command = _COMMAND.fullmatch(text[:-1])
    assert command is not None
    properties = dict(entry.split("=", 1) for entry in command[2].split(","))
    assert list(properties) == ["file", "line", "col", "title"]
    assert ":" not in command[2]
    assert re.fullmatch(r"(?:[^%]|%(?:25|0D|0A))*", command[3])
    assert command[3].count("%0A") == 2


@given(file=_TEXT.filter(bool), message=_TEXT)
@settings(deadline=None)
def test_any_text_stays_one_gcc_line(file: str, message: str) -> None:
    text = rendered(report(Path("/nonexistent"), (_with_flow(file, message),)), "gcc")
    lines = text.split("\n")
    assert lines.pop() == ""
    assert [bool(_GCC_LINE.fullmatch(line)) and line.isprintable() for line in lines] == [True] * 3


def test_a_step_at_the_place_of_the_finding_is_not_repeated(tmp_path: Path) -> None:
    assert any(step.place == IN_ATOMIC.place for step in IN_ATOMIC.flow)
    lines = rendered(report(tmp_path, (IN_ATOMIC,)), "gcc").splitlines()
    assert sum(line.startswith("mm/pool.c:14:6:") for line in lines) == 1
