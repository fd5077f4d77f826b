"""Files that rows name: kept if the transaction that names them commits, removed if not, whatever dies in between.

A mark in `pending/` stands from before the file is written until its transaction has ended. The marks of killed processes
stay; a day later the audit, written in the same transaction, tells whether the file was named.
"""

import logging
import os
from pathlib import Path

from flask import current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app.kit.operation import NotFound
from app.models import AuditEntry, db

log = logging.getLogger(__name__)
FOLDER = "materials"
A_DAY = 24 * 60 * 60


def files_root() -> Path:
    """The folder of everything that is uploaded, outside the web root."""
    return Path(current_app.config["XUEJI_FILES"])


def path_of(name: str) -> str:
    """Where a file of this random name lies below the files folder."""
    return f"{FOLDER}/{name[:2]}/{name}"


class Lost(NotFound):
    """A row names a file that is not where it should be: a disk that is not there, or one put back without it."""

    remedied = True


def stored(path: str, *, files_root: Path) -> Path:
    """Where a file lies that a row names. Raises Lost, and tells the operators."""
    found = files_root / path
    if not found.is_file():
        log.error("a stored file is missing: %s", path)
        raise Lost(_("The file is missing where the files are kept. What it was is on record, and nobody deleted it here. Tell"
                     " the roster registry the reference below, so that the operators bring it back."))  # fmt: skip
    return found


def keep_with_transaction(content: bytes, name: str, *, files_root: Path) -> str:
    """Write the file and return its path, which the running transaction must name: `new.path` of its audit row."""
    target, mark = files_root / path_of(name), files_root / "pending" / name
    for folder in (target.parent, mark.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.touch(mode=0o600, exist_ok=False)
    created = False
    try:
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            created = True
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # the row must not outlive a power cut that the file does not
    except BaseException:
        if created:
            target.unlink()
        mark.unlink()
        raise
    _end_with_transaction(target, mark)
    return path_of(name)


def _end_with_transaction(target: Path, mark: Path) -> None:
    session = db.session()
    state = {"undecided": True, "asked": False}

    def asks(session: Session) -> None:
        state["asked"] |= not session.in_nested_transaction()

    def committed(session: Session) -> None:
        if state["undecided"] and not session.in_nested_transaction():
            state["undecided"] = False
            mark.unlink(missing_ok=True)

    def rolled_back(session: Session) -> None:
        if not state["undecided"] or session.in_nested_transaction():
            return
        state["undecided"] = False
        if not state["asked"]:  # else the commit failed on its way, and nobody knows whether it took place
            target.unlink(missing_ok=True)
            mark.unlink(missing_ok=True)

    event.listen(session, "before_commit", asks)
    event.listen(session, "after_commit", committed)
    event.listen(session, "after_rollback", rolled_back)


def settle_pending(files_root: Path, *, now: float) -> list[str]:
    """Remove files whose transaction died a day ago or earlier, and all old marks. The scope must read the audit."""
    removed = []
    for mark in sorted((files_root / "pending").glob("*")):
        if now - mark.stat().st_mtime < A_DAY:
            continue
        path = path_of(mark.name)
        named = select(AuditEntry.id).where(AuditEntry.new["path"].as_string() == path).limit(1)
        if db.session.scalar(named) is None:
            (files_root / path).unlink(missing_ok=True)
            removed.append(path)
        mark.unlink()
    return removed
