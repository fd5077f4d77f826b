"""Logs: one JSON object a line with the request's id; names, numbers, passwords and searches stay out of them."""

import json
import logging
import re
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")
# The text of a database error quotes values of rows; its class says enough.
QUOTED_ROW = re.compile(r"\((?:psycopg\.errors|sqlalchemy\.exc)\.(\w+)\).*", re.DOTALL)
SECRET_LINK = re.compile(r"(/calendar-feed/\d+/)[^/\s?\"']+")  # its last part opens somebody's calendar
LONGEST = 500

# For logging.config.dictConfig, and gunicorn's logconfig_dict.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "app.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {
        "alembic": {"level": "WARNING"},
        "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
        "gunicorn.access": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
    },
}

_about: ContextVar[str] = ContextVar("about", default="")


@contextmanager
def about(name: str) -> Iterator[None]:
    """Lines written meanwhile carry this id: a request's, or a job's."""
    token = _about.set(name)
    try:
        yield
    finally:
        _about.reset(token)


class JsonFormatter(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if name := _about.get():
            line["request"] = name
        if record.name == "gunicorn.access" and isinstance(record.args, dict):
            line |= _access(record.args)
        else:
            line["message"] = _message(record)
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _error(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def _access(atoms: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, without its query, by nobody in particular."""
    return {
        "request": atoms.get("{x-request-id}o", ""),
        "method": atoms["m"],
        "path": SECRET_LINK.sub(r"\1…", atoms["U"]),
        "status": int(atoms["s"]),
        "bytes": atoms["B"],
        "milliseconds": atoms["M"],
    }


def _message(record: logging.LogRecord) -> str:
    """The framework's own lines name users in their arguments; only their wording is kept."""
    text = str(record.msg) if record.name.startswith("flask_appbuilder") else record.getMessage()
    return _without_rows(text)


def _error(error: BaseException) -> dict[str, Any]:
    told: dict[str, Any] = {"type": type(error).__name__}
    if sqlstate := getattr(getattr(error, "orig", error), "sqlstate", None):
        told["sqlstate"] = sqlstate
    else:
        told["message"] = _without_rows(str(error))
    told["at"] = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    if cause := error.__cause__ or error.__context__:
        told["cause"] = _error(cause)
    return told


def _without_rows(text: str) -> str:
    return SECRET_LINK.sub(r"\1…", QUOTED_ROW.sub(r"(\1)", text))[:LONGEST]


def _begin() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if SANE.fullmatch(given) else secrets.token_hex(8)
    _about.set(g.request_id)


def _sign(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    return response


def _end(error: BaseException | None) -> None:
    _about.set("")


def install(app: Flask) -> None:
    """Give each request an id: a proxy's if it looks like one, else a new one; answers carry it too."""
    app.before_request_funcs.setdefault(None, []).insert(0, _begin)
    app.after_request(_sign)
    app.teardown_request(_end)
