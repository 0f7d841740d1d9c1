"""libclang to IR. Nothing else in gfpcheck touches libclang."""

from __future__ import annotations

from gfpcheck.frontend.constants import fold_constants
from gfpcheck.frontend.libclang import FrontendError, libclang_version
from gfpcheck.frontend.parse import ParseError
from gfpcheck.frontend.pool import Read, Settings, lower_units, read_units
from gfpcheck.frontend.unit import lower_file

__all__ = [
    "FrontendError",
    "ParseError",
    "Read",
    "Settings",
    "fold_constants",
    "libclang_version",
    "lower_file",
    "lower_units",
    "read_units",
]
