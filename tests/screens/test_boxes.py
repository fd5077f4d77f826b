"""Boxes of generated forms: one that is not ticked is an answer, and is saved as a ticked one is."""

from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form

from tests.screens.test_forms import fields_of
from tests.screens.test_lists import everything as everything

EXPECTED = {"ab_user.active", "calendar_day.working", "code.national", "college.active", "major.active",
            "task_rule.active", "task_rule.students"}  # fmt: skip


def boxes_of(form: type[Form]) -> list[str]:
    return [name for name, made in vars(form).items() if getattr(made, "field_class", None) is BooleanField]


def forms_with_boxes(app, kind: str) -> list[tuple[Any, list[str]]]:
    """(screen, its boxes) of every generated form of this kind, add or edit, that has any."""
    screens = [view for view in app.appbuilder.baseviews if f"can_{kind}" in getattr(view, "base_permissions", None)]
    made = [(view, boxes_of(form)) for view in screens if (form := getattr(view, f"{kind}_form", None))]
    return [(view, boxes) for view, boxes in made if boxes]


def test_each_box_is_saved_ticked_and_not_ticked(app, cast, everything, behind):
    admin = cast.login("admin")
    behind.run("insert into calendar_day (day, working, name) values ('2027-05-01', false, '劳动节')")
    lacking = {"last_name": "名", "roles": [behind.one("select id from ab_role where name = 'college_clerk'")]}
    seen = set()
    for view, boxes in forms_with_boxes(app, "edit"):
        table, pk = view.datamodel.obj.__tablename__, view.datamodel.get_pk_name()
        key = behind.one(f"select max({pk}) from {table}")
        path, person = f"{view.route_base}/edit/{key}", admin if table == "ab_user" else everything
        for box in boxes:
            form = fields_of(person.get(path).text) | (lacking if person is admin else {})
            form.pop(box, None)
            for sent, wanted in ((form, False), (form | {box: "y"}, True), (form, False)):
                sent = sent | {"_seen": fields_of(person.get(path).text)["_seen"]}
                answer = person.post(path, data=sent)
                assert answer.status_code == 302, (path, box, wanted)
                assert behind.one(f"select {box} from {table} where {pk} = :key", key=key) is wanted, (path, box)
            seen.add(f"{table}.{box}")
    assert seen >= EXPECTED


def test_no_new_row_must_have_its_box_ticked(app):
    asked = set()
    for view, boxes in forms_with_boxes(app, "add"):
        with app.test_request_context(method="POST"):
            form = view.add_form(formdata=MultiDict())
            assert not form.validate()
            assert not set(boxes) & set(form.errors), (type(view).__name__, form.errors)
            assert not any(form[box].flags.required or form[box].data for box in boxes)
        asked |= {f"{view.datamodel.obj.__tablename__}.{box}" for box in boxes}
    assert asked >= EXPECTED
