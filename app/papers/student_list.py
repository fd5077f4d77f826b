"""学生名单 the list of students that a document or a publicity carries."""

from collections.abc import Iterable

from markupsafe import Markup

from app.kit.paper.wording import as_html

HEAD = ("序号", "学院", "姓名", "学号", "事项")


def student_list(students: Iterable[tuple[str, str, str | None, str]]) -> Markup:
    """A table of (college, name, number, matter), numbered from 1; its head again on every page."""
    head = "".join(f"<th>{name}</th>" for name in HEAD)
    lines = "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in as_html([place, *student]))}</tr>"
        for place, student in enumerate(students, 1)
    )
    table = f'<table class="list"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
    return Markup(table)  # noqa: S704 - every value is escaped
