"""The fixtures: gfpcheck finds in them what their marks say, and the marks mean what they say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fixtures_harness import (
    DEFAULTS,
    HOSTILE,
    RULES,
    TREE,
    analyse,
    compare,
    function_starts,
    functions_with,
    parse_marks,
    read_marks,
)

from gfpcheck.authoring.compare import Found, found_in
from gfpcheck.authoring.marks import Mark, MarkError, MarkReader, c_files
from gfpcheck.driver.options import Options
from gfpcheck.driver.run import run

RULE_IDS = sorted(path.name for path in RULES.iterdir() if path.is_dir())
SAMPLES = ["fs/minifs", "drivers/minidrv"]
ENOUGH = 8
"""Functions of each kind for each rule."""


# --- what gfpcheck makes of them ---------------------------------------------------------


def of_rules(marks: list[Mark], *rules: str) -> list[Mark]:
    return [mark for mark in marks if mark.rule in rules]


@pytest.mark.parametrize("rule", RULE_IDS)
def test_rule(rule: str) -> None:
    folder = RULES / rule
    complaints = compare(of_rules(read_marks(folder), *DEFAULTS, rule), analyse([folder], [rule]))
    assert not complaints, "\n" + "\n".join(complaints)


def test_whole_tree() -> None:
    complaints = compare(of_rules(read_marks(TREE), *DEFAULTS), analyse([TREE]))
    assert not complaints, "\n" + "\n".join(complaints)


def test_hostile_files_are_survived(tmp_path: Path) -> None:
    tree = tmp_path / "linux"
    shutil.copytree(TREE, tree)
    folder = tree / "fs" / "hostile"
    shutil.copytree(HOSTILE, folder)
    report = run(Options(paths=(folder,), jobs=1))
    complaints = compare(read_marks(folder, tree), found_in(report), tree)
    assert not complaints, "\n" + "\n".join(complaints)
    lost = {Path(loss.what.split(":")[0]).name for loss in report.losses if loss.phase == "parse"}
    assert lost == {
        "includes_itself.c",
        "missing_header.c",
        "syntax_error.c",
        "unbalanced_brace.c",
        "unterminated_comment.c",
    }


# --- what they cover ---------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULE_IDS)
def test_rule_has_enough_of_each_kind(rule: str) -> None:
    marks = read_marks(RULES / rule)
    assert len(functions_with(marks, "must", rule)) >= ENOUGH
    assert len(functions_with(marks, "not", rule)) >= ENOUGH


def test_sample_has_a_hazard_for_every_family() -> None:
    marks = [mark for sample in SAMPLES for mark in read_marks(TREE / sample)]
    assert {mark.rule[:4] for mark in marks if mark.kind == "must"} == {rule[:4] for rule in RULE_IDS} - {
        "GFP9"
    }  # about suppressions


def test_every_mark_stands_in_a_function() -> None:
    for path in c_files(TREE):
        text = path.read_text()
        bodies = list(function_starts(text))
        for mark in parse_marks(text, str(path)):
            # A suppression may stand above a function.
            above = "gfpcheck:" in text.splitlines()[mark.line - 1]
            assert above or any(first < mark.line < last for first, last in bodies), mark


def test_makefiles_name_every_file() -> None:
    for path in TREE.rglob("*.c"):
        makefile = (path.parent / "Makefile").read_text()
        assert f"{path.stem}.o" in makefile.split(), path


# --- the language of marks ---------------------------------------------------------------


def test_marks_of_all_kinds() -> None:
    text = "a(); /* GFP101 */\n\nb(); /* not GFP201: why not */\nc(); /* missed GFP302: too hard */\n"
    assert parse_marks(text, "x.c") == [
        Mark("x.c", 1, "must", "GFP101", ""),
        Mark("x.c", 3, "not", "GFP201", "why not"),
        Mark("x.c", 4, "missed", "GFP302", "too hard"),
    ]


def test_one_line_may_have_several_marks() -> None:
    text = "a(); /* GFP101 GFP301 */\nb(); /* GFP101 */ /* not GFP301: a context */\n"
    assert [(m.line, m.kind, m.rule) for m in parse_marks(text, "x.c")] == [
        (1, "must", "GFP101"),
        (1, "must", "GFP301"),
        (2, "must", "GFP101"),
        (2, "not", "GFP301"),
    ]


def test_other_comments_and_strings_are_no_marks() -> None:
    text = 'a("/* GFP101 */"); /* GFP_KERNEL is fine\n * here */ // and here\nchar c = \'"\'; /* GFP301 */\n'
    assert [(m.line, m.rule) for m in parse_marks(text, "x.c")] == [(3, "GFP301")]


@pytest.mark.parametrize(
    "line",
    [
        "a(); /* GFP101: because */",
        "a(); /* not GFP101 */",
        "a(); /* not GFP101: */",
        "a(); /* no GFP101: why */",
        "a(); /* missed GFP101 */",
        "a(); /* GFP101, GFP301 */",
        "a(); // GFP101",
        "a(); /* GFP101 */ b();",
        "a(); /* GFP101 */ /* not GFP101: why */",
        "a(); /* reported as\n * GFP101 */",
    ],
)
def test_wrong_marks_are_refused(line: str) -> None:
    with pytest.raises(MarkError, match=r"x\.c:1: "):
        parse_marks(line + "\n", "x.c")


def test_rules_of_others_have_marks_too() -> None:
    text = "a(); /* MY-C3001 GFP101 */\nb(); /* not MY-C3001: why */\nc(); /* DMA32 */\n"
    marks = MarkReader(["GFP101", "MY-C3001"]).text(text, "x.c")
    assert [(mark.line, mark.kind, mark.rule) for mark in marks] == [
        (1, "must", "MY-C3001"),
        (1, "must", "GFP101"),
        (2, "not", "MY-C3001"),
    ]
    assert MarkReader([]).text(text, "x.c") == []


@pytest.mark.parametrize("body", ["MY-C301", "not MY-C301: why", "MY-C3001 MY-C301"])
def test_marks_for_no_rule_are_refused(body: str) -> None:
    with pytest.raises(MarkError, match=r"x\.c:1: there is no rule MY-C301"):
        MarkReader(["MY-C3001"]).text(f"a(); /* {body} */\n", "x.c")


# --- the comparison ----------------------------------------------------------------------


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "x.c").write_text("first();\nsecond();\n")
    return tmp_path


def test_agreement_is_silent(source: Path) -> None:
    marks = parse_marks("first(); /* GFP101 GFP301 */\nsecond(); /* not GFP101: why */\n", "x.c")
    assert compare(marks, [Found("x.c", 1, "GFP301"), Found("x.c", 1, "GFP101")], source) == []


def test_expected_and_absent(source: Path) -> None:
    marks = parse_marks("first(); /* GFP101 */\n", "x.c")
    assert compare(marks, [], source) == ["x.c:1: GFP101 is expected and not reported\n    first();"]


def test_expected_one_rule_and_got_another(source: Path) -> None:
    marks = parse_marks("first(); /* GFP101 */\n", "x.c")
    assert compare(marks, [Found("x.c", 1, "GFP301")], source) == [
        "x.c:1: GFP101 is expected and not reported (reported there: GFP301)\n    first();",
        "x.c:1: GFP301 is reported where no mark expects it\n    first();",
    ]


def test_reported_against_a_mark(source: Path) -> None:
    marks = parse_marks("\nsecond(); /* not GFP101: unlocked */\n", "x.c")
    assert compare(marks, [Found("x.c", 2, "GFP101")], source) == [
        "x.c:2: GFP101 is reported, but must not be: unlocked\n    second();"
    ]


def test_reported_without_a_mark(source: Path) -> None:
    assert compare([], [Found("x.c", 2, "GFP101")], source) == [
        "x.c:2: GFP101 is reported where no mark expects it\n    second();"
    ]


def test_what_it_says_is_shown_when_it_should_not_have_come(source: Path) -> None:
    assert compare([], [Found("x.c", 2, "GFP101", "kmalloc() may sleep")], source) == [
        "x.c:2: GFP101 is reported where no mark expects it\n    second();\n    it says: kmalloc() may sleep"
    ]


def test_reported_twice(source: Path) -> None:
    marks = parse_marks("first(); /* GFP101 */\n", "x.c")
    assert compare(marks, [Found("x.c", 1, "GFP101")] * 2, source) == [
        "x.c:1: GFP101 is expected once, reported 2 times\n    first();"
    ]


def test_known_miss_fails_when_it_is_found(source: Path) -> None:
    marks = parse_marks("first(); /* missed GFP101: too deep */\n", "x.c")
    assert compare(marks, [], source) == []
    assert compare(marks, [Found("x.c", 1, "GFP101")], source) == [
        "x.c:1: GFP101 was a known miss (too deep) and is reported now: make it a mark that expects it\n    first();"
    ]


def test_functions_are_counted_by_their_braces(source: Path) -> None:
    (source / "x.c").write_text("int a(void)\n{\n\tx(); /* GFP101 */\n\ty(); /* GFP101 */\n}\n\nint b(void)\n{\n}\n")
    marks = read_marks(source, source)
    assert functions_with(marks, "must", "GFP101", source) == {("x.c", 2)}
    assert functions_with(marks, "not", "GFP101", source) == set()
