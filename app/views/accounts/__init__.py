"""账号 accounts: screens."""
