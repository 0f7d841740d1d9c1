"""Rules by the words of users: ids, prefixes of ids, names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from gfpcheck.driver.options import RunError
from gfpcheck.findings import names_rule
from gfpcheck.rule_api import Rule


def select(rules: Iterable[type[Rule]], chosen: Sequence[str], ignored: Sequence[str]) -> tuple[type[Rule], ...]:
    """The rules to run. `chosen` and `ignored` hold ids, prefixes of ids ("GFP1"), names, or "all".

    With nothing chosen, the rules that are on by default. Raises RunError for an unknown word, and if none is left.
    """
    available = tuple(rules)
    check_words(available, (*chosen, *ignored))
    wanted = [r for r in available if (any(_matches(r, word) for word in chosen) if chosen else r.default)]
    left = tuple(rule for rule in wanted if not any(_matches(rule, word) for word in ignored))
    if not left:
        raise RunError("no rule is left: everything selected is ignored")
    return left


def check_words(rules: Sequence[type[Rule]], words: Iterable[str]) -> None:
    """Raises RunError for the first of the words that means none of the rules."""
    for word in words:
        if not any(_matches(rule, word) for rule in rules):
            raise _unknown(rules, word)


def one(rules: Iterable[type[Rule]], word: str) -> type[Rule]:
    """The rule with this id or name. Raises RunError if there is none."""
    available = tuple(rules)
    for rule in available:
        if word.upper() == rule.id or word.lower() == rule.name:
            return rule
    raise _unknown(available, word)


def _unknown(rules: Sequence[type[Rule]], word: str) -> RunError:
    words = [w for rule in rules for w in (rule.id, rule.name)]
    close = difflib.get_close_matches(word, words, 1, 0.75)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(rule.id for rule in rules)}"
    return RunError(f"no rule is called {word!r}; {hint}")


def _matches(rule: type[Rule], word: str) -> bool:
    return names_rule(word, rule.id, rule.name)
