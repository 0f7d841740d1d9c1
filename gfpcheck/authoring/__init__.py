"""For whoever writes rules and models: expectations in fixtures, their comparison with what came, skeletons, pages."""
