"""后台任务 background jobs: what the worker runs. Importing this package registers the tasks of its queue."""

from app.jobs import exporting, running, upkeep

__all__ = ["exporting", "running", "upkeep"]
