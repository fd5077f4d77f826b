"""材料 materials: scans kept under random names outside the web root, known by their content and not by their name."""

import hashlib
import os
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

from flask_babel import lazy_gettext as _
from PIL import Image
from sqlalchemy import func, select

from app.access import Actor, Permission
from app.kit import clock
from app.kit.filing import keep_with_transaction, stored
from app.kit.flow.apply import check_filling
from app.kit.flow.labels import label
from app.kit.flow.photo import HEIC, Unreadable, as_jpeg, kind_of
from app.kit.flow.registry import flow_of
from app.kit.flow.soundness import small_picture, why_unusable
from app.kit.operation import NotAllowed, NotFound, Refused, audit, get, operation
from app.models import Case, Material, db, setting_int

ALLOWED = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "application/pdf": ".pdf"}
ENDS = {"image/jpeg": {".jpg", ".jpeg", ".jfif"}}  # other ends that the same type has
# What a page lets one choose: the names that scanners and phones give the same pictures.
ACCEPT = ".jpg,.jpeg,.jfif,.png,.webp,.pdf,.heic,.heif"
MOST_PER_CASE = 30


class TooLarge(Refused):
    """The file exceeds what the school allows."""

    status = 413


@dataclass(frozen=True)
class Scan:
    """A file that was kept, as its row describes it."""

    file_name: str
    content_type: str
    size: int
    sha256: str
    path: str


def stored_scan(stream: BinaryIO, file_name: str, *, files_root: Path) -> Scan:
    """Keep a picture or PDF under a random name below `files_root`, for the running transaction to name in its rows
    and in its audit (`new.path`). Raises Refused; then nothing is kept."""
    content, name = _read(stream), _shown_name(file_name)
    kind = kind_of(content)
    if kind in HEIC:
        content, name, kind = _converted(content, name), f"{PurePath(name).stem}.jpg", "image/jpeg"
    if why := why_unusable(content, kind, name):
        raise Refused(why)
    if kind not in ALLOWED:
        raise Refused(_("%(name)s is no picture (JPG, PNG, WebP, HEIC) and no PDF, whatever its name says."
                        " Scan it again.", name=name))  # fmt: skip
    path = keep_with_transaction(content, secrets.token_hex(16) + ALLOWED[kind], files_root=files_root)
    return Scan(name, kind, len(content), hashlib.sha256(content).hexdigest(), path)


def _converted(content: bytes, name: str) -> bytes:
    try:
        return as_jpeg(content)
    except Unreadable as error:
        raise Refused(_("%(name)s is a HEIC photo that cannot be opened. Let the phone take JPG: on an iPhone Settings ›"
                        " Camera › Formats › Most Compatible; then take it again.", name=name)) from error  # fmt: skip


@operation(needs=Permission.CASE_OPEN)
def add_material(
    actor: Actor, case_id: int, kind: str, stream: BinaryIO, file_name: str, *, files_root: Path
) -> Material:
    """Attach a scan to a case that is with its applicant. Nothing is kept of a file that is refused."""
    case = get(Case, case_id, lock=True)
    check_filling(actor, case)
    if kind not in {material.key for material in flow_of(case).materials}:
        raise Refused(_("This procedure asks for no such material."))
    attached = select(func.count()).where(Material.case_id == case.id, ~Material.removed)
    if (db.session.scalar(attached) or 0) >= MOST_PER_CASE:
        raise Refused(_("A case has at most %(most)s files. Remove one first.", most=MOST_PER_CASE))
    scan = stored_scan(stream, file_name, files_root=files_root)
    material = Material(
        case_id=case.id, student_id=case.student_id, college_id=case.college_id,
        student_college_id=case.student_college_id, target_college_id=case.target_college_id,
        kind=kind, uploaded_by=actor.user_id, uploaded_at=clock.now(), **asdict(scan),
    )  # fmt: skip
    db.session.add(material)
    db.session.flush()
    audit(actor, "case:add_material", subject="flow_case", subject_id=case.id, college_id=case.college_id,
          new={"kind": kind, "file_name": material.file_name, "sha256": material.sha256,
               "path": material.path})  # fmt: skip
    return material


@operation(needs=Permission.CASE_OPEN)
def remove_material(actor: Actor, material_id: int) -> Case:
    """Take a scan off a case that is with its applicant. The file stays: what was once handed in is evidence."""
    material = get(Material, material_id)
    case = get(Case, material.case_id, lock=True)
    check_filling(actor, case)
    material.removed = True
    audit(actor, "case:remove_material", subject="flow_case", subject_id=case.id, college_id=case.college_id,
          old={"kind": material.kind, "file_name": material.file_name})  # fmt: skip
    return case


def material_file(actor: Actor, material_id: int, *, files_root: Path) -> tuple[Path, Material]:
    """Where a scan lies, if the actor's scope reaches it. Raises NotFound for any other."""
    if not actor.may(Permission.CASE_READ):
        raise NotAllowed(_("Your role does not read cases."))
    if actor.scope.kind == "department":  # it gets the notice; the scans are none of its business
        raise NotFound(_("There is no such record, or it is not one of yours."))
    material = get(Material, material_id)
    return stored(material.path, files_root=files_root), material


def small_file(path: Path) -> Path | None:
    """A small picture of a scan, kept beside it from the first time that it is asked for; None if it cannot be made."""
    small = path.with_name(f"{path.name}.small")
    if not small.is_file():
        try:
            made = small_picture(path.read_bytes())
        except (OSError, ValueError, RuntimeError, EOFError, SyntaxError, Image.DecompressionBombError):
            return None
        written = small.with_name(f"{small.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made)
        written.replace(small)  # whoever reads at the same moment finds a whole one
    return small


def download_name(file_name: str, content_type: str | None) -> str:
    """The name under which a scan is saved: with the end of its type, whatever the sender called it."""
    path, end = PurePath(_shown_name(file_name)), ALLOWED.get(content_type or "")
    if end is None:
        return path.name
    ends = ENDS.get(content_type or "", {end})
    while path.suffix.lower() not in ends and re.fullmatch(r"\.[A-Za-z][A-Za-z0-9]{0,4}", path.suffix):
        path = PurePath(path.stem)
    return path.name if path.suffix.lower() in ends else f"{path.name}{end}"


def kind_label(material: Material):
    return label("material", material.kind)


def _read(stream: BinaryIO) -> bytes:
    most = setting_int("material_max_mb")
    content = stream.read(most * 1024 * 1024 + 1)
    if len(content) > most * 1024 * 1024:
        raise TooLarge(_("The file is larger than %(most)s MB. Scan it with fewer dots per inch.", most=most))
    if not content:
        raise Refused(_("The file is empty."))
    return content


def _shown_name(file_name: str) -> str:
    """The last part of the name that the browser gave, printable, for people alone to read."""
    name = PurePath(file_name.replace("\\", "/")).name
    return "".join(letter for letter in name if letter.isprintable())[-120:] or "scan"
