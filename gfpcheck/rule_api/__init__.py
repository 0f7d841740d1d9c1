"""Everything that a rule may use. A rule module imports from here and from nowhere else.

A rule is a subclass of `Rule` in a module of its own, with its documentation as the module's docstring.
gfpcheck calls `check` once for each function that was analysed; the rule yields findings.

`API_VERSION` is (major, minor). Within a major version things are only added. What is to go keeps working and raises
DeprecationWarning, naming what replaces it, in at least two releases before the major version grows; `gfpcheck rules
test` shows these warnings. A rule says by `api` which major version it is written for, and is refused by another.
"""

from gfpcheck.findings import Confidence, Finding, Level, Place, Step
from gfpcheck.rule_api.allocator import Allocator
from gfpcheck.rule_api.calls import Call, CallSituation, Effect
from gfpcheck.rule_api.facts import Allocation, Function, IoPath, Nested, ReclaimPath, RetryLoop, Situation
from gfpcheck.rule_api.flags import Flags
from gfpcheck.rule_api.ignores import Ignore, IgnoreRule
from gfpcheck.rule_api.locks import Lock, Scope
from gfpcheck.rule_api.reclaim_rule import ReclaimLockRule
from gfpcheck.rule_api.rule import API_VERSION, Rule
from gfpcheck.rule_api.scopes import Ending, ScopeEnd, ScopeLeak
from gfpcheck.rule_api.situation_rule import SituationRule
from gfpcheck.rule_api.sleep import Sleep
from gfpcheck.rule_api.ways import Way
from gfpcheck.rule_api.workers import WorkerWait

__all__ = [
    "API_VERSION",
    "Allocation",
    "Allocator",
    "Call",
    "CallSituation",
    "Confidence",
    "Effect",
    "Ending",
    "Finding",
    "Flags",
    "Function",
    "Ignore",
    "IgnoreRule",
    "IoPath",
    "Level",
    "Lock",
    "Nested",
    "Place",
    "ReclaimLockRule",
    "ReclaimPath",
    "RetryLoop",
    "Rule",
    "Scope",
    "ScopeEnd",
    "ScopeLeak",
    "Situation",
    "SituationRule",
    "Sleep",
    "Step",
    "Way",
    "WorkerWait",
]
