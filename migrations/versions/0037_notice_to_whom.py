"""The notice of a death is handed to the family: the wording in use names to whom it goes."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

ALWAYS = "请你院及时将本通知送达学生本人，"
TO_WHOM = "请你院及时将本通知送达{{ recipient }}，"


def upgrade() -> None:
    wording = sa.text("update paper_template set body = replace(body, :old, :new) where kind = 'change_notice'")
    op.get_bind().execute(wording, {"old": ALWAYS, "new": TO_WHOM})
