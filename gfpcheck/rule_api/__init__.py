"""Everything that a rule may use. A rule module imports from here and from nowhere else.

A rule is a subclass of `Rule` in a module of its own, with its documentation as the module's docstring.
gfpcheck calls `check` once for each function that was analysed; the rule yields findings.
"""

from gfpcheck.findings import Confidence, Finding, Level
from gfpcheck.rule_api.facts import Allocation, Function, Lock, ReclaimPath, RetryLoop, Scope, Situation
from gfpcheck.rule_api.flags import Flags
from gfpcheck.rule_api.rule import Rule

__all__ = [
    "Allocation",
    "Confidence",
    "Finding",
    "Flags",
    "Function",
    "Level",
    "Lock",
    "ReclaimPath",
    "RetryLoop",
    "Rule",
    "Scope",
    "Situation",
]
