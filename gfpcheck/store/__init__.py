"""What a run keeps for the next one: entries by content, with a size limit."""

from gfpcheck.store.entries import LIMIT, Contents, Store
from gfpcheck.store.keys import Spelling, digest
from gfpcheck.store.stamps import Files, Stamp, is_settled, stamp

__all__ = ["LIMIT", "Contents", "Files", "Spelling", "Stamp", "Store", "digest", "is_settled", "stamp"]
