"""The pipeline: plan, lower, analyse, run rules, report. No formatting, no argument parsing."""

from gfpcheck.driver.options import Options, RunError
from gfpcheck.driver.rules import all_rules, select
from gfpcheck.driver.run import frontend_version, run, survey

__all__ = ["Options", "RunError", "all_rules", "frontend_version", "run", "select", "survey"]
