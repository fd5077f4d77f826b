"""paper: engines."""
