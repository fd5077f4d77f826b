"""Moments: on every page and in every workbook by the clock in China, in workbooks as moments and not as text."""

import datetime as dt
import io
import re

from openpyxl import load_workbook

from app.kit import clock
from app.kit.screen.exporting import ExportsLists
from app.kit.screen.listed import list_workbook


def about_now(moment: dt.datetime) -> bool:
    return abs(moment.replace(tzinfo=clock.ZONE) - dt.datetime.now(clock.ZONE)) < dt.timedelta(hours=1)


def test_an_account_tells_its_times_by_the_clock_in_china(cast, behind):
    """They are written by the clock of the machine, which is that of UTC here."""
    admin = cast.login("admin")
    behind.run("update ab_user set created_on = now() at time zone 'UTC',"
               " last_login = null, changed_on = null where username = 'clerk'")  # fmt: skip
    number = behind.one("select id from ab_user where username = 'clerk'")
    page = admin.get(f"/users/show/{number}").text
    said = re.findall(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", page)
    assert said and all(
        about_now(dt.datetime(*map(int, re.findall(r"\d+", one)), tzinfo=clock.ZONE)) for one in said
    ), said


def test_times_are_times_in_workbooks(app, cast):
    lists = [view for view in app.appbuilder.baseviews if isinstance(view, ExportsLists)]
    kinds = {
        (type(view).__name__, column.name): column.kind
        for view in lists
        for column in list_workbook(view).columns
        if view.datamodel.is_datetime(column.name)
    }
    assert len(kinds) > 5 and set(kinds.values()) == {"datetime"}, kinds
    client = cast.login("auditor")
    for _time in range(2):  # the second has the first one's entry
        answer = client.post("/auditscreen/export/list", data={"columns": ["at"]})
    _header, *rows = load_workbook(io.BytesIO(answer.data)).active.values
    assert rows and all(about_now(row[0]) for row in rows)
