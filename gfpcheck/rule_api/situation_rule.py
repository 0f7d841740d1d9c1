"""The base class of rules that look at one way in which an allocation is reached, and at nothing beside it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from gfpcheck.findings import Confidence, Finding
from gfpcheck.rule_api.facts import Allocation, Function, Situation
from gfpcheck.rule_api.rule import Rule


class SituationRule(Rule):
    """A rule about the flags, scopes and amount of an allocation: one finding for each allocation with a problem.

    Confidence is high when it has the problem in every situation, else medium, unless the rule knows better.
    """

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            problems = [
                (situation, text)
                for situation in allocation.situations
                if (text := self.problem(function, allocation, situation))
            ]
            if problems:
                everywhere = len(problems) == len(allocation.situations)
                situation, text = problems[0]
                yield function.finding(
                    rule=self.id,
                    level=self.level,
                    allocation=allocation,
                    situation=situation,
                    message=text,
                    confidence=self.confidence(function, everywhere),
                )

    def confidence(self, function: Function, everywhere: bool) -> Confidence:
        """How sure it is that an allocation of `function` has a problem; `everywhere`: it has it in every situation."""
        return Confidence.HIGH if everywhere else Confidence.MEDIUM

    @abstractmethod
    def problem(self, function: Function, allocation: Allocation, situation: Situation) -> str:
        """The message if something is wrong with `allocation` in `situation`, else an empty string."""
