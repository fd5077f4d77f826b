"""Template 模板: an empty workbook with the columns of an import, whose cells offer the values that are accepted."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa
from xlsxwriter.utility import xl_col_to_name

from .declare import Column, Workbook
from .export import add_sheet, new_book, new_file, number_format
from .read import ACCEPTED_VALUES
from .rules import names, run

ROWS_OFFERED = 10_000  # below the header


def accepted_values(connection: sa.Connection, columns: Sequence[Column]) -> dict[str, list[str]]:
    """The values to choose from, of the columns that take only some."""
    found = {column.name: [*column.choices] for column in columns if column.choices}
    found |= {column.name: [row.key for row in run(connection, names(column))] for column in columns if column.lookup}
    return {name: values for name, values in found.items() if values}


def write_template(
    target: Path, workbook: Workbook, columns: Sequence[Column], choices: Mapping[str, Sequence[str]]
) -> None:
    """Write one .xlsx without rows. The lists stand on a sheet that is hidden; other words for the same stay possible."""
    title = str(workbook.title)
    with new_file(target) as (part, folder), new_book(part, folder, title) as book:
        looks = [book.add_format({"num_format": number_format(column.kind), "valign": "top"}) for column in columns]
        sheet = add_sheet(book, title, 1, columns, looks)
        listed = str(ACCEPTED_VALUES)
        for place, (name, values) in enumerate(choices.items()):
            index = next(index for index, column in enumerate(columns) if column.name == name)
            letter = xl_col_to_name(place, col_abs=True)
            rule = {
                "validate": "list",
                "source": f"='{listed}'!{letter}$1:{letter}${len(values)}",
                "error_type": "warning",
            }
            sheet.data_validation(1, index, ROWS_OFFERED, index, rule)
        lists = book.add_worksheet(listed)
        for row, values in enumerate(itertools.zip_longest(*choices.values())):
            for place, value in enumerate(values):
                if value is not None:
                    lists.write_string(row, place, value)
        lists.hide()
