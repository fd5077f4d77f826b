"""组织 the organisation: verbs."""
