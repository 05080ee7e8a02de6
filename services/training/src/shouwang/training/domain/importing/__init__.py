"""Rows of text as records of members and organisations, with everything that is wrong by row and column.

    sheet = sheets.read(content, wanted=header_names(MEMBERS))
    checked = check(sheet, MEMBERS, today=today)

What is wrong never quotes what stands in a cell: reports are passed on, and cells hold names and numbers of people.
"""

from shouwang.training.domain.importing.checking import (
    MOST_FAULTS,
    BadCell,
    Cell,
    Checked,
    Column,
    Fault,
    Record,
    check,
    header_names,
)
from shouwang.training.domain.importing.columns import MEMBER_LABELS, MEMBERS, ORGANISATION_LABELS, ORGANISATIONS

__all__ = [
    "MEMBERS",
    "MEMBER_LABELS",
    "MOST_FAULTS",
    "ORGANISATIONS",
    "ORGANISATION_LABELS",
    "BadCell",
    "Cell",
    "Checked",
    "Column",
    "Fault",
    "Record",
    "check",
    "header_names",
]
