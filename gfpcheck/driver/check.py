"""What rules find in functions, by as many processes as are allowed: the same for any number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from gfpcheck import workers
from gfpcheck.analysis.engine import Engine
from gfpcheck.driver.rules import apply
from gfpcheck.driver.views import Views
from gfpcheck.findings import Finding
from gfpcheck.rule_api import Rule

_PART = 150
"""Allocation sites in the functions that a process looks at together."""
_WORTH_COPYING = 10
"""Such parts from which on another process is worth its start."""


class Crash(msgspec.Struct, array_like=True, frozen=True):
    """A rule that has raised something."""

    rule: str
    why: str


class Checked(msgspec.Struct, array_like=True):
    """What rules have found, in the order of the functions, and how they failed."""

    findings: list[Finding] = []
    crashes: list[Crash] = []


def check(rules: Sequence[type[Rule]], views: Views, engine: Engine, keys: Sequence[str], jobs: int) -> Checked:
    """What `rules` find in the functions `keys`, and one crash for each function in which one raises."""
    broad = [rule for rule in rules if rule.every_function]
    parts = _parts(engine, keys)

    def part(number: int) -> Checked:
        found = Checked()
        for key in parts[number]:
            facts = engine.facts[key]
            concerned = rules if facts.sites or facts.scopes is not None else broad
            if concerned:
                _apply(concerned, views, engine, key, found)
        return found

    done = workers.spread(jobs if len(parts) >= _WORTH_COPYING else 1, len(parts), part, Checked)
    return Checked(
        [finding for each in done for finding in each.findings], [crash for each in done for crash in each.crashes]
    )


def failures(crashes: Sequence[Crash]) -> list[tuple[Crash, int]]:
    """Each crash once, with the number of functions in which it came."""
    return sorted(Counter(crashes).items(), key=lambda item: (item[0].rule, item[0].why))


def _apply(rules: Sequence[type[Rule]], views: Views, engine: Engine, key: str, found: Checked) -> None:
    function = views.function(key, engine.facts[key])
    for rule in rules:
        try:
            found.findings += apply(rule, function)
        except (Exception, SystemExit) as error:  # a rule is somebody else's code: name it, count it, go on
            found.crashes.append(Crash(rule.id, f"{type(error).__name__}: {error}"))


def _parts(engine: Engine, keys: Sequence[str]) -> list[list[str]]:
    """The functions in groups that are about as much work."""
    parts: list[list[str]] = []
    size = _PART
    for key in keys:
        if size >= _PART:
            parts.append([])
            size = 0
        parts[-1].append(key)
        size += len(engine.facts[key].sites)
    return parts
