"""办件 cases: screens."""
