"""The pipeline: plan, lower, analyse, run rules, report. No formatting, no argument parsing."""

from gfpcheck.driver.options import Options, RunError
from gfpcheck.driver.rules import all_rules, select
from gfpcheck.driver.run import run

__all__ = ["Options", "RunError", "all_rules", "run", "select"]
