"""What both kinds of files share: limits, what is wrong with a file, the table in it, and how text is cleaned."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice

MOST_BYTES = 32 * 2**20
MOST_COLUMNS = 256
MOST_OF_HEADER = 100

HEADER_WITHIN = 10
"""Rows with values in which the header is looked for: titles and notes may stand above it."""

HIDDEN = re.compile(
    r"_x00[01][0-9A-F]_|[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
"""What no one sees: control characters (Excel writes _x000D_ for one), zero width, direction marks of chat programs."""

WHAT_TO_DO = {
    "damaged": "The workbook is damaged or cut off: open it, save it as .xlsx, and send it again.",
    "empty": "The file is empty: it needs a header, and a row for each record.",
    "encoding": "The text is neither UTF-8 nor GB18030 (byte {at:,}): save it as CSV UTF-8 or as .xlsx.",
    "encrypted": "The workbook is protected by a password: take it off, save it, and send it again.",
    "not_a_table": "This is not a CSV file or an .xlsx workbook: open it, save it as .xlsx, and send that.",
    "nul": "There is a NUL byte in this line, so this is not a text: save it as CSV UTF-8 or as .xlsx.",
    "old_workbook": "This is an old workbook (.xls): open it, save it as .xlsx, and send that.",
    "quotes": "A quotation mark is not closed, or text follows it: correct it, or save the file as .xlsx.",
    "too_large": "The file is too large: split it, leave out pictures, and delete empty cells that are formatted.",
    "too_many_rows": "The file has more than {most_rows:,} rows: split it.",
    "too_wide": "Something stands right of column 256: delete it, and save the file again.",
}


class SheetFault(Exception):
    """A file that cannot be read at all: where, what is wrong with it, and what to do next."""

    def __init__(self, row: int | None, column: str | None, detail: str, code: str) -> None:
        super().__init__(detail)
        self.row, self.column, self.detail, self.code = row, column, detail, code


def fault(code: str, row: int | None = None, **values: int) -> SheetFault:
    """The fault of a code; `values` are put into its text."""
    return SheetFault(row, None, WHAT_TO_DO[code].format(**values), code)


@dataclass(frozen=True)
class Flaw:
    """A cell whose text cannot be trusted. `row` as the user sees it, `column` from 0."""

    row: int
    column: int
    code: str
    detail: str


@dataclass(frozen=True)
class Sheet:
    """A table: each row with its number as the user sees it, and as many cells as the header; empty ones left out."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    header_row: int = 1
    numbers: frozenset[tuple[int, int]] = frozenset()
    """row and column of cells that Excel keeps as numbers"""
    flaws: tuple[Flaw, ...] = ()
    unread: tuple[str, ...] = ()
    """further worksheets with values"""


def header_key(text: str) -> str:
    """What a header is known by: "手机号（必填）*" and "ID number" are "手机号" and "idnumber"."""
    return "".join(filter(str.isalnum, re.sub(r"\(.*?\)", "", clean(text[:MOST_OF_HEADER])))).casefold()


def clean(text: str) -> str:
    """Full width to half (NFKC), without what no one sees, each gap one space."""
    if not text.isascii() or "_x00" in text or not text.isprintable():
        text = HIDDEN.sub("", unicodedata.normalize("NFKC", text))
    return " ".join(text.split())


def arrange(rows: Iterable[tuple[int, list[str]]], wanted: frozenset[str], most_rows: int) -> Sheet:
    """Header and data out of rows of clean text."""
    filled = filter(is_filled, rows)
    top = list(islice(filled, HEADER_WITHIN))
    if not top:
        raise fault("empty")
    start = max(range(len(top)), key=lambda i: (known(top[i][1], wanted), sum(map(bool, top[i][1])) > 1))
    header_row, header = top[start][0], list(top[start][1])
    while not header[-1]:
        header.pop()
    if len(header) > MOST_COLUMNS:
        raise fault("too_wide", header_row)
    sheet = Sheet(header, [], header_row)
    flaws: list[Flaw] = []
    for number, cells in (*top[start + 1 :], *islice(filled, max(0, most_rows + 1))):
        extra = next((i for i in range(len(header), len(cells)) if cells[i]), None)
        if extra is not None:
            flaws.append(Flaw(number, extra, "too_many_cells", "stands right of the last header"))
        sheet.rows.append((number, (cells + [""] * len(header))[: len(header)]))
    if len(sheet.rows) > most_rows:
        raise fault("too_many_rows", most_rows=most_rows)
    return replace(sheet, flaws=tuple(flaws))


def is_filled(row: tuple[int, list[str]]) -> bool:
    """Whether more stands in a row than what separates cells, whichever of the DELIMITERS does."""
    return any(cell[:MOST_OF_HEADER].strip(",;") for cell in row[1])


def known(cells: list[str], wanted: frozenset[str]) -> int:
    """How many of the wanted names stand in a row."""
    return len(wanted.intersection(map(header_key, cells))) if wanted else 0
