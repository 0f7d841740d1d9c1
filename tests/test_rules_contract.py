"""What every rule module owes: metadata, documentation with examples, fixtures, and no knowledge of the tool."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
from fixtures_harness import RULES, functions_with, read_marks

from gfpcheck.driver.rules import all_rules
from gfpcheck.rule_api import Rule
from gfpcheck.rule_api.rule import HEADINGS

FOLDER = Path(__file__).resolve().parent.parent / "rules"
MODULES = sorted(path for path in FOLDER.glob("*.py") if path.name != "__init__.py")
CLASSES = {rule.__module__.rpartition(".")[2]: rule for rule in all_rules()}
ENOUGH = 8
"""Functions of each kind for each rule."""


def of(path: Path) -> type[Rule]:
    return CLASSES[path.stem]


def section(rule: type[Rule], heading: str) -> str:
    """The text below a heading of the documentation."""
    return rule.documentation().split(f"{heading}\n", 1)[1].split("\n## ", 1)[0]


each = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)


def test_every_module_holds_one_rule() -> None:
    assert sorted(CLASSES) == [path.stem for path in MODULES]


@each
def test_the_file_is_named_like_the_rule(path: Path) -> None:
    rule = of(path)
    assert path.stem == f"{rule.id.lower()}_{rule.name.replace('-', '_')}"
    assert re.fullmatch(r"GFP[1-69]\d\d", rule.id)


@each
def test_metadata(path: Path) -> None:
    rule = of(path)
    assert re.fullmatch(r"[a-z]+", rule.family)
    assert re.fullmatch(r"[A-Z].*\.", rule.summary)
    assert len(rule.summary) <= 100
    info = rule.info()
    assert (info.id, info.level, info.help) == (rule.id, rule.level, rule.documentation())


def test_the_hundreds_are_the_families() -> None:
    families = {(rule.id[:4], rule.family) for rule in CLASSES.values()}
    assert len(families) == len({prefix for prefix, _ in families}) == len({family for _, family in families})


@each
def test_documentation(path: Path) -> None:
    rule = of(path)
    text = rule.documentation()
    title, _, rest = text.partition("\n")
    assert re.fullmatch(r"[A-Z].*\.", title)
    assert rest.startswith("\n## ")
    places = [text.index(f"{heading}\n") for heading in HEADINGS]
    assert places == sorted(places)
    for heading in HEADINGS:
        assert len(section(rule, heading).split()) >= 5, heading


@each
@pytest.mark.parametrize("heading", ["## Bad", "## Good"])
def test_examples(path: Path, heading: str) -> None:
    [code] = re.findall(r"```c\n(.*?)```", section(of(path), heading), re.DOTALL)[:1]
    assert re.search(r"\w+\(.*\)", code), "an example calls something"
    assert "\t" not in code, "Markdown has no tabs"


@each
def test_fixtures(path: Path) -> None:
    rule = of(path).id
    marks = read_marks(RULES / rule)
    assert len(functions_with(marks, "must", rule)) >= ENOUGH
    assert len(functions_with(marks, "not", rule)) >= ENOUGH


@each
def test_it_knows_the_rule_api_alone(path: Path) -> None:
    modules = set()
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "no relative imports: a rule may stand anywhere"
            modules.add(node.module or "")
    assert {name for name in modules if name.split(".")[0] == "gfpcheck"} == {"gfpcheck.rule_api"}
    assert {name.split(".")[0] for name in modules} - {"gfpcheck"} <= sys.stdlib_module_names
