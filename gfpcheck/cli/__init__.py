"""The command line."""

from __future__ import annotations

import gc
from collections.abc import Sequence

from gfpcheck.cli import interrupts
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.terminal import abandon_standard_streams, open_standard_streams, say

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line (default: that of this process) and return the exit code.

    Never raises, never prints a traceback. Takes over the process's signals.
    """
    open_standard_streams()
    # Python need not look for garbage while a command runs, nor through all that is left of it at the end.
    gc.disable()
    try:
        interrupts.install()
        # Imported here, because an interrupt may come while a hundred modules are read.
        from gfpcheck.cli.main import run

        code = run(args)
    except KeyboardInterrupt:
        say("interrupted")
        code = Exit.FAILED
    interrupts.ignore()
    gc.freeze()
    abandon_standard_streams()
    return int(code)
