"""jobs: engines."""
