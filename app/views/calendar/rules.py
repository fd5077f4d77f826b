"""时间安排与放假调休: the rules of the time-table and the school's own days, edited as rows."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Regexp

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.screen import Menu, Screen
from app.kit.screen.base import choices
from app.models import CalendarDay, Owner, TaskKind, TaskRule, db
from app.models.language import listed
from app.operations.calendar.due_days import recompute
from app.operations.calendar.schedule import check_rule
from app.operations.calendar.task_state import years_open
from app.operations.calendar.year_plan import check_in_year, said_of
from app.views.calendar.rule_words import how_long, when_words

OPENS = _("e.g. autumn:w1, spring:w4-5, autumn:before-w1, month:4(1-10), before:10, holiday:w1-2, after-makeup:w2, any")
DURATION = _("5d working days, 2w weeks, 1m months, w3 until the end of week 3, plan, external")


def rule_fields() -> dict[str, Any]:
    return {
        "kind": SelectField(_("Kind"), [DataRequired()], choices=lambda: choices(TaskKind)),
        "owners": SelectMultipleField(_("Owners"), [DataRequired()], choices=lambda: choices(Owner)[1:]),
        "opens": StringField(_("When"), [DataRequired(), Length(max=80)], description=OPENS),
        "duration": StringField(_("Duration"), [DataRequired(), Length(max=10)], description=DURATION),
        "requirement_zh": TextAreaField(_("Requirement in Chinese"), [Length(max=300)]),
        "requirement_en": TextAreaField(_("Requirement in English"), [Length(max=300)]),
        "key": StringField(_("Key"), [DataRequired(), Regexp(r"[a-z][a-z_]{1,39}\Z")]),
    }


class TaskRuleScreen(Screen):
    """时间安排. What is edited here holds for years opened later; an open year follows from its terms' page."""

    model = TaskRule
    menu = Menu(_("Time-table"), "calendar", "fa-table-list")
    reads, writes = Permission.SETTING_READ, Permission.CALENDAR_WRITE
    label_columns = {
        "title": _("Task"), "title_zh": _("Chinese title"), "title_en": _("English title"), "opens": _("When"),
        "duration": _("Duration"), "owners": _("Owners"), "kind": _("Kind"), "students": _("Concerns students"),
        "flow": _("Procedure"), "requirement": _("Requirement"), "note": _("Note"), "active": _("In use"),
        "requirement_zh": _("Requirement in Chinese"), "requirement_en": _("Requirement in English"),
        "note_zh": _("Note in Chinese"), "note_en": _("Note in English"), "key": _("Key"), "position": _("Position"),
    }  # fmt: skip
    quick = ("title_zh", "key")
    formatters_columns = {
        "owners": lambda owners: listed(Owner(owner).label for owner in owners),
        "kind": lambda kind: TaskKind(kind).label,
        "opens": when_words,
        "duration": how_long,
    }
    list_columns = ["title", "opens", "duration", "owners", "kind", "active"]
    sentences = ("title", "opens", "owners")
    show_columns = [
        "key",
        "title",
        "opens",
        "duration",
        "owners",
        "kind",
        "students",
        "flow",
        "requirement",
        "note",
        "active",
    ]
    edit_columns = [
        "title_zh", "title_en", "opens", "duration", "owners", "kind", "students", "flow", "requirement_zh",
        "requirement_en", "note_zh", "note_en", "position", "active",
    ]  # fmt: skip
    add_columns = ["key", *edit_columns]
    search_columns = ["key", "title_zh", "opens", "active"]
    base_order = ("position", "asc")
    add_form_extra_fields = rule_fields()
    edit_form_extra_fields = rule_fields()
    list_title, add_title = _("Time-table"), _("New task of the time-table")
    edit_title, show_title = _("Edit task of the time-table"), _("Task of the time-table")

    def pre_add(self, item: TaskRule) -> None:
        self.pre_update(item)

    def pre_update(self, item: TaskRule) -> None:
        """A rule that cannot be read, or that matches no day of an opened year, is not saved."""
        with db.session.no_autoflush:
            with said_of(item):
                check_rule(item.opens, item.duration)
            for year in years_open(clock.today())[:1]:
                check_in_year(db.session.connection(), item, year)


class CalendarDayScreen(Screen):
    """放假与调休. Due dates follow what is saved here at once; an open year's tasks from its terms' page."""

    model = CalendarDay
    menu = Menu(_("Holidays and exchanged days"), "calendar", "fa-umbrella-beach")
    reads, writes = Permission.SETTING_READ, Permission.CALENDAR_WRITE
    label_columns = {"day": _("Day"), "working": _("Working day"), "name": _("Occasion")}
    list_columns = show_columns = add_columns = edit_columns = ["day", "working", "name"]
    search_columns = ["day", "working", "name"]
    base_order = ("day", "desc")
    list_title, add_title = _("Holidays and exchanged days"), _("New day")
    edit_title, show_title = _("Edit day"), _("Day")

    def post_add(self, item: CalendarDay) -> None:
        recompute(current_actor(), clock.today())

    post_update = post_delete = post_add
