"""办理结果 the outcome of a batch as a workbook: a row a case, done or why not."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from app.kit.workbook.declare import Column, Workbook

outcomes = Workbook(
    key="outcomes",
    title=_("Result of the batch"),
    columns=[
        Column("number", _("Case"), "code"),
        Column("subject", _("Student")),
        Column("done", _("Result")),
        Column("reason", _("Why not")),
    ],
)


def rows(stored: list[list]) -> list[tuple]:
    """The stored outcome as rows of the workbook."""
    words = {True: gettext("Done"), False: gettext("Not done")}
    return [(number, subject, words[done], reason) for _id, number, subject, done, reason in stored]
