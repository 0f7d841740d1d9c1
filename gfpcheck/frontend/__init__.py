"""libclang to IR. Nothing else in gfpcheck touches libclang."""

from __future__ import annotations

from gfpcheck.frontend.constants import fold_constants
from gfpcheck.frontend.libclang import FrontendError, identity, libclang_version
from gfpcheck.frontend.parse import ParseError, is_missing_file, missing_headers
from gfpcheck.frontend.pch import Precompiled, header_digest
from gfpcheck.frontend.pool import Read, Settings, lower_units, read_units
from gfpcheck.frontend.surroundings import Surroundings
from gfpcheck.frontend.unit import lower_file

__all__ = [
    "FrontendError",
    "ParseError",
    "Precompiled",
    "Read",
    "Settings",
    "Surroundings",
    "fold_constants",
    "header_digest",
    "identity",
    "is_missing_file",
    "libclang_version",
    "lower_file",
    "lower_units",
    "missing_headers",
    "read_units",
]
