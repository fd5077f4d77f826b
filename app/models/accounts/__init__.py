"""账号 accounts: tables."""
