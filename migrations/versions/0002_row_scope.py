"""Row scope: who may read and write which rows, table by table; the history trigger."""

from alembic import op

from migrations.policies import (
    COLLEGE,
    EVERYBODY,
    OF_COLLEGE,
    OF_COLLEGE_OR_TARGET,
    OF_STUDENT,
    SCOPES,
    SENT_TO_DEPARTMENT,
    STUDENT,
    USER,
    each_user_his_own,
    protect,
    public_table,
)

revision = "0002"
down_revision = "0001"

ACCOUNTS = [
    "ab_role",
    "ab_permission",
    "ab_view_menu",
    "ab_permission_view",
    "ab_permission_view_role",
    "ab_user_role",
    "ab_group",
    "ab_user_group",
    "ab_group_role",
    "ab_register_user",
    "ab_api_key",
    "identity_role",
]
REFERENCE = [
    "college",
    "major",
    "department",
    "code_set",
    "code",
    "setting",
    "term",
    "flow_window",
    "paper_template",
    "paper_counter",
]
HIS_STUDENT = "exists (select from student s where s.id = student_id)"  # answered by the writer's own scope
CONTACT = "phone, email, address, postcode, guardian_name, guardian_phone, dormitory, note, version, updated_at"
# Not worth a line in a person's history: derived, or the row's own book-keeping.
NOT_IN_HISTORY = {"id", "version", "updated_at", "pinyin", "initials", "on_roll"}


def upgrade() -> None:
    op.execute(f"grant usage on schema public to {', '.join(EVERYBODY)}")
    op.execute(f"grant usage, select on all sequences in schema public to {', '.join(EVERYBODY)}")
    for table in ACCOUNTS:
        public_table(table, writers=("web",))
    accounts()
    for table in REFERENCE:
        public_table(table)
    for table in ("saved_filter", "column_choice", "job_run"):
        each_user_his_own(table)
    students()
    cases()
    records()
    history()


def accounts() -> None:
    """The login itself reads and writes accounts, before a scope exists and for the administrator; others their own."""
    everything = dict.fromkeys(("select", "insert", "update", "delete"), "true")
    for table, mine in (
        ("ab_user", {"update": f"id = {USER}"}),
        ("password_state", dict.fromkeys(("insert", "update"), f"user_id = {USER}")),
        ("delegation", dict.fromkeys(("insert", "update"), f"absent_user_id = {USER}")),
    ):
        protect(table, web=everything, **dict.fromkeys(SCOPES, {"select": "true"} | mine))
    protect("identity", web=everything, **dict.fromkeys(SCOPES, "true"))
    # Which rows an identity reaches is no business of its own; when it was last chosen is.
    for scope in SCOPES:
        op.execute(f"grant update (last_used) on identity to xueji_{scope}")
        op.execute(
            f"create policy {scope}_update on identity for update to xueji_{scope}"
            f" using (user_id = {USER}) with check (user_id = {USER})"
        )


def students() -> None:
    protect(
        "class_group",
        school=dict.fromkeys(("select", "insert", "update", "delete"), "true"),
        auditor="true",
        freshmen="true",
        college=f"college_id = {COLLEGE}",
        student="exists (select from student s where s.class_group_id = class_group.id)",
        department="false",
    )
    protect(
        "student",
        school=dict.fromkeys(("select", "insert", "update"), "true"),
        auditor="true",
        freshmen=dict.fromkeys(("select", "insert", "update"), "not registered"),
        college=f"college_id = {COLLEGE}",
        student=f"id = {STUDENT}",
        department="false",
    )
    # A college and a student change contact data alone; everything else moves through the registry's hands.
    for scope, condition in (("college", f"college_id = {COLLEGE}"), ("student", f"id = {STUDENT}")):
        op.execute(f"grant update ({CONTACT}) on student to xueji_{scope}")
        op.execute(
            f"create policy {scope}_update on student for update to xueji_{scope}"
            f" using ({condition}) with check ({condition})"
        )
    ledger = {"select": "true", "insert": "true"}
    protect(
        "roster_change",
        school=ledger,
        auditor="true",
        freshmen={"select": HIS_STUDENT, "insert": HIS_STUDENT},
        college=OF_COLLEGE,
        student=OF_STUDENT,
    )
    protect("field_change", school="true", auditor="true", freshmen=HIS_STUDENT, college=OF_COLLEGE, student=OF_STUDENT)


def cases() -> None:
    # A definer function: a policy that read case_step from case_step's own policy would recurse for ever.
    op.execute(
        "create function sent_to_department(of_case bigint, whom int) returns boolean language sql stable"
        " security definer set search_path = public as $$ select exists (select from case_step"
        " where case_id = of_case and department_id = whom and state <> 'waiting') $$"
    )
    op.execute("revoke execute on function sent_to_department from public")
    op.execute("grant execute on function sent_to_department to xueji_department")
    college_makes = f"college_id = {COLLEGE} and {HIS_STUDENT}"
    student_makes = f"{OF_STUDENT} and {HIS_STUDENT}"
    for table, key, acts in (
        ("flow_case", "flow_case.id", ("select", "insert", "update")),
        ("case_step", "case_step.case_id", ("select", "insert", "update", "delete")),
        ("case_event", "case_event.case_id", ("select", "insert")),
        ("case_material", "case_material.case_id", ("select", "insert", "update")),
    ):
        sent = SENT_TO_DEPARTMENT.format(case=key)
        department = {
            "flow_case": {"select": sent, "update": sent},
            "case_step": {"select": sent, "update": sent},
            "case_event": {"select": f"actor_id = {USER}", "insert": sent},
            "case_material": {"select": "false"},  # a department gets the notice, not the diagnosis
        }[table]

        def only(condition: str, insert: str, acts: tuple[str, ...] = acts) -> dict[str, str]:
            return {act: insert if act == "insert" else condition for act in acts}

        # Steps and events of a running case are also written by the second college of a transfer.
        insert = college_makes if table == "flow_case" else OF_COLLEGE_OR_TARGET
        protect(
            table,
            school=dict.fromkeys(acts, "true"),
            auditor="true",
            college=only(OF_COLLEGE_OR_TARGET, insert),
            student=only(OF_STUDENT, student_makes),
            department=department,
        )


def records() -> None:
    sent = SENT_TO_DEPARTMENT.format(case="paper.case_id")
    protect(
        "paper",
        school={"select": "true", "insert": "true"},
        auditor="true",
        college=OF_COLLEGE_OR_TARGET,
        student=OF_STUDENT,
        department=sent,
    )
    printed = "exists (select from paper p where p.id = paper_id)"
    everyone_prints = {"select": f"user_id = {USER}", "insert": f"user_id = {USER} and {printed}"}
    protect(
        "print_run",
        school={"select": "true", "insert": printed},
        auditor={"select": "true", "insert": printed},
        **dict.fromkeys(("college", "student", "department"), everyone_prints),
    )
    mine = {"select": f"user_id = {USER}", "insert": "true"}
    protect(
        "audit_entry",
        school={"select": "true", "insert": "true"},
        auditor={"select": "true", "insert": "true"},
        college={"select": f"college_id = {COLLEGE} or user_id = {USER}", "insert": "true"},
        web=mine,
        **dict.fromkeys(("freshmen", "teacher", "student", "department"), mine),
    )
    assert set(SCOPES) <= {name.removeprefix("xueji_") for name in EVERYBODY}


def history() -> None:
    """One statement-level trigger writes the history of every field, whoever the writer and however many rows."""
    rows = op.get_bind().exec_driver_sql(
        "select attname from pg_attribute where attrelid = 'student'::regclass and attnum > 0 and not attisdropped"
        " order by attnum"
    )
    fields = [name for (name,) in rows if name not in NOT_IN_HISTORY]
    values = ", ".join(f"('{field}', o.{field}::text, n.{field}::text)" for field in fields)
    op.execute(
        f"""
        create function write_field_changes() returns trigger language plpgsql
            security definer set search_path = public as $$
        begin
            insert into field_change
                (student_id, college_id, student_college_id, field, old, new, why, changed_by, changed_by_name)
            select n.id, o.college_id, n.college_id, f.field, f.old, f.new,
                nullif(current_setting('app.why', true), ''),
                nullif(current_setting('app.user', true), '')::int,
                nullif(current_setting('app.user_name', true), '')
            from new_rows n join old_rows o using (id)
            cross join lateral (values {values}) f(field, old, new)
            where f.old is distinct from f.new;
            return null;
        end $$
        """
    )
    op.execute(
        "create trigger write_field_changes after update on student referencing old table as old_rows"
        " new table as new_rows for each statement execute function write_field_changes()"
    )
