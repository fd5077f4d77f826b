"""操作 operations: the verbs, and the only writers."""
