"""How values are shown: states as badges, sensitive values masked with a button for those who may reveal them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import g, url_for
from flask_babel import format_datetime, gettext, lazy_gettext
from markupsafe import Markup

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.screen.own import own
from app.kit.sensitive import mask
from app.models import CaseState, EffectState, JobState, RegistrationState, RosterStatus

NOTHING = Markup('<span class="none">—</span>')
TONES = {
    **dict.fromkeys(
        (RosterStatus.ENROLLED, CaseState.DONE, JobState.DONE, RegistrationState.REGISTERED, EffectState.APPLIED), "ok"
    ),
    **dict.fromkeys((RosterStatus.ON_LEAVE, RosterStatus.RETAINED, CaseState.SENT_BACK, RosterStatus.DEFERRED), "warn"),
    **dict.fromkeys(
        (CaseState.OPEN, RosterStatus.ADMITTED, JobState.RUNNING, JobState.QUEUED, EffectState.WAITING), "info"
    ),
    **dict.fromkeys(
        (
            RosterStatus.WITHDRAWN,
            RosterStatus.EXPELLED,
            CaseState.REFUSED,
            JobState.FAILED,
            RegistrationState.MISSING,
            EffectState.LAPSED,
        ),
        "bad",
    ),
}


def badge(label: Any, tone: str = "muted") -> Markup:
    return Markup('<span class="badge badge-{}">{}</span>').format(tone, label)


def badge_of(kinds) -> Callable[[Any], Markup]:
    """A formatter that shows a stored state of an enum as a badge with its label."""

    def show(value: Any) -> Markup:
        if value in (None, ""):
            return NOTHING
        kind = kinds(value)
        return badge(kind.label, TONES.get(kind, "muted"))

    return show


def local(value: datetime) -> datetime:
    """A moment by the clock in China; one without a zone was written by the clock of this machine."""
    return value.astimezone(clock.ZONE)


def moment(value: Any) -> Any:
    """A formatter of moments, by the clock in China."""
    return format_datetime(local(value), "medium") if isinstance(value, datetime) else NOTHING


def yes_no(value: Any) -> str:
    return gettext("Yes") if value in (True, "True") else gettext("No")


REVEAL = lazy_gettext("Reveal")


def masked(screen: str, column: str, needs: Permission) -> Callable[[Any], Markup | str]:
    """A formatter that masks; on the page of one row it offers the reveal to whoever may."""

    def show(value: Any) -> Markup | str:
        if value in (None, ""):
            return NOTHING
        hidden = mask(str(value))
        pk = g.get("xueji_shown_row")
        if pk is None or not current_actor().may(needs):
            return hidden
        url = url_for(f"{screen}.reveal", pk=pk, column=column)
        return Markup(
            '<span data-masked>{}</span> <button type="button" class="btn btn-quiet btn-sm" data-reveal="{}" {}>{}'
            "</button>"
        ).format(hidden, url, own(), REVEAL)

    return show
