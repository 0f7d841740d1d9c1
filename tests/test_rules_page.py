"""The page of all rules: made from the modules, so that it cannot say anything else; SARIF links to it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from gfpcheck import report as reporting
from gfpcheck.authoring.page import rules_page
from gfpcheck.driver.rules import OWN, known_rules
from gfpcheck.findings import Report
from gfpcheck.rule_api import Rule

PAGE = Path(__file__).resolve().parent.parent / "rules/README.md"
RULES = [known.rule for known in known_rules() if known.place == OWN]
URL = "https://example.org/rules.html"


def sarif_rules(page: str) -> list[dict[str, object]]:
    """The rules of a SARIF log whose run was told where the page is."""
    infos = tuple(rule.info(page) for rule in RULES)
    stream = io.StringIO()
    reporting.write(Report("1.0.0", "/", "", "", "", (), infos, (), {}), "sarif", stream)
    rules: list[dict[str, object]] = json.loads(stream.getvalue())["runs"][0]["tool"]["driver"]["rules"]
    return rules


def test_the_page_of_this_project_is_up_to_date() -> None:
    assert PAGE.read_text() == rules_page(RULES), "run `gfpcheck rules page -o rules/README.md`"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_page_has_what_the_module_says(rule: type[Rule]) -> None:
    text = rules_page(RULES).split(f'<a id="{rule.anchor()}"></a>', 1)[1].split("<a id=", 1)[0]
    lines = [re.sub(r"^##(?=#)", "#", line) for line in text.strip().splitlines()]
    assert lines[0] == f"## {rule.id} {rule.name}"
    assert "\n".join(lines[2:]).strip() == rule.documentation().strip()


def test_the_table_links_to_every_rule() -> None:
    page = rules_page(RULES)
    assert re.findall(r"(?m)^\| \[(\w+)\]\(#(\w+)\) \|", page) == [(rule.id, rule.anchor()) for rule in RULES]
    assert {f'<a id="{rule.anchor()}"></a>' for rule in RULES} <= set(page.splitlines())


def test_code_is_no_heading(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "```c\n#define X\n```\n"
    monkeypatch.setattr(RULES[0], "documentation", lambda: f"# begin\n{code}# end\n")
    assert rules_page(RULES[:1]).endswith(f"\n## begin\n{code}## end\n")


def test_sarif_says_the_same_and_links_to_it() -> None:
    for described, rule in zip(sarif_rules(URL), RULES, strict=True):
        assert described["help"] == {"text": rule.documentation(), "markdown": rule.documentation()}
        assert described["helpUri"] == f"{URL}#{rule.anchor()}"
    assert all("helpUri" not in described for described in sarif_rules(""))
