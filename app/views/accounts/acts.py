"""审计用语 what the audit calls acts and tables, in the reader's language; the rows keep the keys."""

from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _

ACTS: dict[str, Any] = {
    "account:contact": _("Changed where letters go"),
    "absence:end": _("Ended an absence"),
    "absence:record": _("Recorded an absence"),
    "admission:import": _("Imported admissions"),
    "calendar:recompute": _("Due dates followed the calendar"),
    "case:add_material": _("Attached a material"),
    "case:approve": _("Approved a case"),
    "case:end": _("Ended a case with its student's roster"),
    "case:extend": _("Gave the review of an appeal more time"),
    "case:follow": _("Open steps went along with the student to another college"),
    "case:lengthen": _("Lengthened a time to appeal or a review by days off"),
    "case:let_in_late": _("Let a case in late"),
    "case:move": _("An application went along with its major to another college"),
    "case:open": _("Opened a case"),
    "case:put_right": _("Put right what a case had entered"),
    "case:reassign": _("Handed a step on"),
    "case:refuse": _("Refused a case"),
    "case:release": _("Took a step from who no longer holds the role"),
    "case:remove_material": _("Removed a material"),
    "case:resubmit": _("Handed a case in again"),
    "case:revoke": _("Revoked a case on appeal"),
    "case:save": _("Saved a draft"),
    "case:score": _("Noted the score of an application"),
    "case:send_back": _("Sent a case back"),
    "case:submit": _("Handed a case in"),
    "case:withdraw": _("Took a case back"),
    "cohort:assign_classes": _("Assigned classes"),
    "cohort:assign_numbers": _("Assigned student numbers"),
    "delegation:make": _("Named a deputy"),
    "delegation:revoke": _("Took a delegation back"),
    "dismissal:exempt": _("Exempted from dismissal"),
    "document:issue": _("Issued a document"),
    "document:print": _("Printed a document"),
    "effect:annul": _("Annulled a decided change before its day"),
    "effect:apply": _("A decided change took effect on its day"),
    "effect:lapse": _("A decided change lapsed"),
    "export": _("Exported a list"),
    "feed:renew": _("Renewed a calendar subscription"),
    "identity:confirm": _("Confirmed an identity"),
    "identity:decline": _("Declined an identity"),
    "identity:end": _("Ended an identity"),
    "identity:propose": _("Proposed an identity"),
    "job:cancel": _("Cancelled a job"),
    "job:enqueue": _("Asked for a job"),
    "leaving:tick": _("Ticked a leaving checklist"),
    "leave:follow_calendar": _("Dated the end of a leave anew by the calendar"),
    "meeting:cancel": _("Cancelled a meeting"),
    "meeting:minutes": _("Wrote the minutes"),
    "meeting:record": _("Recorded a meeting"),
    "overview:export": _("Exported the overview"),
    "paper:issue": _("Issued papers"),
    "paper:mark": _("Marked papers that hold no more"),
    "paper:print": _("Printed papers"),
    "paper:word": _("Changed the wording of a paper"),
    "password:change": _("Changed the own password"),
    "password:confirm": _("Confirmed a password"),
    "password:decline": _("Declined a password"),
    "password:propose": _("Proposed a password"),
    "password:reset": _("Set the password of another"),
    "publicity:answer": _("Answered an objection"),
    "publicity:object": _("Objected"),
    "publicity:publish": _("Published a list"),
    "publicity:take_off": _("Took an entry off a list"),
    "reorganisation:annul": _("Annulled the move of a major before its day"),
    "reorganisation:apply": _("A major went to another college"),
    "reorganisation:decide": _("Decided the move of a major"),
    "reorganisation:lapse": _("The move of a major lapsed"),
    "session:end": _("Ended logins"),
    "student:contact": _("Changed contact data"),
    "student:discharge": _("Recorded a discharge from the army"),
    "registration:confirm": _("Confirmed the own roster data"),
    "registration:record": _("Recorded registrations"),
    "registration:take_back": _("Took registrations back"),
    "task:move": _("Moved a task"),
    "task:remark": _("Remarked on a task"),
    "task:tick": _("Ticked a task"),
    "task:untick": _("Took a tick back"),
    "year:move": _("Moved a term"),
    "year:open": _("Opened an academic year"),
    "transfer:confirm": _("Confirmed the examined choices"),
    "transfer:decide": _("Decided a round of transfers"),
    "transfer:examine": _("Examined choices of transfers"),
    "transfer:move": _("Moved a round of transfers on"),
    "transfer:offer": _("Set the places of a round of transfers"),
    "transfer:score": _("Imported scores of a round of transfers"),
}
# What is done to the rows of any screen: `<table>.<act>`.
ROW_ACTS: dict[str, Any] = {
    "add": _("Added a record"),
    "delete": _("Deleted a record"),
    "edit": _("Edited a record"),
    "reveal": _("Revealed a masked value"),
}
# Tables that no screen of the menu shows; the others are called as the menu calls them.
TABLES: dict[str, Any] = {
    "ab_group": _("Groups of users"),
    "ab_role": _("Roles"),
    "ab_user": _("Users"),
    "absence": _("Absences"),
    "academic_year": _("Academic years"),
    "calendar_feed": _("Calendar subscription"),
    "dated_effect": _("Changes to take effect"),
    "dated_task": _("Tasks of the calendar"),
    "delegation": _("Delegation"),
    "document": _("Documents"),
    "flow_case": _("Cases"),
    "job_run": _("Jobs"),
    "objection": _("Objections"),
    "paper_template": _("Wording of papers"),
    "publicity": _("Publicity"),
    "reorganisation": _("Moves of majors"),
    "publicity_entry": _("Entries of publicity"),
    "user_session": _("Logins"),
    "transfer_choice": _("Choices of transfers"),
    "transfer_round": _("Rounds of transfers"),
}


def act_words() -> list[tuple[str, Any]]:
    """Every act that the audit can hold, for a pick list."""
    words: list[tuple[str, Any]] = list(ACTS.items())
    for page in current_app.appbuilder.baseviews:  # type: ignore[attr-defined]  # FAB hangs itself on the application
        writes = ("add", "edit", "delete") if getattr(page, "writes", None) else ()
        for act in (*writes, *(("reveal",) if getattr(page, "masked", None) else ())):
            table = page.model.__tablename__
            words.append((f"{table}.{act}", f"{table_label(table)}: {ROW_ACTS[act]}"))
    return words


def act_label(action: str) -> str:
    """An act in words; one that is not known any more keeps its key."""
    return str(ACTS.get(action) or ROW_ACTS.get(action.rpartition(".")[2], action))


def table_label(table: str | None) -> str:
    """A table in words."""
    if not table:
        return "—"
    if table in TABLES:
        return str(TABLES[table])
    pages = current_app.appbuilder.baseviews  # type: ignore[attr-defined]  # FAB hangs itself on the application
    screens = (page for page in pages if getattr(getattr(page, "model", None), "__tablename__", None) == table)
    return next((str(screen.menu.label) for screen in screens if getattr(screen, "menu", None)), table)
