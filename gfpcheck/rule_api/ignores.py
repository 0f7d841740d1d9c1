"""Suppressions as rules see them that find what is wrong with one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from gfpcheck.findings import Confidence, Finding, Place
from gfpcheck.rule_api.facts import Function
from gfpcheck.rule_api.rule import Rule


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment like `/* gfpcheck: ignore[GFP301] reason */` at `place`, or an entry in a file of suppressions.

    `rules` are the ids or names in it, `reason` is what follows, `unknown` those of them that no rule has. `idle` are
    those that suppress nothing though the run would have found it: the rule was run, and over the whole folder. `wrong`
    says why the comment cannot be understood.
    """

    place: Place
    rules: tuple[str, ...]
    reason: str
    unknown: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    wrong: str = ""


class IgnoreRule(Rule):
    """A rule about suppressions: at most one finding for each of them, nothing in functions."""

    def check(self, function: Function) -> Iterator[Finding]:
        return iter(())

    def check_ignore(self, ignore: Ignore) -> Iterator[Finding]:
        """The finding, if something is wrong with `ignore`."""
        message = self.problem(ignore)
        if message:
            subject = (ignore.place.file, *ignore.rules)
            yield Finding(self.id, self.level, Confidence.HIGH, ignore.place, message, (), subject)

    @abstractmethod
    def problem(self, ignore: Ignore) -> str:
        """The message if something is wrong with `ignore`, else an empty string."""
