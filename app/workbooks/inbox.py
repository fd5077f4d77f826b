"""待办清单 the inbox as a workbook: a row for each case that waits for the reader, was sent back to her or was decided by her."""

from flask_babel import lazy_gettext as _

from app.kit.workbook.declare import Column, Workbook

inbox_export = Workbook(
    key="inbox",
    title=_("To do"),
    columns=[
        Column("number", _("Case"), "code"),
        Column("subject", _("Student"), width=24),
        Column("title", _("Flow"), width=20),
        Column("step", _("Step"), width=20),
        Column("due_on", _("Due"), "date"),
        Column("state", _("State")),
    ],
)
