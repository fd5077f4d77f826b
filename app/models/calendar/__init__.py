"""校历 the academic calendar: tables."""
