"""/health and /ready: is the process alive; are the database, its migrations and a worker there."""

from pathlib import Path

from alembic.script import ScriptDirectory
from flask import Blueprint, current_app, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.kit.jobs.job import worker_seen
from app.models import db

health = Blueprint("health", __name__)


@health.get("/health")
def alive():
    return jsonify(alive=True)


@health.get("/ready")
def ready():
    """200 when requests can be served, else 503 with what is missing."""
    facts = {"database": False, "migrations": False, "worker": False}
    try:
        facts["database"] = db.session.scalar(text("select true")) is True
        heads = set(db.session.scalars(text("select version_num from alembic_version")))
        facts["migrations"] = heads == set(_scripts().get_heads())
        facts["worker"] = worker_seen(seconds=60)
    except SQLAlchemyError:
        db.session.rollback()
    return jsonify(facts), 200 if all(facts.values()) else 503


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(current_app.root_path).parent / "migrations"))
