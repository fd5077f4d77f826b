"""Published versions of flows; hooks are named by the whole path of their module."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.hooks import rename_hooks
from migrations.policies import public_table

revision = "0053"
down_revision = "0052"

HOOKS = {
    "admission_cancellation.cancel_admission": "flows.admission_cancellation.cancel_admission",
    "admission_cancellation.place_no_longer_kept": "flows.admission_cancellation.place_no_longer_kept",
    "admission_deferral.defer": "flows.admission_deferral.defer",
    "admission_resumption.resume_admission": "flows.admission_resumption.resume_admission",
    "admission_waiver.waive": "flows.admission_waiver.waive",
    "appeals.check_decision": "operations.proceedings.appeals.check_decision",
    "appeals.decision_to_appeal": "operations.proceedings.appeals.decision_to_appeal",
    "appeals.find_decision": "operations.proceedings.appeals.find_decision",
    "appeals.in_time": "operations.proceedings.appeals.in_time",
    "appeals.reverse": "operations.proceedings.appeals.reverse",
    "appeals.time_for_the_next": "operations.proceedings.appeals.time_for_the_next",
    "appeals.time_to_appeal": "operations.proceedings.appeals.time_to_appeal",
    "appeals.told_after_the_decision": "operations.proceedings.appeals.told_after_the_decision",
    "appeals.told_after_the_review": "operations.proceedings.appeals.told_after_the_review",
    "cancellation.cancel": "flows.cancellation.cancel",
    "card_replacement.card_is_new": "flows.card_replacement.card_is_new",
    "change_notice.issue": "papers.change_notice.issue",
    "decision_letter.issue": "papers.decision_letter.issue",
    "dismissal.dismiss": "flows.dismissal.dismiss",
    "dismissals.ground_holds": "operations.proceedings.dismissals.ground_holds",
    "dismissals.no_return_runs": "operations.proceedings.dismissals.no_return_runs",
    "endings.died_as_a_student": "operations.roster.death.died_as_a_student",
    "hearing.heard_before_decided": "operations.proceedings.hearing.heard_before_decided",
    "hearing.legality_examined": "operations.proceedings.hearing.legality_examined",
    "info_notice.issue": "papers.info_notice.issue",
    "leaves.check_leave": "operations.roster.leaves.check_leave",
    "leaves.check_return": "operations.roster.leaves.check_return",
    "leaves.leave_within_limits": "operations.roster.leaves.leave_within_limits",
    "leaves.recall_leave": "operations.roster.leaves.recall_leave",
    "leaves.reckon_cohort": "operations.roster.leaves.reckon_cohort",
    "leaves.reckon_deferral": "operations.roster.leaves.reckon_deferral",
    "leaves.reckon_leave": "operations.roster.leaves.reckon_leave",
    "leaves.resume": "operations.roster.leaves.resume",
    "leaves.suspend": "operations.roster.leaves.suspend",
    "personal_data.change_data": "operations.roster.personal_data.change_data",
    "personal_data.check_data": "operations.roster.personal_data.check_data",
    "personal_data.data_agree": "operations.roster.personal_data.data_agree",
    "restoring.entered_as_dead": "operations.roster.restoring.entered_as_dead",
    "restoring.put_right": "operations.roster.restoring.put_right",
    "review_decision.issue": "papers.review_decision.issue",
    "review_decision.issue_refused": "papers.review_decision.issue_refused",
    "roster.class_fits": "operations.roster.effects.class_fits",
    "roster.lower_class_fits": "operations.roster.effects.lower_class_fits",
    "roster.no_higher_class": "operations.roster.effects.no_higher_class",
    "transfer_decision.admitted_in_round": "operations.transfers.decision.admitted_in_round",
    "transfer_placing.class_of_new_major": "operations.transfers.placing.class_of_new_major",
    "transfer_placing.transfer": "operations.transfers.placing.transfer",
    "transfers.check_choices": "operations.transfers.rounds.check_choices",
    "transfers.fits_round": "operations.transfers.rounds.fits_round",
    "transfers.join_round": "operations.transfers.rounds.join_round",
    "voluntary_downgrade.downgrade": "flows.voluntary_downgrade.downgrade",
    "voluntary_withdrawal.withdraw": "flows.voluntary_withdrawal.withdraw",
}


def upgrade() -> None:
    op.create_table(
        "flow_version",
        sa.Column("flow", sa.String(40), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("flow", "version", name=op.f("pk_flow_version")),
    )
    public_table("flow_version", writers=())
    rename_hooks(HOOKS)
