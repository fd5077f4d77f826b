"""页面 pages of their own beside the generated screens: they declare who opens them as screens do."""

from typing import ClassVar

from flask_appbuilder import BaseView

from app.access import Permission
from app.kit.screen.base import Menu


class PageView(BaseView):
    """Pages under one address.

    Declare `menu` (its entry in the sidebar, if any), `reads` (what opening it needs: FAB's can_list) and `acts` (FAB's
    names of what else can be done there, with what each needs). A page that declares neither asks nobody who he is.
    """

    default_view = "list"
    menu: ClassVar[Menu | None] = None
    reads: ClassVar[Permission | None] = None
    acts: ClassVar[dict[str, Permission]] = {}

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        cls.base_permissions = [name for name in cls.needs() if name != "menu_access"]

    @classmethod
    def needs(cls) -> dict[str, Permission]:
        """FAB permission name → our permission, for the security manager."""
        opened = ("can_list", "menu_access") if cls.menu else ("can_list",)
        return (dict.fromkeys(opened, cls.reads) if cls.reads else {}) | cls.acts
