"""办件 cases: verbs."""
