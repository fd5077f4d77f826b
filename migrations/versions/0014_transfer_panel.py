"""转专业工作小组 the transfer panel: a scope of its own, that of the applications for transfers and nothing else."""

from alembic import op

from migrations.policies import join_scope, protect

revision = "0014"
down_revision = "0013"

SCOPES = "('none','school','auditor','freshmen','transfers','college','teacher','student','department')"
TRANSFER = "flow = 'major_transfer' and state <> 'draft'"
OF_TRANSFER = "case_id in (select c.id from flow_case c)"  # as far as the panel's own policy of cases reaches
COMMITTEE = "college_id is null and kind = 'committee'"


def upgrade() -> None:
    op.drop_constraint("ck_identity_scope_known", "identity")
    op.create_check_constraint(op.f("ck_identity_scope_known"), "identity", f"scope in {SCOPES}")
    op.execute("update identity set scope = 'transfers' where scope = 'none' and id in (select identity_id"
               " from identity_role join ab_role on ab_role.id = role_id where name = 'transfer_panel')")  # fmt: skip
    join_scope("transfers", like="teacher", without=("dated_task", "task_event"))
    for table, transfers in {
        "flow_case": dict.fromkeys(("select", "update"), TRANSFER),
        "case_step": dict.fromkeys(("select", "update"), OF_TRANSFER),
        "case_event": dict.fromkeys(("select", "insert"), OF_TRANSFER),
        "case_material": OF_TRANSFER,
        "transfer_choice": dict.fromkeys(("select", "update"), OF_TRANSFER),
        "student": "id in (select c.student_id from flow_case c)",
        "class_group": "true",
        "dated_task": "college_id is null",
        "task_event": "college_id is null",
        "meeting": dict.fromkeys(("select", "insert", "update"), COMMITTEE),
    }.items():
        protect(table, transfers=transfers)
    op.execute("grant update (state, decided_at, version) on transfer_round to xueji_transfers")
    class_sizes()


def class_sizes() -> None:
    """How many are in a class, for those who place students and do not see all of them."""
    op.execute(
        "create function class_sizes(of_majors int[]) returns table (class_group_id int, members bigint)"
        " language sql stable security definer set search_path = public as $$"
        " select g.id, count(s.id) from class_group g left join student s on s.class_group_id = g.id and s.on_roll"
        " where g.major_id = any(of_majors) group by g.id $$"
    )
    op.execute("revoke execute on function class_sizes from public")
    op.execute("grant execute on function class_sizes to xueji_school, xueji_transfers")
