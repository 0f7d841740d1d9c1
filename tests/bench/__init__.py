"""`make bench`: what a run of gfpcheck costs, beside the same work by other tools, in one go."""
