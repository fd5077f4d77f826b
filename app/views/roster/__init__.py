"""学籍 the roster: screens."""
