"""批量办理 the batch job: what decide_at_once does for few cases, for very many, in the background."""

from flask_babel import lazy_gettext as _

from app.access import Permission
from app.kit.jobs.job import JobResult, RunningJob, job
from app.operations.cases.batches import DECIDE, decide_rows, summary


@job(DECIDE, needs=Permission.CASE_DECIDE)
def decide_many(run: RunningJob) -> JobResult:
    """One transaction: all that can be decided are, or, if the worker dies, none is and the job runs again."""
    decision = dict(run.params)
    steps = decision.pop("steps")
    run.progress(0, sum(map(len, steps.values())))
    outcomes = decide_rows(run.actor, steps, **decision)
    result = summary(outcomes)
    message = _("%(done)s decided, %(refused)s not", done=result["decided"], refused=result["refused"])
    return JobResult(message, result)
