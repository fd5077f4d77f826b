"""The jobs that tests run in real worker processes: `python -m tests.kit.job_worker` is a worker that knows them."""

import json
import sys
import time

from sqlalchemy import text

from app.access import Permission
from app.jobs import __main__ as worker
from app.kit.jobs.job import JobResult, RunningJob, Stopped, job
from app.kit.operation import Refused, audit
from app.models import db


@job("test_count", needs=Permission.ROSTER_EXPORT)
def count(run: RunningJob) -> JobResult:
    """Count to `rows` with a file, and leave one audit row as the effect that must happen exactly once."""
    rows = run.params["rows"]
    audit(run.actor, "test.effect", subject="job_run", subject_id=run.id)
    with run.file.open("w") as file:
        for row in range(rows):
            if row % 20 == 0:
                run.progress(row, rows)
                if run.should_stop():
                    raise Stopped
            file.write(f"{row}\n")
            time.sleep(run.params.get("pause", 0))  # work, so that there is a middle to be killed in
    return JobResult("Counted.", {"rows": rows}, "count.txt")


@job("test_see", needs=Permission.ROSTER_EXPORT)
def see(run: RunningJob) -> JobResult:
    """Report which colleges' students the job reaches."""
    colleges = db.session.scalars(text("select distinct college_id from student order by 1")).all()
    return JobResult(figures={"colleges": list(colleges)})


@job("test_fail", needs=Permission.ROSTER_EXPORT)
def fail(run: RunningJob) -> JobResult:
    """Do something, then fail: with a sentence, or with an error of the program."""
    audit(run.actor, "test.effect", subject="job_run", subject_id=run.id)
    run.file.write_text("half")
    if run.params.get("refused"):
        raise Refused("This term has no window.")
    raise ZeroDivisionError("secret detail")


def main() -> None:
    settings = json.loads(sys.argv[1])
    worker.serve(settings)


if __name__ == "__main__":
    main()
