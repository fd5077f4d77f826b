"""Measures a round of transfers: eight hundred applications over twenty colleges and sixty majors, decided in one act."""

import time
from typing import Any

from sqlalchemy import create_engine

from app import cluster
from app.models import db
from bench.bed import TODAY, application, own_cluster, row
from tests.cast import build_cast
from tests.flows.test_transfer_many import FEW, MANY, House

SECONDS = 10  # "in seconds"


def measure() -> list[dict[str, Any]]:
    """Rows {name, value, bar, unit, holds}: the seconds of the decision, and its statements beside those of a small round."""
    taken: dict[int, tuple[float, int]] = {}
    with own_cluster("transfer") as home:
        for many in (FEW, MANY):
            app = application(home, f"transfer_{many}")
            engine = create_engine(home.url(cluster.OWNER, f"transfer_{many}"))
            with engine.begin() as connection:
                build_cast(connection, TODAY)
            engine.dispose()
            with app.app_context():
                house = House(app, many)
                begun = time.perf_counter()
                statements = house.decide()
                taken[many] = time.perf_counter() - begun, statements
                house.owner.dispose()
                db.session.remove()
                db.engine.dispose()
    what = f"decide a round of {MANY} transfers"
    return [
        row(f"{what}: time", taken[MANY][0], "s", SECONDS),
        row(f"{what}: statements", taken[MANY][1], "count"),
        row(f"{what}: statements more than for {FEW}", taken[MANY][1] - taken[FEW][1], "count", 0),
    ]
