"""A round of eight hundred applications over twenty colleges and sixty majors: decided in one act, published, issued, printed."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from app.kit import clock
from app.kit.flow import decide
from app.models import Paper, db
from app.operations.proceedings.meetings import record_meeting
from app.operations.proceedings.publicity import publish
from app.operations.transfers.decision import decide_round, propose
from app.papers import issue_document
from tests.conftest import Cast
from tests.flows.conftest import acting
from tests.flows.many import make_transfers
from tests.flows.test_batch import counted

MANY, FEW, COLLEGES, MAJORS, PLACES = 800, 80, 20, 60, 10
STATEMENTS = 47  # of the decision, whatever the number of applications


class House:
    """The cast with a round of `many` applications in a database of its own."""

    def __init__(self, app: Flask, many: int) -> None:
        self.cast = Cast(app)
        self.owner = create_engine(app.config["XUEJI_OWNER_URL"].replace("postgresql://", "postgresql+psycopg://"))
        with self.owner.begin() as connection:
            make_transfers(connection, many, COLLEGES, MAJORS, places=max(many * PLACES // MANY, 1))

    def one(self, statement: str):
        with self.owner.begin() as connection:
            return connection.scalar(text(statement))

    def meeting(self) -> int:
        said = {"held_on": clock.today(), "participants": "全体", "resolution": "同意", "number": "第1次"}
        number = acting(self.cast.panel, lambda actor: record_meeting(actor, **said).id)
        with self.owner.begin() as connection:
            connection.execute(text("update meeting set minutes_path = 'a.pdf', minutes_name = 'a.pdf'"))
        return number

    def decide(self) -> int:
        """Decide the round; the number of statements it took."""
        meeting = self.meeting()
        shown = acting(self.cast.panel, lambda _actor: propose(1).print)
        with counted() as seen:
            outcomes = acting(self.cast.panel, decide_round, 1, meeting_id=meeting, expected=shown)
        assert all(outcome.done for outcome in outcomes)
        return len(seen)

    def sign_all(self, who: str, college: int, step: str) -> None:
        """Decide whatever waits at the step for this college, as one of its people, in one act."""
        with self.owner.begin() as connection:
            connection.execute(text("update identity set college_id = :c where id = :id"),
                               {"c": college, "id": getattr(self.cast, who).identity_id})  # fmt: skip
        signer = getattr(Cast(self.cast.app), who)  # of this college now
        mine = acting(signer, lambda actor: list(db.session.scalars(text(
            "select case_id from case_step where state = 'open' and key = :k and signing_college_id = :c"),
            {"k": step, "c": actor.scope.college_id})))  # fmt: skip
        assert [str(one.reason) for one in acting(signer, decide, mine, expected_step=step) if not one.done] == []


@pytest.fixture
def house(own_app: Flask):
    made: list[House] = []
    with own_app.app_context():
        yield lambda many: made.append(House(own_app, many)) or made[-1]
        for one in made:
            one.owner.dispose()


def test_statements_do_not_grow_with_the_applications(house, own_app):
    assert house(FEW).decide() == STATEMENTS


def test_a_round_from_the_decision_to_the_notices(house):
    school = house(MANY)
    assert school.decide() == STATEMENTS
    admitted = school.one(
        "select count(*) from flow_case where round_id = 1 and state = 'open' and step_key = 'placing'"
    )
    assert admitted + school.one("select count(*) from flow_case where round_id = 1 and state = 'refused'") == MANY
    assert admitted == COLLEGES * 3 * PLACES  # every place is taken
    assert not school.one("select exists (select from flow_case where step_key = 'placing' and class_group_id is null)")
    # the classes of the new majors grow evenly: two of each, ten places
    assert school.one("select max(n) from (select count(*) n from flow_case where step_key = 'placing'"
                      " group by class_group_id) g") <= PLACES  # fmt: skip
    for college in range(
        500, 500 + COLLEGES
    ):  # every college's clerk, then its leader, agrees to its classes in one act
        school.sign_all("clerk2", college, "placing")
        school.sign_all("leader2", college, "placed")
    waiting = list(acting(school.cast.registry, lambda _me: db.session.scalars(text(
        "select id from flow_case where step_key = 'publicity' order by id"))))  # fmt: skip
    assert len(waiting) == admitted
    closes = acting(
        school.cast.registry, lambda actor: publish(actor, waiting, "转专业公示", "如有异议请反映。").closes_on
    )
    with clock.on(closes + timedelta(days=1)):
        outcomes = acting(school.cast.registry, decide, waiting, expected_step="publicity")
        assert all(outcome.done for outcome in outcomes)
        acting(school.cast.registry, issue_document, waiting, step="document", title="关于学生转专业的决定")
    assert school.one("select count(*) from roster_change where code = '23'") == admitted
    assert school.one("select count(*) from student s join flow_case c on c.student_id = s.id"
                      " where c.state = 'done' and s.major_id = c.major_id and s.class_group_id = c.class_group_id") == admitted  # fmt: skip
    numbers = acting(
        school.cast.registry, lambda _me: list(db.session.scalars(db.select(Paper.number).order_by(Paper.id)))
    )
    assert len(numbers) == len(set(numbers)) == admitted
    browser = school.cast.login("registry")
    document = browser.get("/documents/1/print").text
    assert document.count("学生") >= admitted
    sheets = browser.get("/paperscreen/print/document/1").text  # one run, a page each
    assert sheets.count('class="sheet') == admitted and all(number in sheets for number in numbers)
