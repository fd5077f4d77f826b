"""Foreign rows: in every table one row with id 7001 of a college that is nobody's in the cast, its texts all marked."""

from datetime import UTC, date, datetime
from typing import Any

from flask_appbuilder import Model
from sqlalchemy import Column, Table, types
from sqlalchemy.dialects.postgresql import JSONB

from app.access.startup import PUBLIC

ID = 7001
MARK = "泄露七〇〇一"  # in every text of a row that is somebody's; no answer to a stranger may hold it
PREFIX = MARK[:2]  # what strangers search by
UNMARKED = PUBLIC | {"ab_user", "identity", "delegation", "password_state"}  # everybody reads who works here
DAY = date(2026, 9, 1)

# What a CHECK, or a reader of the row, wants instead of the invented value.
PARTICULAR: dict[str, dict[str, Any]] = {
    "ab_user": {"active": True},
    "account_proposal": {"kind": "identity", "state": "confirmed", "scope": "college", "reason": None},
    "case_event": {"act": "approve", "step_key": "accept", "role": "college_clerk"},
    "case_step": {"key": "accept", "state": "open", "role": "college_clerk"},
    "academic_year": {"opened_by": None},
    "dated_task": {"moved": None, "owners": ["college"]},
    "dated_effect": {"state": "waiting", "settled_at": None, "effective_on": date(2099, 1, 1)},
    "delegation": {"deputy_user_id": 1},
    "dismissal_exemption": {"ground": "absence"},
    "flow_case": {"flow": "leave", "state": "open", "step_key": "accept", "reason": "other"},
    "identity": {"scope": "college", "student_id": None, "department_id": None, "ended_on": None},
    "legal_clock": {"kind": "leave"},
    "meeting": {"kind": "college"},
    "job_run": {"state": "done", "file_path": f"2099-01-01/{ID}", "expires_at": datetime(2099, 1, 1, tzinfo=UTC)},
    "mail": {"state": "waiting"},
    "paper": {"mark": None},
    "reorganisation": {"state": "waiting", "settled_at": None, "effective_on": date(2099, 1, 1)},
    "registration": {"state": "registered", "season": "autumn", "due_on": None},
    "roster_change": {"new_status": "on_leave", "old_status": "enrolled", "code": "11"},
    "saved_filter": {"screen": "StudentScreen"},
    "setting": {"kind": "text"},
    "user_session": {"kind": "browser"},
    "student": {
        "status": "on_leave",
        "sex": "1",
        "id_type": "1",
        "ethnic_group": "01",
        "political_status": "01",
        "nationality": "156",
        "entry_kind": "1",
        "education_level": "05",
        "study_form": "1",
    },
    "task_rule": {"kind": "roster", "opens": "any", "duration": "1d"},
    "transfer_choice": {"case_state": "open", "passed": None, "confirmed_by": None},
    "transfer_quota": {"places": 5},
    "transfer_round": {"state": "draft", "choices": 2},
    "term": {"season": "autumn", "first_monday": date(2026, 8, 31), "weeks": 20},
}


def value_for(column: Column, public: bool) -> Any:
    """An invented value of the column's type: every number is 7001, every text that fits it is marked."""
    kind = column.type
    if isinstance(kind, types.Boolean):
        return False
    if isinstance(kind, types.ARRAY):
        return []
    if isinstance(kind, JSONB):
        return {} if public else {"name": MARK}
    if isinstance(kind, types.Numeric):
        return 4
    if isinstance(kind, types.Integer):
        return ID
    if isinstance(kind, types.DateTime):
        return datetime(2026, 9, 1, tzinfo=UTC)
    if isinstance(kind, types.Date):
        return DAY
    if isinstance(kind, types.LargeBinary):
        return b""
    text = str(ID) if public else MARK
    length = getattr(kind, "length", None)
    return text if length is None or length >= len(text) else text[:length]


def row_of(table: Table) -> dict[str, Any]:
    columns = [column for column in table.columns if column.computed is None]
    made = {column.name: value_for(column, table.name in UNMARKED) for column in columns}
    return made | PARTICULAR.get(table.name, {})


def write(connection) -> None:
    """One row in every mapped table, as the owner. A CHECK that refuses a row wants a line in PARTICULAR."""
    for table in Model.metadata.sorted_tables:
        if table.info.get("view"):
            continue
        connection.execute(table.insert().values(row_of(table)))
