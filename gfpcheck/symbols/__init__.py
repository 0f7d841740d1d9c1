"""Where the functions of a tree are defined, by a look at its text: names to files, and who is called from where."""

from gfpcheck.symbols.index import Index, open_index
from gfpcheck.symbols.text import definitions

__all__ = ["Index", "definitions", "open_index"]
