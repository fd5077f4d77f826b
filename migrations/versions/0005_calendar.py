"""The academic calendar with its dated tasks, which are the windows of flows from here on; notices and the outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import COLLEGE, EVERYBODY, SCOPES, STUDENT, USER, protect, public_table

revision = "0005"
down_revision = "0004"

NOW = sa.text("now()")


def upgrade() -> None:
    op.drop_table("flow_window")
    op.create_check_constraint(op.f("ck_term_weeks_in_range"), "term", "weeks between 1 and 30")
    calendar()
    tasks()
    notices()
    op.execute(f"grant usage, select on all sequences in schema public to {', '.join(EVERYBODY)}")


def calendar() -> None:
    op.create_table(
        "academic_year",
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["ab_user.id"], name=op.f("fk_academic_year_opened_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_academic_year")),
    )
    op.create_table(
        "calendar_day",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("working", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_day")),
        sa.UniqueConstraint("day", name=op.f("uq_calendar_day_day")),
    )
    op.create_table(
        "task_rule",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("position", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("opens", sa.String(80), nullable=False),
        sa.Column("duration", sa.String(10), nullable=False),
        sa.Column("owners", postgresql.ARRAY(sa.String(20)), server_default="{}", nullable=False),
        sa.Column("students", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("flow", sa.String(40), nullable=True),
        sa.Column("title_zh", sa.String(80), nullable=False),
        sa.Column("title_en", sa.String(80), nullable=False),
        sa.Column("requirement_zh", sa.String(300), nullable=True),
        sa.Column("requirement_en", sa.String(300), nullable=True),
        sa.Column("note_zh", sa.String(300), nullable=True),
        sa.Column("note_en", sa.String(300), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint(
            "kind in ('freshmen', 'roster', 'grades', 'graduates', 'reports')", name=op.f("ck_task_rule_kind_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_rule")),
        sa.UniqueConstraint("key", name=op.f("uq_task_rule_key")),
    )
    for table in ("academic_year", "calendar_day", "task_rule"):
        public_table(table)


def tasks() -> None:
    op.create_table(
        "dated_task",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("occurrence", sa.SmallInteger(), nullable=False),
        sa.Column("season", sa.String(6), nullable=True),
        sa.Column("college_id", sa.Integer(), nullable=True),
        sa.Column("owners", postgresql.ARRAY(sa.String(20)), nullable=False),
        sa.Column("students", sa.Boolean(), nullable=False),
        sa.Column("planned_opens_on", sa.Date(), nullable=False),
        sa.Column("planned_due_on", sa.Date(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("moved", sa.String(10), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Integer(), nullable=True),
        sa.Column("done_name", sa.String(80), nullable=True),
        sa.Column("remark", sa.String(300), nullable=True),
        sa.CheckConstraint(
            "due_on >= opens_on and planned_due_on >= planned_opens_on", name=op.f("ck_dated_task_dates_in_order")
        ),
        sa.CheckConstraint("moved in ('all', 'college')", name=op.f("ck_dated_task_moved_known")),
        sa.CheckConstraint("(done_at is null) = (done_name is null)", name=op.f("ck_dated_task_done_by_somebody")),
        sa.ForeignKeyConstraint(["year"], ["academic_year.year"], name=op.f("fk_dated_task_year")),
        sa.ForeignKeyConstraint(["rule_id"], ["task_rule.id"], name=op.f("fk_dated_task_rule_id")),
        sa.ForeignKeyConstraint(["college_id"], ["college.id"], name=op.f("fk_dated_task_college_id")),
        sa.ForeignKeyConstraint(["done_by"], ["ab_user.id"], name=op.f("fk_dated_task_done_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dated_task")),
        sa.UniqueConstraint(
            "year", "key", "occurrence", "college_id",
            name=op.f("uq_dated_task_year_key_occurrence_college_id"), postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
    op.create_index("ix_dated_task_key", "dated_task", ["key"])
    op.create_index("ix_dated_task_rule_id", "dated_task", ["rule_id"])
    op.create_index("ix_dated_task_college", "dated_task", ["college_id", "due_on"])
    op.create_table(
        "task_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("occurrence", sa.SmallInteger(), nullable=False),
        sa.Column("college_id", sa.Integer(), nullable=True),
        sa.Column("act", sa.String(12), nullable=False),
        sa.Column("text", sa.String(300), nullable=False),
        sa.Column("old_opens_on", sa.Date(), nullable=True),
        sa.Column("old_due_on", sa.Date(), nullable=True),
        sa.Column("opens_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("actor_name", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["college_id"], ["college.id"], name=op.f("fk_task_event_college_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_event")),
    )
    op.create_index("ix_task_event_task", "task_event", ["year", "key", "occurrence"])
    op.create_table(
        "calendar_feed",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("renewed_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name=op.f("fk_calendar_feed_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_calendar_feed")),
    )
    ours = f"college_id = {COLLEGE}"
    of_admissions = "'admissions' = any(owners)"
    protect(
        "dated_task",
        school=dict.fromkeys(("select", "insert", "update", "delete"), "true"),
        auditor="true",
        freshmen=of_admissions,
        college=ours,
        teacher="'teacher' = any(owners) and college_id is null",
        student="students and (college_id is null"
        f" or college_id = (select s.college_id from student s where s.id = {STUDENT}))",
        department="false",
    )
    # Whoever owns a task ticks it and remarks on it; its dates are the registry's.
    for scope, condition in (("college", ours), ("freshmen", of_admissions)):
        op.execute(f"grant update (done_at, done_by, done_name, remark) on dated_task to xueji_{scope}")
        op.execute(
            f"create policy {scope}_update on dated_task for update to xueji_{scope}"
            f" using ({condition}) with check ({condition})"
        )
    his_task = (
        "exists (select from dated_task t where t.year = task_event.year and t.key = task_event.key"
        " and t.occurrence = task_event.occurrence and t.college_id is not distinct from task_event.college_id)"
    )
    protect(
        "task_event",
        school={"select": "true", "insert": "true"},
        auditor="true",
        freshmen={"select": his_task, "insert": his_task},
        college={"select": f"college_id is null or {ours}", "insert": ours},
        **dict.fromkeys(("teacher", "student", "department"), "college_id is null"),
    )
    mine = dict.fromkeys(("select", "insert", "update"), f"user_id = {USER}")
    # A subscribed calendar asks without a login: its link says whose it is, and `version` whether it is still good.
    protect("calendar_feed", web={"select": "true"}, **dict.fromkeys(SCOPES, mine))


def notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("title_zh", sa.String(200), nullable=False),
        sa.Column("title_en", sa.String(200), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("path", sa.String(200), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name=op.f("fk_notice_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_notice_user_id_key")),
    )
    op.create_index("ix_notice_unread", "notice", ["user_id", "id"])
    op.create_table(
        "mail",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("notice_id", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.String(320), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(10), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.String(300), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'sending', 'sent', 'failed')", name=op.f("ck_mail_state_known")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_mail_notice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("notice_id", name=op.f("uq_mail_notice_id")),
    )
    op.create_index("ix_mail_waiting", "mail", ["id"], postgresql_where=sa.text("state = 'waiting'"))
    mine = f"user_id = {USER}"
    protect("notice", web=mine, **dict.fromkeys(SCOPES, mine))
    for scope in ("web", *SCOPES):
        op.execute(f"grant update (read_at) on notice to xueji_{scope}")
        op.execute(
            f"create policy {scope}_update on notice for update to xueji_{scope} using ({mine}) with check ({mine})"
        )
    protect("mail", school={"select": "true", "update": "true"})
    # Anybody's work can be somebody else's news: a definer function writes it, so that no scope reads others' notices.
    op.execute(
        """
        create function raise_notices(news jsonb, address text) returns bigint
            language sql security definer set search_path = public as $$
        with told as (
            select distinct on (u.id, n.key) u.id as user_id, u.email, n.* from jsonb_to_recordset(news) n(
                users int[], key text, zh text, en text, body_zh text, body_en text, page text
            ) join ab_user u on u.id = any(n.users) and u.active
        ), raised as (
            insert into notice (user_id, key, title_zh, title_en, text_zh, text_en, path)
            select user_id, key, zh, en, body_zh, body_en, page from told
            on conflict (user_id, key) do nothing returning id, user_id, key
        ), written as (
            insert into mail (notice_id, recipient, subject, body)
            select r.id, t.email, t.zh, concat_ws(E'\\n\\n', t.body_zh, nullif(address, '') || t.page)
            from raised r join told t using (user_id, key) where t.email like '%_@_%'
        )
        select count(*) from raised $$
        """
    )
    op.execute("revoke execute on function raise_notices from public")
    op.execute(f"grant execute on function raise_notices to {', '.join(f'xueji_{scope}' for scope in SCOPES)}")
