"""演示转专业 a round of transfers that is being ranked: applications from several colleges, a tie, two choices unexamined."""

from datetime import date
from pathlib import Path

from sqlalchemy import Connection, Row, text

from app.access import Role
from app.demo.proceedings import SHOWN, Proceedings
from app.flows.major_transfer import major_transfer
from app.models import TransferChoice, TransferQuota, TransferRound

FROM = ("01", "03", "05", "08", "10", "12")  # colleges whose students apply
UNEXAMINED = range(4, 6)
EACH, SKIPPED = 5, 14  # applications of each; students of the first college who have other cases
GOALS = text("""
    select m.id, m.college_id, m.education_level, c.code as college from major m join college c on c.id = m.college_id
    where m.active and c.code = any(:codes) order by c.code, m.code
""")
NOTICE = (
    "一、申请条件：本科一、二年级在读学生，无不及格课程，未受处分。\n"
    "二、每人最多填报两个志愿，由转入学院初审，转专业工作小组按成绩排名、在名额内整批录取。\n"
    "三、录取名单公示五个工作日后发文。"
)


def make_transfers(connection: Connection, today: date, files_root: Path | None = None) -> None:
    """The round, its places and its applications. A university too small for them gets none."""
    made = Proceedings(connection, today, files_root)
    goals = list(connection.execute(GOALS, {"codes": ["02", SHOWN, "09"]}))
    people = [one for code in FROM for one in made.students(code, EACH + SKIPPED)[SKIPPED:]]
    if len(goals) < 3 or len(people) < EACH:
        return
    round_id = made.write(
        TransferRound, title=f"{today.year}年转专业（{today:%m}月）", choices=2, notice=NOTICE, state="ranking"
    )
    for goal in goals:
        made.write(TransferQuota, round_id=round_id, major_id=goal.id, places=2, grade=None,
                   conditions="已修课程平均成绩80分以上")  # fmt: skip
    made.meeting(Role.TRANSFER_PANEL, None, SHOWN, today)  # for whoever decides the round
    for place, student in enumerate(people):
        wishes = [goals[(place + turn) % len(goals)] for turn in (0, 1)]
        wishes = [
            goal for goal in wishes if goal.id != student.major_id and goal.education_level == student.education_level
        ]
        if wishes:
            apply(made, round_id, place, student, wishes)


def apply(made: Proceedings, round_id: int, place: int, student: Row, wishes: list[Row]) -> None:
    """One application at the panel: its choices examined, but for the first two of the college that is shown."""
    majors = [goal.id for goal in wishes]
    case_id = made.case(
        major_transfer, student, "panel", student.college_code, round_id=round_id, first_major_id=majors[0],
        second_major_id=majors[1] if len(majors) > 1 else None, target_college_id=wishes[0].college_id,
        score=95 - place // 2, statement="对该专业有浓厚兴趣，已自学相关课程。",
    )  # fmt: skip
    for turn, goal in enumerate(wishes, 1):
        open_still = goal.college == SHOWN and place in UNEXAMINED
        signer = None if open_still else made.signer(Role.COLLEGE_LEADER, goal.college).id
        made.write(
            TransferChoice, case_id=case_id, **made.of(student) | {"target_college_id": goal.college_id},
            round_id=round_id, place=turn, major_id=goal.id, from_major_id=student.major_id, grade=student.grade,
            subject=f"{student.name} ({student.student_no})", case_state="open", confirmed_by=signer,
            passed=None if open_still else place % 7 != 6, remark="专业基础课程未修" if place % 7 == 6 and not open_still else None,
            examined_by=None if open_still else made.signer(Role.COLLEGE_CLERK, goal.college).id,
        )  # fmt: skip
