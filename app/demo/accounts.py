"""The demo's accounts: staff for every role and college, people with two identities, some students."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Table, insert, select, text

from app.access.roles import Role
from app.demo.people import People
from app.kit.pinyin import split_name
from app.models import College, Department, Identity, Password, Proposal, ProposalKind
from app.models.accounts.account import AccountRole, User, identity_role

OFFICES = {
    "registry": (Role.REGISTRY, "教务处学籍中心"),
    "registry2": (Role.REGISTRY, "教务处学籍中心"),
    "registry3": (Role.REGISTRY, "教务处学籍中心"),  # had no hand in what the first two list and examine
    "director": (Role.AFFAIRS_DIRECTOR, "教务处分管领导"),
    "vp": (Role.VICE_PRESIDENT, "分管校领导"),
    "vp2": (Role.VICE_PRESIDENT, "分管校领导"),  # decides upon appeals against what the first one signed
    "exams": (Role.EXAM_CENTER, "教务处考试中心"),
    "operations": (Role.OPERATIONS, "教务处教学运行科"),
    "admissions": (Role.ADMISSIONS, "招生就业工作处"),
    "it": (Role.IT_OFFICE, "信息化办公室"),
    "president": (Role.PRESIDENT_OFFICE, "校长办公室秘书科"),
    "degrees": (Role.DEGREE_COMMITTEE, "学位评定委员会"),
    "transfers": (Role.TRANSFER_PANEL, "转专业工作小组"),
    "admin": (Role.ADMIN, "系统管理员"),
    "admin2": (Role.ADMIN, "系统管理员"),
    "auditor": (Role.AUDITOR, "审计"),
}
COLLEGE_STAFF = {
    "clerk": (Role.COLLEGE_CLERK, "学籍管理员"),
    "leader": (Role.COLLEGE_LEADER, "学籍分管院领导"),
    "head": (Role.SECTION_HEAD, "教研室主任"),
    "teacher": (Role.TEACHER, "任课教师"),
}
# Second identities: a clerk who is also a section head, one who is also a leader, one who serves two colleges.
SECOND = {"clerk01": ("head", "01"), "clerk02": ("leader", "02"), "clerk03": ("clerk", "04")}
# In each college these students can log in: their number by status.
STUDENT_ACCOUNTS = {"enrolled": 5, "on_leave": 2, "retained": 1}
SHOWN = [
    "registry",
    "director",
    "vp",
    "admissions",
    "clerk08",
    "leader08",
    "clerk01",
    "clerk02",
    "library",
    "transfers",
    "admin",
    "admin2",
    "auditor",
]


@dataclass
class Account:
    """A user to be made, with identities of (role, title, column that names whose rows, its id)."""

    username: str
    name: str
    identities: list[tuple[Role, str, str | None, int | None]]


def make_accounts(connection: Connection, password_hash_of: Callable[[str], str], people: People) -> int:
    """Write all accounts, none of which must change its password; how many."""
    accounts = [*_staff(connection, people), *_students(connection)]
    roles = _ensure_roles(connection)
    users = [
        {
            "username": account.username, "first_name": given, "last_name": surname, "active": True,
            "password": password_hash_of(account.username), "email": f"{account.username}@example.edu.cn",
        }
        for account in accounts
        for surname, given in [split_name(account.name)]
    ]  # fmt: skip
    # By Core: FAB's model takes created_by from a request.
    users_table: Table = User.__table__
    user_ids = list(
        connection.scalars(insert(users_table).returning(users_table.c.id, sort_by_parameter_order=True), users)
    )
    connection.execute(insert(Password), [{"user_id": key, "must_change": False} for key in user_ids])

    held = [
        (key, *identity) for key, account in zip(user_ids, accounts, strict=True) for identity in account.identities
    ]
    nobody = {"college_id": None, "student_id": None, "department_id": None}
    rows = [
        nobody | {"user_id": key, "scope": role.scope, "title": title} | ({column: whose} if column else {})
        for key, role, title, column, whose in held
    ]
    identities = connection.scalars(insert(Identity).returning(Identity.id, sort_by_parameter_order=True), rows)
    links = [{"identity_id": key, "role_id": roles[role]} for key, (_, role, *_) in zip(identities, held, strict=True)]
    connection.execute(insert(identity_role), links)
    # FAB's own list of users shows these; what a user may do comes from the active identity.
    shown = {(key, roles[role]) for key, role, *_ in held}
    user_roles = User.metadata.tables["ab_user_role"]
    connection.execute(insert(user_roles), [{"user_id": key, "role_id": role} for key, role in sorted(shown)])
    # One proposal that waits for its second hand: `admin` proposed it, `admin2` or `registry` may confirm.
    ids = {account.username: key for key, account in zip(user_ids, accounts, strict=True)}
    proposal = {"kind": ProposalKind.IDENTITY, "user_id": ids["operations"], "proposed_by": ids["admin"]}
    reach = {"scope": Role.REGISTRY.scope, "roles": [Role.REGISTRY.value], "title": "教务处学籍中心（兼）"}
    connection.execute(insert(Proposal.__table__), proposal | reach)
    return len(accounts)


def sample_accounts(connection: Connection) -> list[tuple[str, str]]:
    """(username, title) of accounts worth trying, students last; empty where there is no demo."""
    query = text("""
        select u.username, string_agg(i.title, '；' order by i.id) from ab_user u join identity i on i.user_id = u.id
        where u.username = any(:names) group by u.username order by array_position(cast(:names as text[]), u.username)
    """)
    students = text("""
        select u.username, i.title || case s.status when 'on_leave' then '（休学）' else '' end
        from student s join identity i on i.student_id = s.id join ab_user u on u.id = i.user_id
        join college c on c.id = s.college_id and c.code = '08' where s.status in ('enrolled', 'on_leave')
        order by s.status, s.student_no
    """)
    rows = [tuple(row) for row in connection.execute(query, {"names": SHOWN})]
    return rows + [tuple(row) for row in connection.execute(students)]


def _staff(connection: Connection, people: People) -> Iterator[Account]:
    def name() -> str:
        return people.names.full(people.random() < 0.5, "01")

    for username, (role, title) in OFFICES.items():
        yield Account(username, name(), [(role, title, None, None)])
    for department in connection.execute(
        select(Department.id, Department.key, Department.name_zh).order_by(Department.id)
    ):
        yield Account(department.key, name(), [(Role.DEPARTMENT, department.name_zh, "department_id", department.id)])
    rows = connection.execute(select(College.code, College.id, College.name).order_by(College.code))
    colleges = {code: (key, college) for code, key, college in rows}

    def post(kind: str, code: str) -> tuple[Role, str, str | None, int | None]:
        role, title = COLLEGE_STAFF[kind]
        key, college = colleges[code]
        whose = (None, None) if role is Role.TEACHER else ("college_id", key)
        return role, f"{college}{title}", *whose

    for code in colleges:
        for kind in COLLEGE_STAFF:
            username = f"{kind}{code}"
            posts = [post(kind, code)]
            if username in SECOND:
                posts.append(post(*SECOND[username]))
            yield Account(username, name(), posts)


def _students(connection: Connection) -> Iterator[Account]:
    query = text("""
        select id, student_no, name, status from (
            select id, student_no, name, status, college_id,
                row_number() over (partition by college_id, status order by entry_year desc, student_no) as place
            from student where status = any(:statuses) and student_no is not null and registered
        ) ranked where place <= cast(cast(:limits as json) ->> status as int) order by college_id, status, place
    """)
    limits = ", ".join(f'"{status}": {limit}' for status, limit in STUDENT_ACCOUNTS.items())
    for row in connection.execute(query, {"statuses": list(STUDENT_ACCOUNTS), "limits": f"{{{limits}}}"}):
        yield Account(row.student_no, row.name, [(Role.STUDENT, "学生", "student_id", row.id)])


def _ensure_roles(connection: Connection) -> dict[str, int]:
    """The ids of all roles by name; those that no deploy has written yet are written."""
    known = {name: key for name, key in connection.execute(select(AccountRole.name, AccountRole.id))}
    missing = [{"name": role.value} for role in Role if role not in known]
    if missing:
        connection.execute(insert(AccountRole.__table__), missing)
        return {name: key for name, key in connection.execute(select(AccountRole.name, AccountRole.id))}
    return known
