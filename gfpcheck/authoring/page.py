"""One page of all rules, in Markdown, from what the rules say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gfpcheck.rule_api import Rule

_IDENTIFIER = re.compile(r"\b\w*_\w+\b(\(\))?|\b\w+\(\)")
_FENCE = re.compile(r"(?ms)^```.*?^```$")


def rules_page(rules: Sequence[type[Rule]]) -> str:
    """The page: a table of the rules, then their documentation, each below its anchor."""
    return "\n".join(_lines(rules)) + "\n"


def _lines(rules: Sequence[type[Rule]]) -> Iterator[str]:
    yield "<!-- Made by `gfpcheck rules page`: what is written here is lost. The rules' modules have the text. -->"
    yield ""
    yield "# Rules"
    yield ""
    yield "| rule | name | family | level | default | what |"
    yield "|---|---|---|---|---|---|"
    for rule in rules:
        default = "on" if rule.default else "off"
        what = _IDENTIFIER.sub(lambda word: f"`{word[0]}`", rule.summary).replace("|", "\\|")
        yield f"| [{rule.id}](#{rule.anchor()}) | {rule.name} | {rule.family} | {rule.level} | {default} | {what} |"
    for rule in rules:
        yield ""
        yield f'<a id="{rule.anchor()}"></a>'
        yield ""
        yield f"## {rule.id} {rule.name}"
        yield ""
        yield _below_a_heading(rule.documentation()).rstrip()


def _below_a_heading(markdown: str) -> str:
    """The text with its headings one level down."""
    pieces = []
    end = 0
    for fence in _FENCE.finditer(markdown):
        pieces += [_deeper(markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*pieces, _deeper(markdown[end:])])


def _deeper(text: str) -> str:
    return re.sub(r"(?m)^#", "##", text)
