"""The database as the migrations build it: what the models say, nothing open that should be closed, no way round."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_appbuilder import Model
from sqlalchemy import CheckConstraint, create_engine, text

import app.models
from app import cluster
from app.access.scope import DATABASE_ROLES
from app.access.startup import PUBLIC, UnsafeDatabase, refuse_unsafe_database, unprotected
from tests.conftest import TEMPLATE

FUNCTIONS = Path(app.models.__file__).parents[1] / "kit" / "workbook" / "functions.sql"
MIGRATIONS = Path(__file__).parent.parent.parent / "migrations"
WEB_ROLES = ("xueji_web", *(role for role in DATABASE_ROLES.values() if role != "none"))
# Tables of rows that belong to a student: they hold her id, and a policy that knows it.
OF_STUDENTS = {name for name, table in Model.metadata.tables.items()
               if "student_id" in table.columns and not table.info.get("view")} - {"identity"}  # fmt: skip


@pytest.fixture
def owner(bed):
    engine = create_engine(bed.cluster.url(cluster.OWNER, TEMPLATE))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.mark.filterwarnings("ignore:Computed default on student")  # its expression is not compared, it says
def test_migrated_schema_equals_the_models(owner):
    ours = {
        "include_object": lambda item, name, kind, *_: (
            not (kind == "table" and (name.startswith("procrastinate_") or item.info.get("view")))
        ),
        "compare_type": True,
        "compare_server_default": True,
    }
    context = MigrationContext.configure(owner, opts=ours)
    assert compare_metadata(context, Model.metadata) == []


def test_the_functions_of_the_workbook_kit_are_those_that_migrations_made(owner):
    here = text("select proname, prosrc from pg_proc where pronamespace = to_regnamespace(:schema)")
    made = {row.proname: row.prosrc for row in owner.execute(here, {"schema": "public"})}
    owner.execute(text("create schema fresh"))
    owner.execute(text("set local search_path to fresh, public"))
    owner.exec_driver_sql(FUNCTIONS.read_text(encoding="utf-8"), execution_options={"no_parameters": True})
    fresh = {row.proname: row.prosrc for row in owner.execute(here, {"schema": "fresh"})}
    assert "sheet_text" in fresh
    assert {name: made[name].split() for name in fresh} == {name: source.split() for name, source in fresh.items()}
    owner.rollback()


def test_checks_of_the_models_are_in_the_database(owner):
    """Alembic compares no CHECK constraints."""
    declared = {
        (name, str(check.name))
        for name, table in Model.metadata.tables.items()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }
    found = owner.execute(text("""
        select conrelid::regclass::text, conname from pg_constraint
        where contype = 'c' and connamespace = 'public'::regnamespace and conrelid <> 0
            and conrelid::regclass::text not like 'procrastinate%'
    """))  # fmt: skip
    assert {tuple(row) for row in found} == declared


def test_there_is_one_head():
    assert len(ScriptDirectory(str(MIGRATIONS)).get_heads()) == 1


def test_migrations_import_no_application_code():
    guilty = [path.name for path in (MIGRATIONS / "versions").glob("*.py") if "from app" in path.read_text()]
    assert guilty == []


def test_every_table_has_a_policy_or_is_listed_public(owner):
    assert unprotected(owner, Model.metadata) == []


def test_nothing_is_listed_public_that_holds_a_students_rows_or_is_no_table():
    assert not PUBLIC & OF_STUDENTS
    assert PUBLIC.issubset(Model.metadata.tables)


@pytest.mark.parametrize("table", sorted(PUBLIC))
def test_public_tables_carry_no_row_security(owner, table):
    """A table is in one place: listed, or under policies."""
    assert (
        owner.scalar(text("select relrowsecurity from pg_class where oid = cast(:t as regclass)"), {"t": table})
        is False
    )


def test_start_is_refused_when_a_table_lies_open(owner):
    owner.execute(text("alter table student disable row level security"))
    with pytest.raises(UnsafeDatabase, match="No row security on student"):
        refuse_unsafe_database(owner, Model.metadata)
    owner.rollback()


def test_start_is_refused_when_the_policies_are_gone(owner):
    for (policy,) in owner.execute(text("select policyname from pg_policies where tablename = 'paper'")).all():
        owner.execute(text(f"drop policy {policy} on paper"))
    with pytest.raises(UnsafeDatabase, match="paper"):
        refuse_unsafe_database(owner, Model.metadata)
    owner.rollback()


@pytest.mark.parametrize("role", WEB_ROLES)
def test_the_web_owns_nothing_and_bypasses_nothing(owner, role):
    mighty = owner.execute(
        text(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles where rolname = :r"
        ),
        {"r": role},
    ).one()
    assert not any(mighty)
    owned = "select relname from pg_class where relowner = cast(cast(:r as text) as regrole)"
    assert list(owner.scalars(text(owned), {"r": role})) == []


@pytest.mark.parametrize("role", WEB_ROLES)
def test_the_web_makes_no_tables_and_empties_none(owner, role):
    assert not owner.scalar(text("select has_schema_privilege(:r, 'public', 'create')"), {"r": role})
    mine = [name for name in Model.metadata.tables
            if owner.scalar(text("select has_table_privilege(:r, :t, 'truncate')"), {"r": role, "t": name})]  # fmt: skip
    assert mine == []


def test_the_trail_is_append_only(owner):
    for table in ("audit_entry", "field_change", "roster_change", "case_event", "print_run", "paper"):
        for role in WEB_ROLES:
            for act in ("update", "delete"):
                may = owner.scalar(text("select has_table_privilege(:r, :t, :a)"), {"r": role, "t": table, "a": act})
                assert not may, f"{role} may {act} {table}"


def test_definer_functions_fix_their_search_path_and_are_not_for_everybody(owner):
    """Whatever runs with the owner's rights says where its names come from; only triggers may be public."""
    loose = owner.scalars(text("""
        select proname from pg_proc where prosecdef and pronamespace = 'public'::regnamespace
            and proname not like 'procrastinate%'
            and (proconfig is null or not exists (select from unnest(proconfig) c where c like 'search_path=%')
                 or (prorettype <> 'trigger'::regtype and has_function_privilege('public', oid, 'execute')))
    """))  # fmt: skip
    assert list(loose) == []


@pytest.mark.parametrize("table", sorted(OF_STUDENTS))
def test_rows_of_students_hang_on_a_composite_key(table):
    """A foreign-key check sees hidden students; (student, college) together cannot name one that moved elsewhere."""
    keys = [key for key in Model.metadata.tables[table].foreign_key_constraints if key.referred_table.name == "student"]
    assert [list(key.column_keys) for key in keys] == [["student_id", "student_college_id"]]
    assert keys[0].onupdate == "CASCADE"


def test_insert_policies_ask_whether_the_student_is_visible(owner):
    """Where a scope may insert a student's row, its policy must not take the writer's word for the college."""
    loose = owner.execute(text("""
        select tablename, policyname from pg_policies where cmd = 'INSERT' and tablename = any(:t)
            and policyname in ('college_insert', 'student_insert', 'freshmen_insert')
            and with_check !~ '(student|paper)'
    """), {"t": sorted(OF_STUDENTS)})  # fmt: skip
    assert [tuple(row) for row in loose] == []
