"""A wrong declaration fails as it is made, with a sentence that says how to put it right."""

import babel.messages.mofile
import flask
import pytest
import sqlalchemy as sa
from babel.messages.catalog import Catalog
from flask_babel import Babel, lazy_gettext

from app.kit.workbook.declare import BadDeclaration, Column, Lookup, Rule, Target, Workbook, spellings, visible

metadata = sa.MetaData()
college = sa.Table(
    "college", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text, unique=True)
)
person = sa.Table(
    "person",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("name", sa.Text),
    sa.UniqueConstraint("number"),
)
college_lookup = Lookup(college.c.id, [college.c.name])


def book(*columns: Column, **rest) -> Workbook:
    return Workbook("people", "People", columns, **rest)


@pytest.mark.parametrize(
    ("declare", "sentence"),
    [
        (lambda: Column("Name", "Name"), "small letters"),
        (lambda: Column("name", "Name", "txt"), "no kind 'txt'. Choose one of text, name, code"),
        (lambda: Column("name", "Name", mask=str), "nothing that lifts it"),
        (lambda: Column("name", "Name", minimum=3), "for numbers and dates"),
        (lambda: Column("age", "Age", "integer", max_length=3), "for kinds text and code"),
        (lambda: Column("number", "Number", "code", pattern=r"\d+"), "Say in hint="),
        (lambda: Column("college", "College", lookup=Lookup(college.c.id, [])), "accepts nothing"),
        (lambda: book(), "has no columns"),
        (lambda: book(Column("a", "A"), Column("a", "B")), "column 'a' twice"),
        (lambda: book(Column("a", "A", lookup=Lookup(1, [1], within={"b": 1}))), "looked up within 'b'"),
        (lambda: book(Column("a", "A"), rules=[Rule("b", "R", "wrong", "{a} = 'x'")]), "speaks of 'b'"),
        (lambda: book(Column("a", "A"), rules=[Rule("a", "R", "wrong", "{a} = {c}")]), "speaks of 'c'"),
        (lambda: book(Column("a", "A"), rules=[Rule("a", "R", "wrong", "{a.value} = 1")]), "has no lookup"),
        (lambda: book(Column("name", "Name"), target=Target(person)), "has no key"),
        (lambda: book(Column("number", "Number", key=True), Column("x", "X"), target=Target(person)), "no column 'x'"),
        (lambda: book(Column("name", "Name", key=True), target=Target(person)), "nothing makes name unique"),
    ],
)
def test_a_wrong_declaration_teaches(declare, sentence):
    with pytest.raises(BadDeclaration, match=sentence):
        declare()


def test_a_right_declaration_passes():
    made = book(
        Column("number", "Number", "code", key=True, pattern=r"\d{3}", hint="three digits"),
        Column("full_name", "Name", required=True, max_length=40),
        target=Target(person, columns={"full_name": "name"}),
        rules=[
            Rule("full_name", "SAME", "name and number differ", "{full_name} = {number} and {number} ~ '^[0-9]{3}$'")
        ],
    )
    assert made.rules[0].uses == {"full_name", "number"}
    assert [column.name for column in made.keys] == ["number"]


def test_a_column_without_its_permission_is_masked_or_left_out():
    open_, masked, closed = (
        Column("a", "A"),
        Column("b", "B", needs="b:read", mask=str),
        Column("c", "C", needs="c:read"),
    )
    assert visible([open_, masked, closed], ()) == [open_, masked]
    assert visible([open_, masked, closed], {"c:read"}) == [open_, masked, closed]


def test_a_header_is_known_in_both_languages(tmp_path):
    folder = tmp_path / "zh" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    catalog = Catalog("zh")
    catalog.add("Student number", "学号")
    with (folder / "messages.mo").open("wb") as file:
        babel.messages.mofile.write_mo(file, catalog)
    app = flask.Flask("labels")
    Babel(app, default_translation_directories=str(tmp_path), default_locale="en")
    with app.app_context():
        assert spellings(lazy_gettext("Student number")) == {"Student number", "学号"}
    assert spellings("学号") == {"学号"}
