"""程序 proceedings: verbs."""
