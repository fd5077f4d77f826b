"""Response headers: a strict content security policy with nonces, and none of the browser's guesses."""

import re
import secrets

from flask import Flask, Response, g, request

from app.kit.screen import own

POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}';"
    " img-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


# Of a name that is not ASCII alone, what werkzeug leaves for programs that read no other: “.xlsx” of 录取名单.xlsx.
FALLBACK = re.compile(r'filename=("(?:[^"\\]|\\.)*"|[^;"]*)(?=; *filename\*=)')
NOT_IN_FALLBACK = re.compile(r"[^A-Za-z0-9]+")


def nonce() -> str:
    """The nonce of this response's inline scripts and styles."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return g.csp_nonce


def _secure(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY.format(nonce=nonce()))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if not (request.endpoint or "").endswith("static") and "no-store" not in headers.get("Cache-Control", ""):
        headers["Cache-Control"] = "no-store"  # pages, JSON and workbooks hold personal data
    if said := headers.get("Content-Disposition"):
        headers["Content-Disposition"] = with_ascii_name(said)
    return response


def with_ascii_name(disposition: str) -> str:
    """A Content-Disposition whose name has a stem for every program."""
    return FALLBACK.sub(_fallback, disposition)


def _fallback(match: re.Match[str]) -> str:
    """A name with a stem: what is ASCII of the name, behind ours."""
    stem, _dot, ending = match[1].strip('"').rpartition(".")
    words = [word for word in NOT_IN_FALLBACK.split(stem) if word]
    return f'filename="{"-".join(["xueji", *words])}.{NOT_IN_FALLBACK.sub("", ending) or "bin"}"'


def install(app: Flask) -> None:
    app.jinja_env.globals |= {"csp_nonce": nonce, "own": own.own, "own_mark": own.mark}
    app.after_request(_secure)
