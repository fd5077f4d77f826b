"""组织 the organisation: screens."""
