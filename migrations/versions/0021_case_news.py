"""Notices of cases: their letters say less than the notice does, and say it in both languages."""

from alembic import op

revision = "0021"
down_revision = "0020"

# A letter leaves the house: where `letter_zh` is given it stands in the letter in place of the notice's text.
RAISE = """
create or replace function raise_notices(news jsonb, address text) returns bigint
    language sql security definer set search_path = public as $$
with told as (
    select distinct on (u.id, n.key) u.id as user_id, u.email, n.* from jsonb_to_recordset(news) n(
        users int[], key text, zh text, en text, body_zh text, body_en text, page text, letter_zh text, letter_en text
    ) join ab_user u on u.id = any(n.users) and u.active
), raised as (
    insert into notice (user_id, key, title_zh, title_en, text_zh, text_en, path)
    select user_id, key, zh, en, body_zh, body_en, page from told
    on conflict (user_id, key) do nothing returning id, user_id, key
), written as (
    insert into mail (notice_id, recipient, subject, body)
    select r.id, t.email, t.zh, concat_ws(E'\\n\\n', coalesce(t.letter_zh, t.body_zh), t.letter_en,
        nullif(address, '') || t.page)
    from raised r join told t using (user_id, key) where t.email like '%_@_%'
)
select count(*) from raised $$
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(RAISE, execution_options={"no_parameters": True})
