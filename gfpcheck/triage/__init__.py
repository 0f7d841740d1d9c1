"""What becomes of findings once they are found: settings by path, suppressions, baselines."""

from gfpcheck.triage.accepted import NAME, add_accepted, load_accepted
from gfpcheck.triage.apply import Request, triage
from gfpcheck.triage.baseline import load_baseline, write_baseline
from gfpcheck.triage.keys import UnknownKeyError, check_keys
from gfpcheck.triage.policy import Accepted, PathSettings, Policy, TriageError

__all__ = [
    "NAME",
    "Accepted",
    "PathSettings",
    "Policy",
    "Request",
    "TriageError",
    "UnknownKeyError",
    "add_accepted",
    "check_keys",
    "load_accepted",
    "load_baseline",
    "triage",
    "write_baseline",
]
