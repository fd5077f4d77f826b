"""转专业 transfers of major: verbs."""
