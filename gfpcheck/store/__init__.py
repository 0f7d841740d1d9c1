"""What a run keeps for the next one: entries by content, with a size limit."""

from gfpcheck.store.entries import LIMIT, Contents, Store
from gfpcheck.store.keys import digest

__all__ = ["LIMIT", "Contents", "Store", "digest"]
