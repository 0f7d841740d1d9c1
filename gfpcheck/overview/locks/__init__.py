"""The locks of a tree: what is allocated under each, how reclaim takes it, who waits for it, in which order."""
