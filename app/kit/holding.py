"""暂存 holding: what was sent after its session had ended, kept until the person whose form it was sends it again.

A form's token names, under our signature, whose session made the form. For nobody else is it kept, shown or sent; and nothing
is sent by itself. It lies in a folder of its own user, a day at most, and goes when it has been sent.
"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Request, current_app, request, session
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.datastructures import FileStorage, ImmutableMultiDict
from werkzeug.utils import secure_filename

from app.kit import clock
from app.kit.filing import files_root

TOKEN = "csrf_token"  # noqa: S105 - the name of a field
NOT_KEPT = ("password", TOKEN)  # in the name of a field
OLDEST_TOKEN = 3 * 24 * 60 * 60  # seconds; a form may have stayed open over a weekend
KEPT_FOR = 24 * 60 * 60
MOST = 10  # of one user


@dataclass(frozen=True)
class Held:
    """A form that waits to be sent again."""

    name: str
    path: str  # with its query: where it was sent
    page: str | None  # where it was filled in
    at: datetime
    fields: list[tuple[str, str]]
    files: list[dict[str, str]]  # {field, filename, content_type, stored}


def mark_owner(user_id: int) -> None:
    """Let every form of this session tell whose it is."""
    if not str(session.get(TOKEN, "")).startswith(f"{user_id}."):
        session[TOKEN] = f"{user_id}.{secrets.token_hex(20)}"


def secret_of_form() -> str | None:
    """What the token of the form that is being sent says; None if we did not sign it."""
    token = request.form.get(TOKEN) or request.headers.get("X-CSRFToken") or ""
    signer = URLSafeTimedSerializer(str(current_app.secret_key), salt="wtf-csrf-token")  # as Flask-WTF signs
    try:
        return str(signer.loads(token, max_age=OLDEST_TOKEN))
    except BadData:
        return None


def owner_of_form() -> int | None:
    """Whose form is being sent; None if nobody's."""
    owner, dot, _secret = (secret_of_form() or "").partition(".")
    return int(owner) if dot and owner.isdecimal() else None


def hold(user_id: int) -> str:
    """Keep the form that is being sent for this user; the name under which she finds it."""
    name = secrets.token_hex(16)
    folder = _folder(user_id) / name
    folder.mkdir(mode=0o700, parents=True)
    kept = [(key, value) for key, value in request.form.items(multi=True) if not any(one in key for one in NOT_KEPT)]
    files: list[dict[str, str]] = []
    for field, sent in request.files.items(multi=True):
        if not sent.filename:
            continue
        stored = f"{len(files)}"
        with os.fdopen(os.open(folder / stored, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            sent.save(file)
        files.append(
            {"field": field, "filename": sent.filename, "content_type": sent.content_type or "", "stored": stored}
        )
    here = request.host_url
    page = request.referrer[len(here) - 1 :] if request.referrer and request.referrer.startswith(here) else None
    facts = {"path": request.full_path.rstrip("?"), "page": page, "at": clock.now().isoformat(),
             "fields": kept, "files": files}  # fmt: skip
    with os.fdopen(
        os.open(folder / "form.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(facts, file, ensure_ascii=False)
    for old in names(user_id)[MOST:]:
        drop(user_id, old)
    return name


def names(user_id: int) -> list[str]:
    """What is kept for this user, the newest first."""
    folder = _folder(user_id)
    found = [one for one in folder.iterdir() if (one / "form.json").is_file()] if folder.is_dir() else []
    return [one.name for one in sorted(found, key=lambda one: one.stat().st_mtime, reverse=True) if _lasts(one)]


def held(user_id: int, name: str) -> Held | None:
    """A form that is kept for this user; None for any other."""
    folder = _folder(user_id) / secure_filename(name)
    if not secure_filename(name) or not (folder / "form.json").is_file() or not _lasts(folder):
        return None
    facts: dict[str, Any] = json.loads((folder / "form.json").read_text(encoding="utf-8"))
    fields = [(key, value) for key, value in facts["fields"]]
    return Held(folder.name, facts["path"], facts["page"], datetime.fromisoformat(facts["at"]), fields, facts["files"])


def put_in_place(user_id: int, kept: Held, asked: Request, open_files: ExitStack) -> None:
    """Let the request carry what was kept, as if it had just been sent."""
    folder = _folder(user_id) / kept.name
    files = [
        (one["field"], FileStorage(open_files.enter_context((folder / one["stored"]).open("rb")), one["filename"],
                                   one["field"], one["content_type"]))
        for one in kept.files
    ]  # fmt: skip
    vars(asked).update(form=ImmutableMultiDict(kept.fields), files=ImmutableMultiDict(files))


def drop(user_id: int, name: str) -> None:
    """Throw a kept form away."""
    if secure_filename(name):
        shutil.rmtree(_folder(user_id) / secure_filename(name), ignore_errors=True)


def drop_old(now: float) -> list[str]:
    """Throw away what nobody sent within a day; the places."""
    old = [one for one in _all() if now - one.stat().st_mtime >= KEPT_FOR]
    for one in old:
        shutil.rmtree(one)
    return [f"held/{one.parent.name}/{one.name}" for one in old]


def _all() -> Iterable[Path]:
    return sorted((files_root() / "held").glob("*/*"))


def _folder(user_id: int) -> Path:
    return files_root() / "held" / str(user_id)


def _lasts(folder: Path) -> bool:
    return time.time() - folder.stat().st_mtime < KEPT_FOR
