"""学籍 the roster: verbs."""
