"""One Excel import or export a file. Those that take rows in are imported here: each registers itself with its jobs."""

from app.workbooks import admissions, transfer_scores

__all__ = ["admissions", "transfer_scores"]
