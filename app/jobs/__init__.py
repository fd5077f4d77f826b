"""后台任务 background jobs: what the worker runs. Importing this package registers the tasks of its queue."""

from app.jobs import daily, deciding, exporting, importing, running, upkeep

__all__ = ["daily", "deciding", "exporting", "importing", "running", "upkeep"]
