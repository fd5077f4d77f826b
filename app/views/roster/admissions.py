"""录取导入 the import of the admissions office's list of freshmen."""

from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as _

from app.kit.screen import Menu
from app.views.imports import ImportView
from app.workbooks.admissions import admissions_import


class AdmissionsImportView(ImportView):
    """The admissions office's list of freshmen."""

    what = admissions_import
    route_base = "/imports/admissions"
    menu = Menu(_("Admissions import"), "roster", "fa-file-import")

    def after(self, subject: int) -> list[tuple[Any, str, bool]]:
        return [(_("Students"), url_for("StudentScreen.list", _flt_0_entry_year=subject), True)]
