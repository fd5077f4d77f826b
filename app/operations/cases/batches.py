"""批量办理 batches: many cases decided in one act, with a result for each that can be read and downloaded later."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import func

from app.access import Actor, Permission
from app.kit.flow import Outcome, decide
from app.kit.operation import Refused, operation
from app.models import JobRun, JobState, db

DECIDE = "decide"  # the kind of the run
MOST = 100_000


def parse(rows: Iterable[str]) -> dict[str, list[int]]:
    """Ticks as the inbox posts them (`case id:step key`) → step → ids of cases. Raises Refused for anything else."""
    steps: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        number, _colon, step = row.partition(":")
        if not number.isdecimal() or not step or len(number) > 18:
            raise Refused(_("The selection is not understood. Open the list again and select anew."))
        steps[step].append(int(number))
    if sum(map(len, steps.values())) > MOST:
        raise Refused(_("At most %(most)s cases can be decided at once. Narrow the filter.", most=MOST))
    return dict(steps)


@operation(needs=Permission.CASE_DECIDE)
def decide_rows(
    actor: Actor,
    steps: dict[str, list[int]],
    *,
    act: str,
    opinion: str | None = None,
    records: dict[str, Any] | None = None,
    to: str = "previous",
) -> list[Outcome]:
    """Decide cases that were shown at these steps; per step the number of statements is fixed."""
    outcomes: list[Outcome] = []
    for step, ids in sorted(steps.items()):
        outcomes += decide(actor, ids, expected_step=step, act=act, opinion=opinion, records=records, to=to)
    return outcomes


@operation(needs=Permission.CASE_DECIDE)
def decide_at_once(actor: Actor, title: str, steps: dict[str, list[int]], **decision: Any) -> JobRun:
    """A small batch, decided now; its outcome is kept like that of a job."""
    outcomes = decide_rows(actor, steps, **decision)
    run = JobRun(
        kind=DECIDE, title=title[:80], user_id=actor.user_id, identity_id=actor.identity_id, state=JobState.DONE,
        params={"act": decision["act"]}, result=summary(outcomes), done=len(outcomes), total=len(outcomes),
        started_at=func.now(), finished_at=func.now(),
    )  # fmt: skip
    db.session.add(run)
    db.session.flush()
    return run


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """Outcomes as they are stored: how many of each, and a row a case, those not done first."""
    rows = [
        [one.case_id, one.number, one.subject, one.done, None if one.done else str(one.reason)]
        for one in sorted(outcomes, key=lambda one: one.done)
    ]
    done = sum(one.done for one in outcomes)
    return {"decided": done, "refused": len(outcomes) - done, "rows": rows}
