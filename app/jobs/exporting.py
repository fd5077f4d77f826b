"""导出 the export job: a list's rows as a workbook, or one workbook a college in a zip."""

from app.access import Permission
from app.kit.jobs.job import job
from app.kit.screen.exporting import EXPORT, run_export

job(EXPORT, needs=Permission.JOB_READ)(run_export)  # what the list itself needs is asked by run_export
