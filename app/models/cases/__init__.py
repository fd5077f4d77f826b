"""办件 cases: tables."""
