"""编班与编号 a cohort of freshmen: classes of even size, and student numbers by the school's rule."""

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import text

from app.access import Actor, Permission
from app.kit import clock
from app.kit.operation import Refused, audit, operation, say_why
from app.models import db, setting, setting_int
from app.operations.roster import ledger
from app.operations.roster.number_rule import LONGEST, read_rule

NAMED = 5  # students that a refusal names
MOST_CLASSES = 99  # of one major and year: their codes have two digits
FRESH = "s.entry_year = :year and s.status in ('admitted', 'enrolled')"

# The classes of the majors that have somebody to place: those there are, and as many more as are needed.
GROUPS = f"""
create temp table cohort_group on commit drop as
with need as (
    select s.major_id, count(*) as students from student s where {FRESH} and s.class_group_id is null group by 1
), standing as (
    select g.major_id, g.code, g.name, greatest(g.capacity, 1) as capacity, (
        select count(*) from student s where s.class_group_id = g.id and (s.on_roll or s.status = 'admitted')
    ) as members
    from class_group g where g.grade = :year and g.major_id in (select major_id from need)
), lacking as (
    select n.major_id, coalesce(max(nullif(regexp_replace(e.code, '\\D', '', 'g'), '')::int), 0) as last_code,
        ceil(greatest(n.students - coalesce(sum(greatest(e.capacity - e.members, 0)), 0), 0) / cast(:size as numeric))
            ::int as groups
    from need n left join standing e using (major_id) group by n.major_id, n.students
)
select major_id, code, name, capacity, members, false as fresh from standing
union all
select l.major_id, to_char(l.last_code + n, 'FM00'), left(m.name, 68) || :year || '级' || l.last_code + n || '班',
    :size, 0, true
from lacking l join major m on m.id = l.major_id, generate_series(1, l.groups) n
"""

# The emptiest class gets the next student, men first, then women: so both sexes are spread evenly.
PLACES = f"""
create temp table cohort_place on commit drop as
with newcomer as (
    select s.id, s.major_id, s.sex,
        row_number() over (partition by s.major_id order by s.sex, s.examinee_no, s.id) as turn
    from student s where {FRESH} and s.class_group_id is null
), seat as (
    select g.major_id, g.code, row_number() over (partition by g.major_id order by level, g.code) as turn
    from cohort_group g, generate_series(g.members + 1, g.capacity) level
)
select n.id as student_id, n.major_id, n.sex, seat.code from newcomer n join seat using (major_id, turn)
"""

# A number that was ever given stays given, to whomever it was.
NUMBERS = """
create temp table cohort_number on commit drop as
with candidate as (
    select s.id, s.major_id, s.class_group_id, {prefix} as prefix, {suffix} as suffix,
        row_number() over (partition by {prefix}, {suffix} order by s.pinyin, s.name, s.id) as turn
    from student s join college c on c.id = s.college_id join major m on m.id = s.major_id
        left join class_group g on g.id = s.class_group_id
    where {fresh} and s.student_no is null
), need as (
    select prefix, suffix, count(*) as students from candidate where prefix || suffix is not null group by 1, 2
), given as (
    select student_no as number from student where student_no is not null
    union select old from field_change where field = 'student_no' and old is not null
), given_by_prefix as (
    select left(number, n) as prefix, count(*) as numbers
    from given, (select distinct length(prefix) as n from need) lengths group by 1
), free as (
    select need.prefix, need.suffix, serial,
        row_number() over (partition by need.prefix, need.suffix order by serial) as turn
    from need left join given_by_prefix p using (prefix),
        generate_series(1, least(:last, need.students + coalesce(p.numbers, 0))) serial
    where not exists (
        select from given where number = need.prefix || lpad(cast(serial as text), :width, '0') || need.suffix
    )
)
select k.id as student_id, k.major_id, k.class_group_id, k.prefix || repeat('·', :width) || k.suffix as pattern,
    k.prefix || lpad(cast(free.serial as text), :width, '0') || k.suffix as number
from candidate k left join free using (prefix, suffix, turn)
"""


@dataclass(frozen=True)
class Group:
    """A class as it will be: `fresh` when it is yet to be made, `added` how many of its members are placed now."""

    major_id: int
    code: str
    name: str
    fresh: bool
    before: int
    added: int
    added_men: int
    capacity: int

    @property
    def size(self) -> int:
        return self.before + self.added


@dataclass(frozen=True)
class Numbers:
    """The numbers that the students of one major get."""

    major_id: int
    students: int
    first: str
    last: str


@dataclass(frozen=True)
class Placed:
    """What was done; all zero when there was nothing to do."""

    students: int
    groups: int = 0


@operation(needs=Permission.COHORT_PLACE)
def preview_classes(actor: Actor, entry_year: int) -> list[Group]:
    """The classes that placing the freshmen would fill, by major and code. Raises Refused."""
    _plan_classes(entry_year)
    return _groups()


@operation(needs=Permission.COHORT_PLACE)
def assign_classes(actor: Actor, entry_year: int, *, expected: int | None = None) -> Placed:
    """Place every freshman who has no class. `expected` is how many the page said. Raises Refused."""
    _lock()
    _plan_classes(entry_year)
    students = _count("cohort_place")
    _as_expected(students, expected)
    if not students:
        return Placed(0)
    made = _run(
        "insert into class_group (code, name, grade, capacity, major_id, college_id)"
        " select p.code, p.name, :year, p.capacity, p.major_id, m.college_id"
        " from cohort_group p join major m on m.id = p.major_id where p.fresh order by p.major_id, p.code",
        year=entry_year,
    ).rowcount
    say_why(f"{entry_year}级新生编班")
    ledger.remember("cohort_place")
    _run(
        "update student s set class_group_id = g.id, version = s.version + 1, updated_at = :now"
        " from cohort_place p join class_group g on g.major_id = p.major_id and g.grade = :year and g.code = p.code"
        " where s.id = p.student_id",
        year=entry_year, now=clock.now(),
    )  # fmt: skip
    ledger.enter(actor, "cohort_place", "A3", note="新生编班")
    audit(actor, "cohort:assign_classes", detail={"entry_year": entry_year, "students": students, "groups": made})
    db.session.expire_all()
    return Placed(students, made)


@operation(needs=Permission.COHORT_PLACE)
def preview_numbers(actor: Actor, entry_year: int) -> list[Numbers]:
    """The first and last number that each major would get. Raises Refused."""
    _plan_numbers(entry_year)
    rows = _run(
        "select major_id, count(*) as students, min(number) as first, max(number) as last"
        " from cohort_number group by major_id order by major_id"
    )
    return [Numbers(*row) for row in rows]


@operation(needs=Permission.COHORT_PLACE)
def assign_numbers(actor: Actor, entry_year: int, *, expected: int | None = None) -> Placed:
    """Give a number to every freshman who has none; `expected` is how many the page said. Raises Refused."""
    _lock()
    _plan_numbers(entry_year)
    students = _count("cohort_number")
    _as_expected(students, expected)
    if not students:
        return Placed(0)
    say_why(f"{entry_year}级新生编学号")
    _run(
        "update student s set student_no = n.number, version = s.version + 1, updated_at = :now"
        " from cohort_number n where s.id = n.student_id and s.student_no is null",
        now=clock.now(),
    )
    rule = setting("student_number_rule")
    audit(actor, "cohort:assign_numbers", detail={"entry_year": entry_year, "students": students, "rule": rule})
    db.session.expire_all()
    return Placed(students)


def _plan_classes(year: int) -> None:
    _refuse_strays(year)
    size = setting_int("class_size")
    _run("drop table if exists cohort_group, cohort_place")
    _run(GROUPS, year=year, size=size)
    crowded = _run(
        "select m.name, count(*) from cohort_group g join major m on m.id = g.major_id"
        " group by m.id having count(*) > :most order by m.id limit 1", most=MOST_CLASSES,
    ).first()  # fmt: skip
    if crowded:
        raise Refused(
            _("%(major)s would have %(count)s classes, but their codes have two digits. Raise the size of a class in"
              " the settings.", major=crowded[0], count=crowded[1])
        )  # fmt: skip
    _run(PLACES, year=year)


def _plan_numbers(year: int) -> None:
    _refuse_strays(year)
    rule = read_rule(setting("student_number_rule"))
    if rule.needs_class:
        _refuse_named(
            "s.student_no is null and s.class_group_id is null", year,
            _("These freshmen have no class, and the number tells the class. Assign classes first: %(names)s"),
        )  # fmt: skip
    _run("drop table if exists cohort_number")
    plan = NUMBERS.format(prefix=rule.prefix, suffix=rule.suffix, fresh=FRESH)
    _run(plan, year=year, width=rule.width, last=10**rule.width - 1)
    full = _run(
        "select pattern, count(*) from cohort_number where number is null group by 1 order by 1 limit 1"
    ).first()
    if full:
        raise Refused(
            _("The serial of %(pattern)s is used up: %(count)s students would have no number. Give the serial more"
              " digits in the rule, or make smaller classes.", pattern=full[0], count=full[1])
        )  # fmt: skip
    long = _run("select max(number) from cohort_number where length(number) > :most", most=LONGEST).scalar()
    if long:
        raise Refused(
            _("The rule makes numbers such as %(number)s, of %(length)s characters; at most %(most)s are possible."
              " Shorten the rule in the settings.", number=long, length=len(long), most=LONGEST)
        )  # fmt: skip
    twice = _run("select number from cohort_number group by 1 having count(*) > 1 limit 1").scalar()
    if twice:
        raise Refused(
            _("The rule gives the number %(number)s to two students. Let it tell college, major and class apart.",
              number=twice)
        )  # fmt: skip


def _refuse_strays(year: int) -> None:
    _refuse_named(
        "(m.college_id <> s.college_id or g.major_id <> s.major_id)", year,
        _("The college, major and class of these freshmen do not belong together. Correct them first: %(names)s"),
    )  # fmt: skip


def _refuse_named(condition: str, year: int, reason: Any) -> None:
    rows = _run(
        "select s.name, coalesce(s.student_no, s.examinee_no), count(*) over () as everybody"
        " from student s join major m on m.id = s.major_id left join class_group g on g.id = s.class_group_id"
        f" where {FRESH} and {condition} order by s.id limit :named",
        year=year, named=NAMED,
    ).all()  # fmt: skip
    if rows:
        names = "、".join(f"{name} ({number})" for name, number, _count in rows)
        raise Refused(
            str(reason) % {"names": names + (f" … ({rows[0].everybody})" if len(rows) < rows[0].everybody else "")}
        )


def _groups() -> list[Group]:
    rows = _run(
        "select g.major_id, g.code, g.name, g.fresh, g.members, count(p.student_id),"
        " count(p.student_id) filter (where p.sex = '1'), g.capacity"
        " from cohort_group g left join cohort_place p using (major_id, code)"
        " group by 1, 2, 3, 4, 5, g.capacity order by 1, 2"
    )
    return [Group(*row) for row in rows]


def _as_expected(students: int, expected: int | None) -> None:
    if expected is not None and students != expected:
        raise Refused(_("The cohort has changed since this page was shown. Look at it again, then confirm."))


def _lock() -> None:
    """Two of the registry at once would give the same places and numbers."""
    _run("select pg_advisory_xact_lock(hashtextextended('cohort', 0))")


def _count(table: str) -> int:
    return _run(f"select count(*) from {table}").scalar_one()


def _run(statement: str, **values: Any):
    return db.session.execute(text(statement), values)
