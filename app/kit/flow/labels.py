"""What the words of flow declarations are called on screen and paper. A flow with words of its own adds them."""

from typing import Any

from flask_babel import lazy_gettext as _

LABELS: dict[str, Any] = {
    "step.accept": _("Acceptance"),
    "step.college": _("College opinion"),
    "step.affairs": _("Affairs opinion"),
    "step.registry": _("Roster change"),
    "step.delivery": _("Notice received"),
    "step.school": _("School opinion"),
    "step.publicity": _("Publicity"),
    "step.document": _("Document"),
    "step.leaving": _("Leaving formalities"),
    "step.admissions": _("Admissions opinion"),
    "step.listing": _("List for the school's decision"),
    "step.resolution": _("Result of the president's meeting"),
    "step.told": _("Student told"),
    "step.review": _("Review"),
    "step.report_in": _("Reporting in"),
    "material.application": _("Signed application"),
    "material.admission_letter": _("Admission letter"),
    "material.id_card": _("Copy of the ID card"),
    "material.id_copies": _("Copies of own and a parent's ID cards"),
    "material.diagnosis": _("Diagnosis of a hospital"),
    "material.enlistment_notice": _("Notice of enlistment"),
    "material.recovery": _("Certificate of recovery"),
    "material.discharge": _("Certificate of discharge"),
    "reason.illness": _("Illness"),
    "reason.enlistment": _("Enlistment"),
    "reason.startup": _("Business start-up"),
    "reason.other": _("Other reason"),
    "field.delivered_how": _("How the decision reached the student"),
    "field.delivered_on": _("When it reached the student"),
    "delivered_how.in_person": _("In person"),
    "delivered_how.post": _("By post"),
    "delivered_how.left": _("Left at the residence"),
    "delivered_how.published": _("By publication"),
    "field.statement": _("Statement"),
    "field.reason": _("Reason"),
    "field.evidence_date": _("Date of the diagnosis or notice"),
    "field.leave_from": _("Leave from"),
    "field.leave_terms": _("Length in terms"),
    "field.leave_until": _("Leave until"),
    "field.return_on": _("Return on"),
    "field.grade": _("Grade"),
    "field.class_group_id": _("Class"),
    "window.autumn_leave": _("Leave, autumn term"),
    "window.spring_leave": _("Leave, spring term"),
    "window.autumn_return": _("Return, autumn term"),
    "window.spring_return": _("Return, spring term"),
    "window.freshman_checkin": _("Arrival of freshmen"),
    "window.autumn_downgrade": _("Downgrade, autumn term"),
    "window.spring_downgrade": _("Downgrade, spring term"),
    "window.voluntary_withdrawal": _("Voluntary withdrawal"),
    "window.cancellation": _("Cancellation of the roster"),
    "act.open": _("Drafted"),
    "act.submit": _("Handed in"),
    "act.resubmit": _("Handed in again"),
    "act.approve": _("Approved"),
    "act.send_back": _("Sent back"),
    "act.refuse": _("Refused"),
    "act.withdraw": _("Taken back"),
    "act.reassign": _("Handed on"),
    "act.let_in_late": _("Let in outside the window"),
}


def label(kind: str, key: str) -> Any:
    """The label of a word, e.g. `label("step", "accept")`. Raises KeyError for one that nobody named."""
    return LABELS[f"{kind}.{key}"]


def add_labels(labels: dict[str, Any]) -> None:
    """Name words that a flow alone uses."""
    LABELS.update(labels)
