"""应征入伍与学制: service keeps a place until two years after discharge; the notice prints majors with their lengths."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

CLASSES = "<tr><th>异动前年级班级"
MAJORS = (
    "<tr><th>异动前专业学制</th><td>{{ old_major }}<br>{{ old_length }}</td>"
    "<th>异动后专业学制</th><td>{{ new_major }}<br>{{ new_length }}</td></tr>\n"
)


def upgrade() -> None:
    # The end of a service was guessed from the form; it is known when the discharge is recorded.
    op.execute("update roster_change set until = null where code = '19' or (code = '14' and reason = '34')")
    op.execute("delete from setting where key = 'deferral_enlisted_months'")
    wording = sa.text("update paper_template set body = replace(body, :old, :new) where kind = 'change_notice'")
    op.get_bind().execute(wording, {"old": CLASSES, "new": MAJORS + CLASSES})
