"""上传 uploads: files to import, kept under random names until they are imported or their day of expiry comes."""

import json
import os
from pathlib import Path
from typing import IO, Any

from flask import current_app
from flask_babel import lazy_gettext as _

from app.kit.jobs.job import new_path
from app.kit.operation import Refused
from app.kit.workbook.guard import MEGABYTE, Limits, check_upload
from app.models import setting_int

CHUNK = 1 << 20


def imports_folder() -> Path:
    """Where uploads lie, in one folder a day of expiry: `<day>/<random name>`."""
    return Path(current_app.config["XUEJI_FILES"]) / "imports"


def limits() -> Limits:
    """What an import takes by the settings."""
    return Limits(file_bytes=setting_int("import_max_mb") * MEGABYTE)


def keep(stream: IO[bytes]) -> str:
    """Keep a workbook that the guard lets pass, and return its name. Raises Unreadable; then nothing is kept."""
    name, most = new_path(), limits()
    path = imports_folder() / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            while file.tell() <= most.file_bytes and (chunk := stream.read(CHUNK)):
                file.write(chunk)
        check_upload(path, most)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return name


def kept(name: str) -> Path:
    """The file of a name that `keep` gave. Raises Refused if it is there no more."""
    path = imports_folder() / name
    if not path.is_file():
        raise Refused(_("The uploaded file was imported or has expired, and was removed. Choose it again."))
    return path


def forget(name: str) -> None:
    """Remove a file and what was found in it."""
    for path in (imports_folder() / name, findings_path(name)):
        path.unlink(missing_ok=True)


def findings_path(name: str) -> Path:
    return imports_folder() / f"{name}.json"


def keep_findings(name: str, findings: dict[str, Any]) -> None:
    """Keep what a check found beside its file: it quotes personal data, so it goes when the file goes."""
    path = findings_path(name)
    draft = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(findings, file, ensure_ascii=False)
    os.replace(draft, path)


def kept_findings(name: str) -> dict[str, Any]:
    kept(name)
    return json.loads(findings_path(name).read_text(encoding="utf-8"))
