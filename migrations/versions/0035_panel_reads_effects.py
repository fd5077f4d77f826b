"""The transfer panel reads which day a change that it decided waits for: the page of its cases asks for it."""

from migrations.policies import protect

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    protect("dated_effect", transfers="case_id in (select c.id from flow_case c)")
