"""代码与设置: code sets and settings, edited as rows."""

from flask_babel import lazy_gettext as _

from app.access import Permission
from app.kit.screen import Api, Menu, Screen
from app.models import Code, CodeSet, Setting

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


class SettingApi(Api):
    model = Setting
    label_columns = LABELS
    resource_name = "setting"
    reads = Permission.SETTING_READ
    list_columns = show_columns = ["key", "title_zh", "title_en", "value", "minimum", "maximum", "note"]
    search_columns = ["key", "title_zh"]
    order_columns = ["key"]
