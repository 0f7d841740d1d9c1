"""Where the cache is."""

from __future__ import annotations

import os
from pathlib import Path

from gfpcheck.cli.terminal import say


def cache_directory(use: bool) -> Path | None:
    """The cache directory, made if need be; None when there shall be none or it cannot be written.

    GFPCHECK_CACHE names it, else it is gfpcheck/ in XDG_CACHE_HOME or ~/.cache.
    """
    if not use:
        return None
    named = os.environ.get("GFPCHECK_CACHE")
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        path = Path(named) if named else base / "gfpcheck"
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied", str(path))
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        say(f"the cache directory cannot be used ({why}: {getattr(error, 'filename', named)}); going on without one")
        return None
    return path
