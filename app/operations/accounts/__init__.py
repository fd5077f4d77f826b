"""账号 accounts: verbs."""
