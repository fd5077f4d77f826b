"""The decision letter says what was said and recorded, and no more; an appeal's outcome is a paper of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"

HEARD = "学校已于{{ informed_on }}将拟作出的处理及其事实、理由和依据告知你，并听取了你的陈述和申辩：{{ defence }}"
AGREED = "经合法性审查，并经{{ meeting }}研究决定"
DECIDED = "<strong>{{ decision }}</strong>。</p>"


def upgrade() -> None:
    wording = sa.text("update paper_template set body = replace(body, :old, :new) where kind = 'decision_letter'")
    for old, new in ((HEARD, "{{ hearing }}"), (AGREED, "{{ agreed }}"),
                     (DECIDED, "<strong>{{ decision }}</strong>。{{ follows }}</p>")):  # fmt: skip
        op.get_bind().execute(wording, {"old": old, "new": new})
