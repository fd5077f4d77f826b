"""组织 screens of colleges, majors, class groups and departments: plain reference data with FAB's own forms."""

from flask_babel import lazy_gettext as _

from app.access import Permission
from app.kit.flow import FLOWS
from app.kit.screen import Api, Menu, Screen
from app.models import ClassGroup, College, Department, Major
from app.models.language import listed

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
    "study_length": _("Years of study"),
    "key": _("Key"),
    "receives": _("Receives notices of"),
    "leaving_items": _("Leaving checklist"),
}


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
    list_columns = ["national_code", "name", "college", "code", "education_level", "study_length", "active"]
    show_columns = add_columns = edit_columns = [
        "name", "name_en", "college", "code", "national_code", "education_level", "study_length", "active",
    ]  # fmt: skip
    search_columns = ["name", "national_code", "college", "active"]
    base_order = ("national_code", "asc")
    list_title, add_title, edit_title, show_title = _("Majors"), _("New major"), _("Edit major"), _("Major")


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


class DepartmentScreen(Screen):
    """相关职能部门."""

    model = Department
    menu = Menu(_("Departments"), "organisation", "fa-building")
    reads, writes = Permission.ORGANISATION_READ, Permission.ORGANISATION_WRITE
    label_columns = LABELS
    quick = ("name_zh",)
    list_columns = ["key", "name_zh", "name_en"]
    show_columns = [*list_columns, "receives", "leaving_items"]
    formatters_columns = {
        "receives": lambda keys: listed(FLOWS[key].title if key in FLOWS else key for key in keys), "leaving_items": listed,
    }  # fmt: skip
    add_columns = edit_columns = list_columns
    search_columns = ["key", "name_zh"]
    base_order = ("key", "asc")
    list_title, add_title = _("Departments"), _("New department")
    edit_title, show_title = _("Edit department"), _("Department")


class CollegeApi(Api):
    model = College
    resource_name = "college"
    reads = Permission.ORGANISATION_READ
    list_columns = show_columns = ["id", "code", "name", "name_en", "active"]
    search_columns = ["code", "name", "active"]
    order_columns = ["code", "name"]


class MajorApi(Api):
    model = Major
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
    resource_name = "class_group"
    reads = Permission.CLASS_READ
    list_columns = show_columns = [
        "id", "code", "name", "grade", "college.id", "college.name", "major.id", "major.name", "capacity",
    ]  # fmt: skip
    search_columns = ["name", "grade", "college", "major"]
    order_columns = ["name", "grade"]
