"""代码与设置: code sets, terms and settings, edited as rows."""

from flask_babel import lazy_gettext as _
from wtforms import SelectField

from app.access import Permission
from app.kit.screen import Menu, Screen
from app.kit.screen.base import choices
from app.models import Code, CodeSet, Setting, Term
from app.models.settings import Season

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
    "position": _("Position"),
    "national": _("National code"),
    "valid_until": _("Valid until"),
    "year": _("Academic year from"),
    "season": _("Season"),
    "first_monday": _("First Monday"),
    "weeks": _("Weeks"),
    "term": _("Term"),
    "opens_on": _("Opens on"),
    "closes_on": _("Closes on"),
    "reason": _("Reason of the change"),
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
        "set", "code", "name_zh", "name_en", "position", "national", "valid_until",
    ]  # fmt: skip
    search_columns = ["set", "code", "name_zh"]
    list_title, add_title, edit_title, show_title = _("Codes"), _("New code"), _("Edit code"), _("Code")


class TermScreen(Screen):
    """学期."""

    model = Term
    menu = Menu(_("Terms"), "settings", "fa-calendar")
    reads, writes = Permission.SETTING_READ, Permission.SETTING_WRITE
    label_columns = LABELS
    list_columns = show_columns = add_columns = edit_columns = ["year", "season", "first_monday", "weeks"]
    search_columns = ["year"]
    formatters_columns = {"season": lambda value: Season(value).label}
    add_form_extra_fields = edit_form_extra_fields = {
        "season": SelectField(_("Season"), choices=lambda: choices(Season))
    }
    base_order = ("first_monday", "desc")
    list_title, add_title, edit_title, show_title = _("Terms"), _("New term"), _("Edit term"), _("Term")


class SettingScreen(Screen):
    """设置. A setting is changed, never added or removed: the code names the keys."""

    model = Setting
    menu = Menu(_("Settings"), "settings", "fa-sliders")
    reads, writes = Permission.SETTING_READ, Permission.SETTING_WRITE
    base_permissions = ["can_list", "can_show", "can_edit"]
    label_columns = LABELS
    quick = ("title_zh", "key")
    list_columns = ["title", "value", "note"]
    show_columns = ["key", "title_zh", "title_en", "value", "minimum", "maximum", "note"]
    edit_columns = ["value"]
    search_columns = ["key", "title_zh"]
    base_order = ("key", "asc")
    list_title, edit_title, show_title = _("Settings"), _("Edit setting"), _("Setting")

    def pre_update(self, item: Setting) -> None:
        item.check()
