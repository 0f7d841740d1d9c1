"""The inventory: every allocation that may not fail, of whatever kind, and what is known of it."""
