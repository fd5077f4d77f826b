"""办件总览 the overview as a workbook: a row for each procedure, step and 学院 that has open cases."""

from flask_babel import lazy_gettext as _

from app.kit.workbook.declare import Column, Workbook

overview_export = Workbook(
    key="overview",
    title=_("Overview of cases"),
    columns=[
        Column("flow", _("Flow")),
        Column("step", _("Step"), width=22),
        Column("college", _("College"), width=24),
        Column("cases", _("Open cases"), "integer"),
        Column("overdue", _("Overdue"), "integer"),
        Column("band_0", _("Up to 3 working days"), "integer"),
        Column("band_1", _("4 to 7 working days"), "integer"),
        Column("band_2", _("8 to 14 working days"), "integer"),
        Column("band_3", _("More than 14 working days"), "integer"),
        Column("held", _("Working days held"), "integer"),
        Column("median", _("Median of the step"), "integer"),
        Column("ninetieth", _("Nine in ten within"), "integer"),
    ],
)
BANDS = [column.label for column in overview_export.columns if column.name.startswith("band_")]
