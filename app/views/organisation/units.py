"""组织 screens of colleges, majors, class groups and departments: plain reference data with FAB's own forms."""

from typing import Any

from flask_babel import lazy_gettext as _
from markupsafe import Markup
from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, Regexp, ValidationError

from app.access import Permission
from app.kit.flow import FLOWS
from app.kit.operation import Refused
from app.kit.screen import Api, Menu, Screen
from app.kit.screen.base import choices
from app.models import ClassGroup, College, Department, Major
from app.models.language import listed
from app.operations.roster.reorganisation import why_class_stays, why_not_by_hand

LABELS = {
    "code": _("Code"),
    "name": _("Official name"),
    "name_zh": _("Chinese name"),
    "name_en": _("English name"),
    "active": _("In use"),
    "national_code": _("National code"),
    "college": _("College"),
    "major": _("Major"),
    "grade": _("Grade"),
    "capacity": _("Places"),
    "education_level": _("Level"),
    "education_level_code": _("Level"),
    "study_length": _("Years of study"),
    "key": _("Key"),
    "receives": _("Receives notices of"),
    "leaving_items": _("Leaving checklist"),
}
MOST_ITEMS, LONGEST_ITEM = 20, 60


class CollegeScreen(Screen):
    """学院."""

    model = College
    menu = Menu(_("Colleges"), "organisation", "fa-building-columns")
    reads, writes = Permission.ORGANISATION_READ, Permission.ORGANISATION_WRITE
    label_columns = LABELS
    quick = ("name", "code")
    list_columns = ["code", "name", "name_en", "active"]
    show_columns = add_columns = edit_columns = list_columns
    search_columns = ["code", "name", "active"]
    base_order = ("code", "asc")
    list_title, add_title, edit_title, show_title = _("Colleges"), _("New college"), _("Edit college"), _("College")


class MajorScreen(Screen):
    """专业."""

    model = Major
    menu = Menu(_("Majors"), "organisation", "fa-book")
    reads, writes = Permission.ORGANISATION_READ, Permission.ORGANISATION_WRITE
    label_columns = LABELS
    quick = ("name", "national_code")
    list_columns = ["national_code", "name", "college", "code", "education_level_code", "study_length", "active"]
    add_columns = edit_columns = [
        "name", "name_en", "college", "code", "national_code", "education_level", "study_length", "active",
    ]  # fmt: skip
    show_columns = ["education_level_code" if name == "education_level" else name for name in add_columns]
    add_form_extra_fields = edit_form_extra_fields = {
        "education_level": SelectField(
            LABELS["education_level"], [DataRequired()], default="05", choices=lambda: choices("education_level")
        ),
    }
    search_columns = ["name", "national_code", "college", "active"]
    base_order = ("national_code", "asc")
    list_title, add_title, edit_title, show_title = _("Majors"), _("New major"), _("Edit major"), _("Major")

    def pre_update(self, item: Major) -> None:
        if item.college and (why := why_not_by_hand(item.id, item.college.id)):
            raise Refused(why)


class ClassGroupScreen(Screen):
    """班级."""

    model = ClassGroup
    menu = Menu(_("Classes"), "organisation", "fa-people-group")
    reads, writes = Permission.CLASS_READ, Permission.ORGANISATION_WRITE
    label_columns = LABELS
    quick = ("name",)
    list_columns = ["name", "grade", "major", "college", "code", "capacity"]
    show_columns = add_columns = edit_columns = ["name", "grade", "college", "major", "code", "capacity"]
    search_columns = ["name", "grade", "college"]
    base_order = ("name", "asc")
    list_title, add_title, edit_title, show_title = _("Classes"), _("New class"), _("Edit class"), _("Class")

    def pre_add(self, item: ClassGroup) -> None:
        if item.major and item.college is not item.major.college:
            raise Refused(_("The class is one of the college of its major: %(college)s.", college=item.major.college))

    def pre_update(self, item: ClassGroup) -> None:
        if item.major and item.college and (why := why_class_stays(item.id, item.major.id, item.college.id)):
            raise Refused(why)


def receiving_flows() -> list[tuple[str, Any]]:
    """The procedures that have a step for departments."""
    return [(key, flow.title) for key, flow in FLOWS.items() if any(step.each_department for step in flow.steps)]


class LinesField(TextAreaField):
    """A list of short texts, one a line."""

    def _value(self) -> str:
        return "\n".join(self.data or [])

    def process_formdata(self, valuelist: list[str]) -> None:
        lines = [line.strip() for text in valuelist for line in text.splitlines()]
        self.data = list(dict.fromkeys(line for line in lines if line))

    def pre_validate(self, form: Any) -> None:
        if len(self.data or []) > MOST_ITEMS or any(len(line) > LONGEST_ITEM for line in self.data or []):
            raise ValidationError(str(_("At most %(items)s lines of %(most)s characters each.",
                                        items=MOST_ITEMS, most=LONGEST_ITEM)))  # fmt: skip


def department_fields() -> dict[str, Any]:
    return {
        "key": StringField(_("Key"), [DataRequired(), Regexp(r"[a-z][a-z_]{1,39}\Z")]),
        "receives": SelectMultipleField(
            LABELS["receives"], choices=receiving_flows,
            description=_("Cases that are handed in from now on get a step for it; those under way keep theirs."),
        ),
        "leaving_items": LinesField(
            LABELS["leaving_items"], description=_("One a line: what it ticks before a student leaves."),
            render_kw={"lang": "zh"},
        ),
    }  # fmt: skip


class DepartmentScreen(Screen):
    """相关职能部门: which procedures it is told of, and what it ticks on the leaving checklist."""

    model = Department
    menu = Menu(_("Departments"), "organisation", "fa-building")
    reads, writes = Permission.ORGANISATION_READ, Permission.ORGANISATION_WRITE
    base_permissions = ["can_list", "can_show", "can_add", "can_edit"]  # steps of old cases refer to it
    label_columns = LABELS
    quick = ("name_zh",)
    formatters_columns = {
        "receives": lambda keys: listed(FLOWS[key].title if key in FLOWS else key for key in keys) or "—",
        "leaving_items": lambda items: Markup('<span lang="zh">{}</span>').format(listed(items) or "—"),
    }
    list_columns = ["key", "name_zh", "name_en", "receives", "leaving_items"]
    sentences = ("receives", "leaving_items")
    show_columns = add_columns = list_columns
    edit_columns = ["name_zh", "name_en", "receives", "leaving_items"]
    add_form_extra_fields = department_fields()
    edit_form_extra_fields = department_fields()
    search_columns = ["key", "name_zh"]
    base_order = ("key", "asc")
    list_title, add_title = _("Departments"), _("New department")
    edit_title, show_title = _("Edit department"), _("Department")


class CollegeApi(Api):
    model = College
    label_columns = LABELS
    resource_name = "college"
    reads = Permission.ORGANISATION_READ
    list_columns = show_columns = ["id", "code", "name", "name_en", "active"]
    search_columns = ["code", "name", "active"]
    order_columns = ["code", "name"]


class MajorApi(Api):
    model = Major
    label_columns = LABELS
    resource_name = "major"
    reads = Permission.ORGANISATION_READ
    list_columns = show_columns = [
        "id", "national_code", "code", "name", "name_en", "college.id", "college.name", "education_level",
        "study_length", "active",
    ]  # fmt: skip
    search_columns = ["national_code", "name", "college", "active"]
    order_columns = ["national_code", "name"]


class ClassGroupApi(Api):
    model = ClassGroup
    label_columns = LABELS
    resource_name = "class_group"
    reads = Permission.CLASS_READ
    list_columns = show_columns = [
        "id", "code", "name", "grade", "college.id", "college.name", "major.id", "major.name", "capacity",
    ]  # fmt: skip
    search_columns = ["name", "grade", "college", "major"]
    order_columns = ["name", "grade"]


class DepartmentApi(Api):
    model = Department
    label_columns = LABELS
    resource_name = "department"
    reads = Permission.ORGANISATION_READ
    list_columns = show_columns = ["id", "key", "name_zh", "name_en", "receives", "leaving_items"]
    search_columns = ["key", "name_zh"]
    order_columns = ["key"]
