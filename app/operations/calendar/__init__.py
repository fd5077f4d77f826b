"""校历 the academic calendar: verbs."""
