"""Files that rows name: gone with a rollback, kept with a commit, and settled by the audit when nobody knows."""

import os
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event

from app.access import Actor, scope_as
from app.jobs.upkeep import remove_strays
from app.kit.filing import A_DAY, keep_with_transaction
from app.kit.operation import audit
from app.models import AuditEntry, db
from tests.conftest import Cast


class Desk:
    """Keeps files as a request of the clerk would, in a database of its own."""

    def __init__(self, app: Flask) -> None:
        self.files = Path(app.config["XUEJI_FILES"])
        self.clerk: Actor = Cast(app).clerk

    def keep(self, name: str) -> str:
        path = keep_with_transaction(b"scan", name, files_root=self.files)
        audit(self.clerk, "case:add_material", new={"path": path})
        return path

    def there(self) -> set[str]:
        return {str(path.relative_to(self.files)) for path in self.files.rglob("*") if path.is_file()}

    def a_day_later(self) -> list[str]:
        marks = [*self.files.glob("pending/*"), *self.files.glob("tmp/*")]
        return remove_strays(max(mark.stat().st_mtime for mark in marks) + A_DAY)


@pytest.fixture
def desk(own_app: Flask):
    with own_app.app_context():
        made = Desk(own_app)
        with scope_as(made.clerk.scope):
            yield made


def test_a_rollback_takes_the_file_with_it(desk):
    desk.keep("ab1.pdf")
    assert desk.there() == {"materials/ab/ab1.pdf", "pending/ab1.pdf"}
    db.session.rollback()
    assert desk.there() == set()


def test_a_commit_keeps_it_whatever_is_rolled_back_later(desk):
    path = desk.keep("ab1.pdf")
    db.session.commit()
    desk.keep("cd2.pdf")
    db.session.rollback()
    assert desk.there() == {path}


def test_savepoints_decide_nothing(desk):
    path = desk.keep("ab1.pdf")
    with db.session.begin_nested():
        pass
    db.session.begin_nested().rollback()
    assert desk.there() == {path, "pending/ab1.pdf"}
    db.session.commit()
    assert desk.there() == {path}


def test_a_name_is_never_written_over(desk):
    path = desk.keep("ab1.pdf")
    db.session.commit()
    with pytest.raises(FileExistsError):
        desk.keep("ab1.pdf")
    db.session.rollback()
    assert desk.there() == {path}


def test_a_commit_that_fails_on_its_way_leaves_the_question_open(desk):
    """The answer of the database may have been lost: the file stays until the audit tells, a day later."""
    path = desk.keep("ab1.pdf")

    def lost(_session, _context) -> None:
        raise ConnectionError("the answer was lost")

    event.listen(db.session(), "after_flush", lost, once=True)
    db.session.add(AuditEntry(user_id=desk.clerk.user_id, action="test.effect"))
    with pytest.raises(ConnectionError):
        db.session.commit()
    db.session.rollback()
    assert desk.there() == {path, "pending/ab1.pdf"}
    assert remove_strays(0) == [] and len(desk.there()) == 2
    assert desk.a_day_later() == [path]
    assert desk.there() == set()


def test_upkeep_keeps_what_the_audit_names(desk):
    path = desk.keep("ab1.pdf")
    db.session.commit()
    (desk.files / "pending/ab1.pdf").touch()  # killed between the commit and the removal of the mark
    assert desk.a_day_later() == []
    assert desk.there() == {path}


def test_upkeep_removes_downloads_that_were_never_finished(desk):
    folder = desk.files / "tmp" / "tmpabc"
    folder.mkdir(parents=True)
    (folder / "export.xlsx").write_bytes(b"half")
    assert remove_strays(os.stat(folder).st_mtime + A_DAY - 1) == []
    assert desk.a_day_later() == ["tmp/tmpabc"]
    assert desk.there() == set()
