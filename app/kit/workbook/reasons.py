"""Reasons 原因: every sentence a person can read about a file or a cell: what is wrong, where, what to do."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from .declare import Label

# What makes a whole file unreadable.
FILE: dict[str, Label] = {
    "EMPTY_FILE": _("The file is empty. Choose the workbook again; perhaps it was not saved to the end."),
    "TOO_BIG": _("The file has %(megabytes)s MB; at most %(limit)s MB can be taken. Split it into several workbooks."),
    "OLD_FORMAT": _(
        "This is a workbook of the old format .xls, whatever its name says. Open it in Excel or WPS, choose Save as,"
        " and save it as .xlsx."
    ),
    "ENCRYPTED": _(
        "The workbook is protected by a password for opening. Open it, remove the password (File, Info, Protect"
        " Workbook) and save it again."
    ),
    "TEXT_FILE": _(
        "This is a text file (CSV, %(encoding)s), not a workbook; renaming it is not enough. Open it in Excel or WPS,"
        " see that long numbers are whole, and choose Save as .xlsx."
    ),
    "WEB_PAGE": _(
        "This is a web page or XML that only bears the name of a workbook, as some systems export it. Open it in Excel"
        " or WPS and choose Save as .xlsx."
    ),
    "OTHER_FORMAT": _("This is a file of the kind %(kind)s, not an .xlsx workbook. Open it and choose Save as .xlsx."),
    "NOT_A_WORKBOOK": _(
        "This file is not an .xlsx workbook. Choose the workbook, or save it from Excel or WPS as .xlsx."
    ),
    "DAMAGED": _("The workbook is damaged (%(part)s) and cannot be read. Open it in Excel or WPS and save it again."),
    "MACRO": _("The workbook carries macros (%(part)s). Save it as .xlsx without macros and choose it again."),
    "ACTIVE_CONTENT": _(
        "The workbook carries embedded objects or controls (%(part)s). Copy the rows into a new workbook as values."
    ),
    "EXTERNAL_LINKS": _(
        "The workbook is linked to other files or data sources (%(part)s). Break the links (Data, Edit Links), or copy"
        " the rows into a new workbook as values."
    ),
    "FORBIDDEN_XML": _(
        "The workbook contains XML that no spreadsheet program writes (%(part)s) and is refused for safety. Copy the"
        " rows into a new workbook."
    ),
    "TOO_MANY_PARTS": _(
        "The workbook consists of %(count)s parts; at most %(limit)s can be taken. Copy the rows into a new workbook."
    ),
    "TOO_BIG_INSIDE": _(
        "Unpacked, the workbook holds more than %(limit)s MB. Often formatted but empty rows or columns are the cause:"
        " copy only the filled rows into a new workbook."
    ),
    "BOMB": _(
        "A part of the workbook (%(part)s) unpacks to more than %(limit)s times its size; such a file is refused for"
        " safety. Copy only the filled rows into a new workbook."
    ),
    "TOO_MANY_ROWS": _(
        "Sheet “%(sheet)s” has a value in row %(row)s; at most %(limit)s rows can be taken. Delete stray cells far"
        " below the rows, or split the workbook."
    ),
    "TOO_MANY_COLUMNS": _(
        "Sheet “%(sheet)s” has a value in cell %(cell)s, beyond the last column that can be taken (%(limit)s). Delete"
        " the columns to the right of the rows."
    ),
    "NO_SHEET": _("The workbook has no visible sheet with cells. Put the rows on a visible sheet."),
    "NO_HEADER": _(
        "None of the first %(rows)s rows of sheet “%(sheet)s” is a header that fits. A header row with these columns is"
        " expected: %(columns)s."
    ),
    "MISSING_COLUMNS": _(
        "Sheet “%(sheet)s”: the header in row %(row)s lacks these required columns: %(columns)s. Add them, or take the"
        " template."
    ),
    "TWICE_IN_HEADER": _(
        "Sheet “%(sheet)s”: in the header in row %(row)s several columns mean the same (%(columns)s): %(headers)s. Keep"
        " one of them."
    ),
    "NOT_PERMITTED": _("Your role may not write the required columns %(columns)s. Ask somebody whose role may."),
    "NO_ROWS": _("Sheet “%(sheet)s” has a header in row %(row)s but no rows below it. Fill in the rows."),
    "TOO_MUCH_MEMORY": _(
        "Reading the workbook takes more memory than is allowed. Copy only the filled rows into a new workbook, or"
        " split it."
    ),
    "TOO_SLOW": _("Reading the workbook took more than %(seconds)s seconds and was stopped. Split the workbook."),
}

# What is wrong with a cell; %(label)s is its column.
CELL: dict[str, Label] = {
    "REQUIRED": _("%(label)s: must be filled in."),
    "INTEGER": _("%(label)s: must be a whole number."),
    "NUMBER": _("%(label)s: must be a number."),
    "DATE": _("%(label)s: is not a clear date. Write it as 2026-09-01."),
    "DATETIME": _("%(label)s: is not a clear date and time. Write it as 2026-09-01 08:30."),
    "BOOLEAN": _("%(label)s: write 是 or 否 (yes or no)."),
    "FORMULA": _(
        "%(label)s: holds a formula, whose value is whatever was last calculated. Copy the column and paste it as values."
    ),
    "ERROR_CELL": _("%(label)s: shows an error of Excel's. Enter the value, or empty the cell."),
    "UNKNOWN_CHARACTER": _(
        "%(label)s: the character %(detail)s is known to the program alone that the text was made with, or is broken. Enter"
        " the character of Unicode in its place, or another spelling."
    ),
    "NUMBER_LOST_DIGITS": _(
        "%(label)s: the number is too long for a number cell and has lost digits. Format the column as text and enter"
        " it again."
    ),
    "DATE_NOT_CODE": _("%(label)s: Excel has turned this into a date. Format the column as text and enter it again."),
    "TOO_LONG": _("%(label)s: at most %(limit)s characters."),
    "PATTERN": _("%(label)s: %(hint)s"),
    "CHOICE": _("%(label)s: must be one of %(choices)s."),
    "TOO_SMALL": _("%(label)s: must not be below %(minimum)s."),
    "TOO_LARGE": _("%(label)s: must not be above %(maximum)s."),
    "OVERFLOW": _("%(label)s: is larger than this field can hold. Check the digits."),
    "NOT_FOUND": _("%(label)s: is not known here. Check the spelling, or have it added first."),
    "NOT_AMONG": _("%(label)s: is not known here. Write one of these: %(detail)s."),
    "AMBIGUOUS": _("%(label)s: more than one bears this name. Write the code."),
    "DUPLICATE": _("%(label)s: stands more than once in this file, in rows %(detail)s. Keep one."),
    "TAKEN": _("%(label)s: belongs to another record already. Check the number."),
    "ID_NUMBER": _("%(label)s: is no valid ID number (18 characters, check character). Compare it with the card."),
    "ID_BIRTH_DATE": _("%(label)s: its digits 7 to 14 disagree with the birth date. Correct one of them."),
    "ID_SEX": _("%(label)s: its digit 17 (odd male, even female) disagrees with the sex. Correct one of them."),
}

# Why nothing was saved although the file could be read.
SAVE: dict[str, Label] = {
    "HAS_ERRORS": _("%(count)s rows have errors, so nothing was saved. Correct them and import the workbook again."),
    "OUT_OF_SCOPE": _(
        "At least one row belongs to records that you may not write, so nothing was saved. Import only the rows of your"
        " own scope."
    ),
    "TAKEN": _(
        "A number in the workbook belongs to a record outside your scope, or was given away just now (%(rule)s), so"
        " nothing was saved. Check the numbers and import the workbook again."
    ),
    "NOT_WRITTEN": _(
        "At least one record may not be changed by you, or was changed just now, so nothing was saved. Import the"
        " workbook again; if it is refused again, take out the rows outside your scope."
    ),
    "CHANGED_MEANWHILE": _(
        "While this workbook was imported, somebody wrote the same records, so nothing was saved. Import it again."
    ),
    "CONSTRAINT": _("The database's rule %(rule)s refuses a row, so nothing was saved. Tell the registry this rule."),
}

WARNINGS: dict[str, Label] = {
    "UNKNOWN_COLUMNS": _("These columns are not part of this import and were not read: %(columns)s."),
    "NOT_PERMITTED": _("Your role may not write these columns; they were not read: %(columns)s."),
    "TWO_ROWS": _("The header was read from rows %(first)s and %(last)s together."),
    "EMPTIED": _("These words count as empty, with the number of their cells: %(columns)s."),
    "FILLED": _("The value of a merged cell counts for each of its rows. Cells filled so: %(columns)s."),
    "PERCENTS": _("Cells shown as a percentage were read as the number before the sign: %(columns)s."),
    "HIDDEN_ROWS": _(
        "Rows that are hidden in the workbook, by a filter or by hand, count like all others: %(count)s, the first is"
        " row %(first)s. Delete them from the workbook if they are not meant."
    ),
    "HIDDEN_COLUMNS": _(
        "Columns that are hidden in the workbook were read like all others: %(columns)s. Delete them from the workbook if"
        " they are not meant."
    ),
    "UNHEADED": _("These columns have content but no header, and were not read: %(columns)s."),
    "HIDDEN_SHEETS": _("Hidden sheets were not read: %(sheets)s."),
    "OTHER_SHEETS": _("Only sheet “%(sheet)s” was read. Not read: %(others)s."),
}

SENTENCES = {"file": FILE, "cell": CELL, "save": SAVE, "warning": WARNINGS}


def sentence(kind: str, code: str, params: Mapping[str, Any]) -> str:
    """The sentence in the language of the reader, now; so store code and params, not the sentence."""
    return str(SENTENCES[kind][code]) % {name: str(value) for name, value in params.items()}


class Refusal(Exception):
    """`message` says in the reader's language what is wrong, where, and what to do."""

    kind = ""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code, self.params = code, params

    @property
    def message(self) -> str:
        return sentence(self.kind, self.code, self.params)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Unreadable(Refusal):
    """A file that cannot be taken."""

    kind = "file"


class SaveRefused(Refusal):
    """Rows that were not saved, none of them."""

    kind = "save"
