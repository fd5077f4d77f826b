"""The names of hooks where they are stored: in the definitions of flows, and in the steps of cases."""

from alembic import op
from sqlalchemy import text

_IN_STEPS = """
    update case_step s set declared = s.declared || jsonb_build_object(:key, n.new)
    from jsonb_each_text(cast(:names as jsonb)) as n(old, new) where s.declared ->> :key = n.old
"""


def rename_hooks(names: dict[str, str]) -> None:
    """Rename hooks, old name → new name, in every step that has been copied from a flow."""
    import json

    for key in ("rule", "fills"):
        op.get_bind().execute(text(_IN_STEPS), {"key": key, "names": json.dumps(names)})
