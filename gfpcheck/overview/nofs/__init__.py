"""Where GFP_NOFS, GFP_NOIO and __GFP_NOLOCKDEP are written, why, and where a scope could say it instead."""
