"""What a change does to a tree: revisions and patches as files that differ, trees made of those, changed lines."""

from gfpcheck.changes.applied import commit_of
from gfpcheck.changes.lines import Lines, Written, changed_lines, without
from gfpcheck.changes.patches import Patch, apply_patches, read_patches
from gfpcheck.changes.revisions import Range, find_range
from gfpcheck.changes.shadow import shadow
from gfpcheck.changes.types import ChangeError, Contents, Side, concerns

__all__ = [
    "ChangeError",
    "Contents",
    "Lines",
    "Patch",
    "Range",
    "Side",
    "Written",
    "apply_patches",
    "changed_lines",
    "commit_of",
    "concerns",
    "find_range",
    "read_patches",
    "shadow",
    "without",
]
