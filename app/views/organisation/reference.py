"""代码与设置: code sets and settings, edited as rows."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import StringField, ValidationError

from app.access import Permission
from app.kit.screen import Api, Menu, Screen
from app.models import Code, CodeSet, Setting, db

LABELS = {
    "key": _("Key"),
    "set": _("Code set"),
    "code": _("Code"),
    "name_zh": _("Chinese name"),
    "name_en": _("English name"),
    "title_zh": _("Chinese title"),
    "title_en": _("English title"),
    "title": _("Title"),
    "version": _("Version"),
    "source": _("Source"),
    "aliases": _("Also written as"),
    "position": _("Position"),
    "national": _("National code"),
    "valid_until": _("Valid until"),
    "value": _("Value"),
    "note": _("Note"),
    "kind": _("Kind"),
    "minimum": _("Minimum"),
    "maximum": _("Maximum"),
}


class CodeSetScreen(Screen):
    """代码集."""

    model = CodeSet
    menu = Menu(_("Code sets"), "settings", "fa-list-ol")
    reads, writes = Permission.SETTING_READ, Permission.CODE_WRITE
    label_columns = LABELS
    quick = ("title_zh", "key")
    list_columns = show_columns = add_columns = ["key", "title_zh", "title_en", "version", "source"]
    edit_columns = ["title_zh", "title_en", "version", "source"]
    search_columns = ["key", "title_zh"]
    base_order = ("key", "asc")
    list_title, add_title = _("Code sets"), _("New code set")
    edit_title, show_title = _("Edit code set"), _("Code set")


class CodeScreen(Screen):
    """代码."""

    model = Code
    menu = Menu(_("Codes"), "settings", "fa-hashtag")
    reads, writes = Permission.SETTING_READ, Permission.CODE_WRITE
    label_columns = LABELS
    quick = ("name_zh", "code")
    list_columns = ["set", "code", "name_zh", "name_en", "national", "valid_until"]
    show_columns = add_columns = edit_columns = [
        "set", "code", "name_zh", "name_en", "aliases", "position", "national", "valid_until",
    ]  # fmt: skip
    description_columns = {"aliases": _("Further words that a workbook may write for it, with 、 between them.")}
    search_columns = ["set", "code", "name_zh"]
    list_title, add_title, edit_title, show_title = _("Codes"), _("New code"), _("Edit code"), _("Code")

    def pre_add(self, item: Code) -> None:
        item.aliases = item.aliases or ""  # emptied by hand, and so left by the reference data
        item.check()

    pre_update = pre_add


class CodeSetApi(Api):
    model = CodeSet
    label_columns = LABELS
    resource_name = "code_set"
    reads = Permission.SETTING_READ
    list_columns = show_columns = ["key", "title_zh", "title_en", "version", "source"]
    search_columns = ["key", "title_zh"]
    order_columns = ["key"]


class CodeApi(Api):
    model = Code
    label_columns = LABELS
    resource_name = "code"
    reads = Permission.SETTING_READ
    list_columns = show_columns = ["id", "set.key", "code", "name_zh", "name_en", "aliases", "national", "valid_until"]
    search_columns = ["set", "code", "name_zh"]
    order_columns = ["code", "position"]


UNITS: dict[str, Any] = {  # the last part of a key → what its number counts
    "days": _("days"), "months": _("months"), "years": _("years"), "once": _("months"), "total": _("months"),
    "mb": _("MB"), "minutes": _("minutes"), "seconds": _("seconds"), "elsewhere": _("attempts"), "here": _("attempts"),
    "place": _("attempts"), "rows": _("rows"), "size": _("rows or students"),
}  # fmt: skip
KINDS = {"text": _("A text."), "boolean": _("true or false.")}


def bounds(row: Setting) -> str:
    """What a setting takes, in words."""
    if row.kind != "integer":
        return str(KINDS[row.kind])
    unit = UNITS.get(row.key.rpartition("_")[2], "")
    low, high = row.minimum, row.maximum
    if low is None or high is None:
        return str(_("A whole number. %(unit)s", unit=unit))
    return str(
        _("A whole number from %(low)s to %(high)s. Counted in: %(unit)s.", low=low, high=high, unit=unit or "—")
    )


class SettingField(StringField):
    """The value of one setting, with its bounds and its note beside it."""

    def fits(self, row: Setting) -> None:
        self.label.text = row.title
        self.description = " ".join(filter(None, [bounds(row), row.note]))
        self.flags.required = row.kind == "integer"


class SettingFits:
    """What the setting itself checks is said at the field."""

    def __call__(self, form: Any, field: Any) -> None:
        row = db.session.get(Setting, form._id)
        if row is None:
            return
        if field.data is None:  # left out altogether, where an empty text would be one
            raise ValidationError(field.gettext("This field is required."))
        asked = Setting(kind=row.kind, minimum=row.minimum, maximum=row.maximum, key=row.key, value=field.data)
        try:
            asked.check()
        except ValueError as error:
            raise ValidationError(str(error)) from error


class SettingScreen(Screen):
    """设置. A setting is changed, never added or removed: the code names the keys."""

    model = Setting
    menu = Menu(_("Settings"), "settings", "fa-sliders")
    reads, writes = Permission.SETTING_READ, Permission.SETTING_WRITE
    base_permissions = ["can_list", "can_show", "can_edit"]
    label_columns = LABELS
    quick = ("title_zh", "key")
    list_columns = ["title", "value", "note"]
    sentences = ("title", "value", "note")
    show_columns = ["key", "title_zh", "title_en", "value", "minimum", "maximum", "note"]
    edit_columns = ["value"]
    search_columns = ["key", "title_zh"]
    base_order = ("key", "asc")
    list_title, edit_title, show_title = _("Settings"), _("Edit setting"), _("Setting")

    edit_form_extra_fields = {"value": SettingField(LABELS["value"], [SettingFits()])}

    def _get_edit_widget(self, form, exclude_cols=None, widgets=None):
        row = db.session.get(Setting, form._id)
        if row is not None:
            form.value.fits(row)
        return super()._get_edit_widget(form, exclude_cols, widgets)

    def pre_update(self, item: Setting) -> None:
        item.check()


class SettingApi(Api):
    model = Setting
    label_columns = LABELS
    resource_name = "setting"
    reads = Permission.SETTING_READ
    list_columns = show_columns = ["key", "title_zh", "title_en", "value", "minimum", "maximum", "note"]
    search_columns = ["key", "title_zh"]
    order_columns = ["key"]
