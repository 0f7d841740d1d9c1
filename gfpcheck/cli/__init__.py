"""The command line."""

from gfpcheck.cli.main import main

__all__ = ["main"]
