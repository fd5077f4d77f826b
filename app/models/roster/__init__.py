"""学籍 the roster: tables."""
