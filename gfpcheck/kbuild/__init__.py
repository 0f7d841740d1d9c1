"""From paths to parse commands."""

from gfpcheck.kbuild.arch import known_arches
from gfpcheck.kbuild.commands import Command
from gfpcheck.kbuild.detect import DATABASE, project_folder
from gfpcheck.kbuild.hook import Checked, read_check
from gfpcheck.kbuild.neighbours import neighbours
from gfpcheck.kbuild.plan import Workspace, make_plan, open_workspace
from gfpcheck.kbuild.survey import SOLVE, survey
from gfpcheck.kbuild.tree import find_tree
from gfpcheck.kbuild.types import CacheError, Plan, PlanError, Unit

__all__ = [
    "DATABASE",
    "SOLVE",
    "CacheError",
    "Checked",
    "Command",
    "Plan",
    "PlanError",
    "Unit",
    "Workspace",
    "find_tree",
    "known_arches",
    "make_plan",
    "neighbours",
    "open_workspace",
    "project_folder",
    "read_check",
    "survey",
]
