"""Errors as a person reads them: one page, one sentence, one remedy; the same as JSON for the API."""

import contextlib
import json
import logging
import re
from typing import Any

import prison
from flask import Flask, current_app, flash, g, jsonify, make_response, redirect, render_template, request
from flask_appbuilder.exceptions import DatabaseException
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import BadRequest, HTTPException, NotFound

from app.access.attempts import TooManyTries
from app.kit.holding import secret_of_form
from app.kit.operation import Faulty, Refused, Told
from app.kit.screen.interface import sentence
from app.models import db
from app.views.held import keep_refused

log = logging.getLogger(__name__)

MOST_DRAINED = 512 * 1024 * 1024  # bytes of a refused upload that are read to its end and thrown away
PAGING = re.compile("page_|psize_")
WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)

UNWRITABLE = re.compile("[\0\ud800-\udfff]")  # NUL, and halves of characters


class Unwritable(Refused):
    """A text that cannot be stored."""

    status = 422


PAGES = {
    400: (_("This request is not understood"), _("Go back, check what was entered, and try again.")),
    401: (_("Please log in"), _("Your session has ended. Log in again; what was saved is kept.")),
    403: (_("This is not open to you"), _("Your role may not do this. Switch your identity, or ask the registry.")),
    404: (_("Nothing is here"), _("The record does not exist, or it is not one of yours.")),
    405: (_("This cannot be opened so"), _("Use the buttons of the page.")),
    409: (_("This was not done"), _("Read the reason, mend it, and try again.")),
    413: (_("This file is too large"), _("Send a smaller file, or split it.")),
    422: (_("Some values are not right"), _("Mend the values named and send again.")),
    429: (_("Too many attempts"), _("Wait a minute, then try again.")),
    500: (_("Something failed on our side"), _("Nothing was saved. Tell the registry the reference below.")),
}


def _answer(status: int, detail: str | None = None, *, remedied: bool = False, fields: dict[str, str] | None = None):
    """The page, or the JSON. `remedied`: the detail says itself what to do; `fields`: what is wrong with each."""
    title, remedy = PAGES.get(status, PAGES[400 if status < 500 else 500])
    if request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json":
        more = {"fields": fields} if fields else {}
        return jsonify(message=str(detail or title), reference=g.get("request_id"), **more), status
    appbuilder = current_app.extensions["appbuilder"]
    page = render_template(
        "xueji/error.html",
        appbuilder=appbuilder,
        base_template=appbuilder.base_template,
        title=title,
        detail=detail,
        remedy=None if remedied else remedy,
        status=status,
        reference=g.get("request_id"),
    )
    return page, status


def drain() -> None:
    """Read what is still being sent: a browser that finds the door shut half-way shows no page at all."""
    left = MOST_DRAINED
    while left > 0 and (piece := request.environ["wsgi.input"].read(min(left, 1 << 20))):
        left -= len(piece)


def _http(error: HTTPException):
    if error.code is not None and 300 <= error.code < 400:
        return error
    if error.code == 413:
        drain()
        most = (current_app.config["MAX_CONTENT_LENGTH"] or 0) // (1024 * 1024)
        return _answer(413, str(_("At most %(most)s MB can be sent at once.", most=most)))
    return _answer(error.code or 500)


# Why a password is not looked at; each says itself how long to wait.
TRIES = {
    "elsewhere": _("Too many wrong passwords for this account. It can log in here again in %(minutes)s minutes, and at any time"
                   " from where it has logged in before."),
    "here": _("Too many wrong passwords for this account. Try again in %(seconds)s seconds."),
    "place": _("Too many wrong passwords from this address. Try again in a minute."),
}  # fmt: skip


def _too_many(error: TooManyTries):
    answer = make_response(
        _answer(
            429, str(TRIES[error.why]) % {"seconds": error.seconds, "minutes": -(-error.seconds // 60)}, remedied=True
        )
    )
    answer.headers["Retry-After"] = str(error.seconds)
    return answer


def _forged(error: CSRFError):
    kept = keep_refused(error)
    if kept is not None:
        return kept
    if request.blueprint == "AuthDBView" and secret_of_form():  # a login page that stood open too long: a fresh one
        flash(_("The page had stood open for too long. Sign in once more."), "warning")
        return redirect(request.full_path, 303)
    return _answer(400, str(_("This form was opened in another session, or too long ago. Open the page again.")))


def _told(error: Told):
    faults = error.faults if isinstance(error, Faulty) else {}
    return _answer(
        error.status, str(error), remedied=error.remedied, fields={name: str(why) for name, why in faults.items()}
    )


def _database(error: Exception):
    db.session.rollback()
    log.info("the database refused a request: %s", type(error).__name__)
    state = getattr(getattr(error, "orig", None), "sqlstate", "") or ""
    if isinstance(error, ProgrammingError) and state != "42501":
        return _unexpected(error)
    return _answer(403 if state == "42501" else 409 if isinstance(error, IntegrityError | StaleDataError) else 400,
                   sentence(error))  # fmt: skip


def _not_saved(error: DatabaseException):
    return _answer(409, str(error))


def _unexpected(error: Exception):
    db.session.rollback()
    log.exception("unexpected error")
    return _answer(500)


def check_query() -> None:
    """Refuse what FAB would take unseen and fail on: numbers of pages that are none, unreadable queries of an API."""
    for name, value in request.args.items():
        if PAGING.search(name) and not WHOLE.fullmatch(value):
            raise BadRequest
    if "\0" in request.path:
        raise NotFound
    asked = request.args.get("q")
    if asked and request.path.startswith("/api/"):
        try:
            prison.loads(asked)
        except prison.decoder.ParserException:
            with contextlib.suppress(ValueError):  # FAB says so, or reads it as JSON
                refuse_unwritable("q", json.loads(asked))
        except Exception as error:  # the parser has no word of its own for a cut number or an endless one
            raise BadRequest from error


def refuse_unwritable(name: str, value: Any) -> None:
    """No text of the database can hold these characters. Most are read without them (app/typed.py); a password is not."""
    if isinstance(value, str):
        if UNWRITABLE.search(value):
            raise Unwritable(_("%(field)s: there is a character in it that no text can have. Delete it, or type the text"
                               " anew, and send again.", field=name[:40]))  # fmt: skip
    elif isinstance(value, dict):
        for key, one in value.items():
            refuse_unwritable(name, key)
            refuse_unwritable(key, one)
    elif isinstance(value, list):
        for one in value:
            refuse_unwritable(name, one)


def check_texts() -> None:
    """What is sent is looked through before anybody reads it."""
    for sent in (request.args, request.form):
        for name, value in sent.items(multi=True):
            refuse_unwritable("", name)
            refuse_unwritable(name, value)
    for name, file in request.files.items(multi=True):
        refuse_unwritable(name, file.filename)
    if request.is_json:
        try:
            refuse_unwritable("", request.get_json(silent=True))
        except RecursionError as error:
            raise BadRequest from error


def install(app: Flask) -> None:
    app.before_request(check_texts)
    app.before_request(check_query)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(TooManyTries, _too_many)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(Told, _told)
    app.register_error_handler(DatabaseException, _not_saved)
    for kind in (DataError, IntegrityError, ProgrammingError, StaleDataError):
        app.register_error_handler(kind, _database)
    app.register_error_handler(Exception, _unexpected)
