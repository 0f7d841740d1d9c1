"""`gfpcheck rules new` and `gfpcheck rules test`: a rule from nothing, and what its fixtures say of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures_harness import TREE

from gfpcheck.driver.rules import all_rules

from .conftest import Here

NEW = "new-rule"
PLAIN = "gfpcheck: plain C: not in a kernel tree, no compile_commands.json\n"


@pytest.fixture
def new(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a new rule, below the current directory."""
    monkeypatch.chdir(tmp_path)
    assert here("rules", "new", NEW).code == 0
    return tmp_path / NEW


def fixture(new: Path) -> Path:
    return new / "fixtures/new_rule.c"


def change(path: Path, old: str, new: str) -> int:
    """Replaces the first `old` and gives its line."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


# --- new ---------------------------------------------------------------------------------


def test_a_new_rule_says_what_was_written_and_what_to_do(here: Here, tmp_path: Path) -> None:
    run = here("rules", "new", tmp_path / "a-b")
    files = sorted(str(path) for path in (tmp_path / "a-b").rglob("*") if path.is_file())
    assert run.code == 0
    assert sorted(re.findall("^wrote (.*)$", run.out, re.MULTILINE)) == files
    assert f"gfpcheck rules test {tmp_path}/a-b" in run.out


def test_a_new_rule_passes_its_own_test(here: Here, new: Path) -> None:
    run = here("rules", "test", NEW)
    assert run == (0, "NR001 new-rule: 1 must be reported, 3 must not\nAll as marked\n", PLAIN)


def test_the_same_fixtures_pass_with_a_kernel(here: Here, new: Path) -> None:
    run = here("rules", "test", NEW, "--tree", TREE)
    assert (run.code, run.out) == (0, "NR001 new-rule: 1 must be reported, 3 must not\nAll as marked\n")
    assert "out-of-tree module" in run.err


def test_a_new_rule_is_good_python(new: Path) -> None:
    module = str(new / "new_rule.py")
    for tool in (["ruff", "check", "--no-cache"], ["ruff", "format", "--check", "--no-cache"], ["mypy", "--strict"]):
        done = subprocess.run(
            [sys.executable, "-m", *tool, module], capture_output=True, text=True, cwd=Path(__file__).parents[2]
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_rule_runs_beside_the_others(here: Here, new: Path) -> None:
    run = here(TREE / "fs/minifs", "--rules", NEW, "--format", "gcc", "-q", "--fail-on", "never")
    assert "[GFP101]" in run.out
    assert here("rules", "--rules", NEW).out.splitlines()[-1].split()[:2] == ["NR001", "new-rule"]


@pytest.mark.parametrize(
    ("name", "ident"), [("a-b-c", "ABC001"), ("leak", "LEAK001"), ("leakage", "LEAK001"), ("good-fat-pig", "OWN001")]
)
def test_the_id_is_made_of_the_name(here: Here, tmp_path: Path, name: str, ident: str) -> None:
    here("rules", "new", tmp_path / name)
    assert {rule.name: rule.id for rule in all_rules([tmp_path / name])}[name] == ident


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["New_Rule"], "'New_Rule' cannot be the name of a rule: lower-case words with hyphens, as in "),
        (["a" * 61], " cannot be the name of a rule"),
        (["rule", "--id", "x"], "'x' cannot be the id of a rule: capitals and a number, as in MY001"),
        (["rule", "--id", "GFP900"], "'GFP900' cannot be the id of your rule: ids that begin with GFP are gfpcheck's"),
        (["none/rule"], "none/rule: No such file or directory"),
        ([NEW], "new-rule exists already"),
    ],
)
def test_what_cannot_be_made(here: Here, new: Path, words: list[str], why: str) -> None:
    before = sorted(new.parent.rglob("*"))
    run = here("rules", "new", *words)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("gfpcheck: ")
    assert why in run.err
    assert sorted(new.parent.rglob("*")) == before


# --- test --------------------------------------------------------------------------------


def test_what_does_not_come(here: Here, new: Path) -> None:
    line = change(fixture(new), "GFP_ATOMIC); /* NR001 */", "GFP_NOFS); /* NR001 */")
    run = here("rules", "test", NEW)
    assert run.code == 1
    assert run.out.startswith(
        f"{NEW}/fixtures/new_rule.c:{line}: NR001 is expected and not reported\n"
        "    box->item = kmalloc(sizeof(*box->item), GFP_NOFS); /* NR001 */\n\n"
    )
    assert "1 is not as marked\n" in run.out


def test_what_comes_against_a_mark(here: Here, new: Path) -> None:
    line = change(fixture(new), "GFP_KERNEL", "GFP_ATOMIC")
    run = here("rules", "test", NEW)
    assert run.code == 1
    assert run.out.startswith(
        f"{NEW}/fixtures/new_rule.c:{line}: NR001 is reported, but must not be: it sleeps, as it may\n"
        "    box->item = kmalloc(sizeof(*box->item), GFP_ATOMIC); /* not NR001: it sleeps, as it may */\n"
        "    it says: kmalloc() with GFP_ATOMIC takes from the reserves, though mutex box->lock "
    )


def test_what_comes_without_a_mark(here: Here, new: Path) -> None:
    line = change(fixture(new), " /* NR001 */", "")
    with (new / "fixtures/more.c").open("w") as more:
        more.write('#include "kernel.h"\nvoid *more(void)\n{\n\treturn vmalloc(1); /* missed NR001: no flags */\n}\n')
    run = here("rules", "test", NEW)
    assert run.code == 1
    first, _, says, *rest = run.out.splitlines()
    assert first == f"{NEW}/fixtures/new_rule.c:{line}: NR001 is reported where no mark expects it"
    assert says.startswith("    it says: kmalloc() with GFP_ATOMIC ")
    assert rest == [
        "NR001 new-rule: no fixture expects it, so nothing shows that it finds anything",
        "",
        "NR001 new-rule: 0 must be reported, 3 must not, 1 known to be missed",
        "2 are not as marked",
        "`gfpcheck facts FILE:FUNCTION` shows what is known line by line",
    ]


def test_a_rule_that_nothing_could_show_to_be_wrong(here: Here, new: Path) -> None:
    text = fixture(new).read_text()
    fixture(new).write_text(re.sub(r" /\* not .*?\*/", "", text))
    run = here("rules", "test", NEW)
    assert (run.code, run.out.splitlines()[0]) == (1, "NR001 new-rule: no fixture says what it must not report")


def test_marks_of_built_in_rules_are_tested_too(here: Here, new: Path) -> None:
    change(fixture(new), "GFP_ATOMIC); /* not NR001: the spinlock", "GFP_KERNEL); /* not NR001: the spinlock")
    assert here("rules", "test", NEW).code == 0
    change(fixture(new), "/* not NR001: the spinlock", "/* GFP101 */ /* not NR001: the spinlock")
    run = here("rules", "test", NEW)
    assert (run.code, run.out.splitlines()[0]) == (0, "GFP101 sleeping-alloc-in-atomic: 1 must be reported, 0 must not")
    (new / "new_rule.py").unlink()
    fixture(new).write_text(fixture(new).read_text().replace("NR001", "GFP301"))
    run = here("rules", "test", NEW)
    assert "GFP301 is expected and not reported (reported" not in run.out
    assert "GFP301 nofail-under-lock: 1 must be reported, 3 must not" in run.out


def test_what_a_rule_raises_fails_its_test(here: Here, new: Path) -> None:
    change(new / "new_rule.py", "        for allocation", "        raise KeyError('x')\n        for allocation")
    run = here("rules", "test", NEW)
    assert run.code == 1
    assert "NR001: KeyError: 'x' (4 functions)\n" in run.out


def test_what_cannot_be_read_fails_the_test(here: Here, new: Path) -> None:
    change(fixture(new), "\tbox->item = NULL;", "\tbox->item = nothing;")
    run = here("rules", "test", NEW)
    assert run.code == 1
    assert "use of undeclared identifier 'nothing'" in run.out


def test_low_confidence_is_said(here: Here, new: Path) -> None:
    change(new / "new_rule.py", "Confidence.MEDIUM", "Confidence.LOW")
    run = here("rules", "test", NEW)
    assert run.code == 0
    assert "Of low confidence, which gfpcheck hides by default: 1\n" in run.out


def test_what_will_go_away_fails_the_test(here: Here, new: Path) -> None:
    change(
        new / "new_rule.py",
        "        for allocation",
        "        warn('use y', DeprecationWarning)\n        for allocation",
    )
    change(new / "new_rule.py", "from collections.abc", "from warnings import warn\nfrom collections.abc")
    run = here("rules", "test", NEW)
    assert run.code == 1
    assert re.match(rf"{re.escape(str(new))}/new_rule\.py:\d+: deprecated: use y\n\nNR001", run.out)


def test_models_of_the_settings_beside_the_rules(here: Here, new: Path) -> None:
    (new / "gfpcheck.toml").write_text('rules = ["."]\nmodels = ["more.toml"]\n')
    (new / "more.toml").write_text('[allocators]\nmy_alloc = { flags = "GFP_ATOMIC" }\n')
    change(new / "fixtures/kernel.h", "void kfree(", "void *my_alloc(void);\nvoid kfree(")
    change(fixture(new), "kmalloc(sizeof(*box->item), GFP_ATOMIC)", "my_alloc()")
    assert here("rules", "test", NEW).code == 0


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ("/* NR01 */", ":17: there is no rule NR01"),
        ("/* NR001: */", ":17: this names a rule and is no mark: NR001:"),
        ("// NR001", ":17: a mark is a /* */ comment: // NR001"),
    ],
)
def test_marks_that_are_none(here: Here, new: Path, mark: str, why: str) -> None:
    change(fixture(new), "/* NR001 */", mark)
    assert here("rules", "test", NEW) == (2, "", f"gfpcheck: new_rule.c{why}\n")


def test_directories_that_test_nothing(here: Here, new: Path) -> None:
    assert here("rules", "test", "none").err == "gfpcheck: none: no such directory\n"
    assert here("rules", "test", new / "fixtures").err.startswith(f"gfpcheck: {new}/fixtures has no fixtures: ")
    (new / "new_rule.py").unlink()
    fixture(new).write_text("int f(void)\n{\n\treturn 0;\n}\n")
    run = here("rules", "test", NEW)
    assert (run.code, run.err) == (
        2,
        f"gfpcheck: {NEW} tests nothing: there is no rule in it, and no mark in its fixtures\n",
    )
    (new / "gfpcheck.toml").write_text("fail_on = 1\n")
    assert here("rules", "test", NEW).err.startswith(f"gfpcheck: {new}/gfpcheck.toml: unknown key 'fail_on'")
