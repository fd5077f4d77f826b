"""组织 the organisation: tables."""
