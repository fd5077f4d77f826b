"""后台任务 background jobs: what the worker runs. Importing this package registers the tasks of its queue."""

from app.jobs import deciding, exporting, importing, running, upkeep

__all__ = ["deciding", "exporting", "importing", "running", "upkeep"]
