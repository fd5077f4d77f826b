"""转专业 transfers of major: tables."""
