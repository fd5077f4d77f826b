"""Measures the roster's list with a million students against the same pages with a thousand, for registry and clerk."""

import os
import statistics
import time
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from werkzeug.security import generate_password_hash

from app import cluster
from app.demo import make_demo
from app.models import db
from bench.bed import TODAY, application, own_cluster, row

FEW, MANY = 1_000, int(os.environ.get("BENCH_STUDENTS", "1000000"))
BAR = 2.0
ROUNDS = 9
PASSWORD = "Bench-password-1"  # noqa: S105 - of invented people
LIST = "/studentscreen/list/"
PAGES = {
    "list": "",
    "sort by name": "?_oc_StudentScreen=name&_od_StudentScreen=asc",
    "prefix search": "?q=20250801",
    "search by name": "?q=王",
    "filter by college": "?_flt_0_college={college}",
    "deepest page": "?page_StudentScreen=100000000",
}


def measure() -> list[dict[str, Any]]:
    """Rows {name, value, bar, unit, holds}: the median time of each page over that with few students."""
    with own_cluster("lists", kept=True) as home:
        few, many = prepared(home, FEW), prepared(home, MANY)
        rows = []
        for username in ("registry", "clerk08"):
            browsers = {name: log_in(app, username) for name, app in (("few", few), ("many", many))}
            for page, query in PAGES.items():
                times = by_turns(browsers, LIST + query.format(college=8))
                name = f"{page} with {MANY:,} students over {FEW:,}, {username} ({times['many'] * 1000:.0f} ms)"
                rows.append(row(name, times["many"] / times["few"], "ratio", BAR))
        for app in (few, many):  # their connections would hold up the cluster's stop
            with app.app_context():
                db.session.remove()
                db.engine.dispose()
        return rows


def prepared(home: cluster.Cluster, students: int) -> Flask:
    """An application with so many students. They are made once: a million takes minutes."""
    database = f"students_{students}"
    app = application(home, database)
    engine = create_engine(home.url(cluster.OWNER, database))
    with engine.begin() as connection:
        if made := not connection.scalar(text("select exists (select from student)")):
            hashed = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
            make_demo(connection, students, TODAY, lambda _username: hashed)
    if made:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum (analyze) student"))
    engine.dispose()
    return app


def log_in(app: Flask, username: str) -> FlaskClient:
    client = app.test_client()
    answer = client.post("/login/", data={"username": username, "password": PASSWORD})
    if answer.status_code != 302:
        raise RuntimeError(f"{username} cannot log in: {answer.status}")
    return client


def by_turns(browsers: dict[str, FlaskClient], address: str) -> dict[str, float]:
    """The median seconds of a page in each, asked for in turns so that noise meets both alike."""
    taken: dict[str, list[float]] = {name: [] for name in browsers}
    for _round in range(ROUNDS + 1):
        for name, browser in browsers.items():
            begun = time.perf_counter()
            answer = browser.get(address)
            taken[name].append(time.perf_counter() - begun)
            if answer.status_code != 200:
                raise RuntimeError(f"{address}: {answer.status}")
    return {name: statistics.median(times[1:]) for name, times in taken.items()}  # the first warms caches
