"""The pipeline: plan, lower, analyse, run rules, report. No formatting, no argument parsing."""

from gfpcheck.driver.options import Options, RunError
from gfpcheck.driver.rules import all_rules, select
from gfpcheck.driver.run import run
from gfpcheck.driver.survey import frontend_version, survey

__all__ = ["Options", "RunError", "all_rules", "frontend_version", "run", "select", "survey"]
