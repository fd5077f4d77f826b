"""校历 the academic calendar: screens."""
