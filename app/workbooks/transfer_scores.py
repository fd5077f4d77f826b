"""转专业成绩排名表 the ranking sheet of a round of transfers: a score for each application, and one that decides between equals."""

from functools import partial

from flask_babel import lazy_gettext as _
from sqlalchemy import Connection, select

from app.access import Actor, Permission
from app.kit.workbook.declare import Column, Rule, Workbook
from app.kit.workbook.importing import Typed
from app.kit.workbook.imports import Import, register_import
from app.models import RoundState, TransferRound, db
from app.operations.transfers.preparing import MOST_SCORE, set_scores

COLUMNS = [
    Column("student_no", _("Student number"), "code", key=True, aliases=["学号"]),
    Column("name", _("Name"), "name", aliases=["姓名"]),
    Column("score", _("Score"), "number", required=True, minimum=0, maximum=MOST_SCORE, units=["分"],
           aliases=["成绩", "综合成绩", "平均成绩", "总分", "绩点"]),
    Column("second_score", _("Second score"), "number", minimum=0, maximum=MOST_SCORE, units=["分"],
           aliases=["同分比较值", "第二成绩", "高考成绩"]),
]  # fmt: skip
APPLIED = (
    "exists (select from flow_case c join student k on k.id = c.student_id"
    " where k.student_no = {{student_no}} and c.round_id = {round} and c.state = 'open')"
)
SECOND = (
    "(select c.second_score from flow_case c join student k on k.id = c.student_id"
    " where k.student_no = {{student_no}} and c.round_id = {round} and c.state = 'open')"
)
OTHER_NAME = "exists (select from student k where k.student_no = {student_no} and k.name_key <> folded({name}))"


def transfer_scores(actor: Actor, round_id: int) -> Workbook:
    """The sheet as `actor` imports it for one round."""
    return Workbook(
        key="transfer_scores",
        title=_("Ranking sheet"),
        columns=COLUMNS,
        rules=[
            Rule("student_no", "NOT_IN_ROUND", _("has no application under way in this round."),
                 f"not {APPLIED.format(round=int(round_id))}"),
            Rule("name", "OTHER_NAME", _("is not the name of the student with this number."), OTHER_NAME),
        ],
        stored={"second_score": SECOND.format(round=int(round_id))},
        save=partial(save, actor, round_id),
    )  # fmt: skip


def save(actor: Actor, round_id: int, connection: Connection, rows: Typed) -> None:
    set_scores(actor, round_id, rows.table, [column.name for column in rows.columns])


def rounds() -> list[tuple[int, str]]:
    """The rounds that can be ranked, the latest first."""
    running = TransferRound.state.in_((RoundState.OPEN, RoundState.RANKING))
    query = select(TransferRound.id, TransferRound.title).where(running).order_by(TransferRound.id.desc())
    return [(number, title) for number, title in db.session.execute(query)]


transfer_scores_import = register_import(
    Import(
        key="transfer_scores",
        title=_("Ranking sheet"),
        intro=_("One row an application, with the score that it is ranked by. A second score decides between equals; sent"
                " again, it replaces the first."),
        needs=Permission.TRANSFER_RANK,
        columns=COLUMNS,
        workbook=transfer_scores,
        subject=_("Round"),
        subjects=rounds,
        usual=lambda: next((number for number, _title in rounds()), None),
        examples={"student_no": "202401010001", "name": "张三", "score": "86.50", "second_score": "586"},
        kinds={"NOT_IN_ROUND": _("no application in this round"), "OTHER_NAME": _("another name")},
        figures=("rows",),
    )
)  # fmt: skip
