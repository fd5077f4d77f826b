"""Static files: the address names the version of the file, so that browsers may keep it for a year."""

import functools
import hashlib
import os
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin

YEAR = "public, max-age=31536000, immutable"


@functools.lru_cache(maxsize=1000)
def _digest(path: str, _changed: int, _size: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10]


def version(app: Flask, endpoint: str, filename: str) -> str | None:
    """The version of a file: the hash of what is in it. None if there is no such file."""
    name = endpoint.rpartition(".")[0]
    folder = (app.blueprints[name] if name else app).static_folder
    path = os.path.join(folder or "", filename)  # a page asks for twenty of them, and a Path costs more than the rest
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return _digest(path, facts.st_mtime_ns, facts.st_size)


class PageSessions(SecureCookieSessionInterface):
    """Renews the cookie with pages, never with files: what is kept for a year must carry nobody's session, and a file that
    comes late would put the session of whoever asked for it over the next one's."""

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        return not (request.endpoint or "").endswith("static") and super().should_set_cookie(app, session)


def install(app: Flask) -> None:
    app.session_interface = PageSessions()

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if (endpoint == "static" or endpoint.endswith(".static")) and values.get("filename") and "v" not in values:
            known = version(app, endpoint, values["filename"])
            if known:
                values["v"] = known

    @app.after_request
    def keep(response: Response) -> Response:
        endpoint, given = request.endpoint or "", request.args.get("v")
        if endpoint.endswith("static") and response.status_code in (200, 304):
            filename = (request.view_args or {}).get("filename", "")
            current = given is not None and given == version(app, endpoint, filename)
            response.headers["Cache-Control"] = YEAR if current else "no-cache"
        return response
