"""From paths to parse commands."""

from gfpcheck.kbuild.arch import known_arches
from gfpcheck.kbuild.plan import Workspace, make_plan, open_workspace
from gfpcheck.kbuild.survey import survey
from gfpcheck.kbuild.types import Plan, PlanError, Unit

__all__ = ["Plan", "PlanError", "Unit", "Workspace", "known_arches", "make_plan", "open_workspace", "survey"]
