"""Facts about programs: values, lock sets, scopes, summaries, retry loops, reclaim. No rules, no libclang."""
