"""Row after row: which column is which, what is wrong, and the records if nothing is."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from shouwang.training.domain.sheets import Flaw, Sheet, header_key

MOST_FAULTS = 1_000
"""In a report, and a tenth of it of notes: it must fit into a message of 1 MB."""

MOST_OF_NAME = 40
MOST_OF_CELL = 200
"""Longer than any value: a workbook can name one text of 30 MB in each of its cells."""

LONG_DIGITS = re.compile(r"\d([ -]?[\dXx]){5,}")


class BadCell(Exception):
    """A cell that cannot be taken: a code for the interface, and a sentence without what stands there."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Cell:
    """Text that is not empty, whether Excel keeps it as a number, and the day on which it is read."""

    text: str
    is_number: bool
    today: date


Values = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A field, and what may stand in its column."""

    field: str
    headers: tuple[str, ...]
    """its names, beside that of the field; users are told the first"""
    parse: Callable[[Cell], Any]
    """raises BadCell"""
    required: bool = False
    unique: bool = False
    needed: tuple[Callable[[Values], bool], str] | None = None
    """of which records, by their other values, and what they are told"""


@dataclass(frozen=True)
class Record:
    """A row without faults, with the fields that it has."""

    row: int
    values: dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is wrong at a place of the file, as its user sees it: row 1 is the first line, a column has its header."""

    row: int
    column: str | None
    code: str
    detail: str


@dataclass
class Checked:
    """What a sheet holds. `records` is empty while there is a fault, so that nothing can be half imported."""

    rows: int
    records: list[Record] = field(default_factory=list)
    good_rows: int = 0
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)
    """the first MOST_FAULTS of them, by row"""
    notes: list[Fault] = field(default_factory=list)
    """what is left out, and may be meant so: columns with unknown headers, further worksheets"""

    def add(self, row: int, column: str | None, code: str, detail: str) -> None:
        """One fault more."""
        self.fault_count += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(row, column, code, detail))

    def note(self, row: int, column: str | None, code: str, detail: str) -> None:
        """One note more."""
        if len(self.notes) < MOST_FAULTS // 10:
            self.notes.append(Fault(row, column, code, detail))


def header_names(columns: Sequence[Column]) -> tuple[str, ...]:
    """Every name that a header of these columns can have."""
    return tuple(name for column in columns for name in (*column.headers, column.field))


def check(sheet: Sheet, columns: Sequence[Column], *, today: date) -> Checked:
    """Every fault of every row; or, if there is none, the records."""
    checked = Checked(len(sheet.rows))
    places = _places(sheet, columns, checked)
    if not places:
        return checked
    flaws: dict[int, list[Flaw]] = defaultdict(list)
    for flaw in sorted(sheet.flaws, key=lambda flaw: (flaw.row, flaw.column)):
        flaws[flaw.row].append(flaw)
    reader = _Reader(sheet, columns, places, today, checked)
    cells = dict(sheet.rows)
    for row in sorted(cells.keys() | flaws.keys()):
        before = checked.fault_count
        for flaw in flaws[row]:
            checked.add(row, _name(sheet, flaw.column), flaw.code, flaw.detail)
        if row in cells:
            record = Record(row, reader.read(row, cells[row], {flaw.column for flaw in flaws[row]}))
            if checked.fault_count == before:
                checked.records.append(record)
    checked.good_rows = len(checked.records)
    if checked.fault_count:
        checked.records.clear()
    return checked


def _places(sheet: Sheet, columns: Sequence[Column], checked: Checked) -> dict[str, int]:
    """Where the column of each field stands. What is wrong with the header is told once, not in each row."""
    fields = {header_key(name): column for column in columns for name in (*column.headers, column.field)}
    row = sheet.header_row
    places: dict[str, int] = {}
    for place, header in enumerate(sheet.header):
        known = fields.get(header_key(header))
        if known is None and (header or any(cells[place] for _, cells in sheet.rows)):
            checked.note(row, _name(sheet, place), "unknown_column", "is left out: its header is not known")
        elif known is not None and known.field in places:
            first = _letters(places[known.field])
            checked.add(row, _name(sheet, place), "duplicate_column", f"means the same as column {first}: delete one")
        elif known is not None:
            places[known.field] = place
    missing = [column for column in columns if column.required and column.field not in places]
    if not places:
        checked.notes.clear()
        names = "、".join(column.headers[0] for column in missing)
        checked.add(row, None, "no_header", f"no row names the columns: put one above the data, with {names}")
        return places
    for column in missing:
        checked.add(row, column.headers[0], "missing_column", "there is no such column")
    if not sheet.rows:
        checked.add(row, None, "no_rows", "nothing stands under the header")
    for name in sheet.unread:
        checked.note(
            row, None, "unread_sheet", f"the worksheet {_masked(name)} is left out: send it as a file of its own"
        )
    return places


def _name(sheet: Sheet, place: int) -> str:
    header = sheet.header[place] if place < len(sheet.header) else ""
    return _masked(header) or _letters(place)


def _masked(name: str) -> str:
    """Without numbers of people: in a file without a header a record is taken for it."""
    return LONG_DIGITS.sub("…", name[: 2 * MOST_OF_NAME])[:MOST_OF_NAME]


def _letters(place: int) -> str:
    """The name of a column that counts from 0: A, B … Z, AA …"""
    return (_letters(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


class _Reader:
    """Reads row after row, and remembers what must not stand twice."""

    def __init__(
        self, sheet: Sheet, columns: Sequence[Column], places: Mapping[str, int], today: date, checked: Checked
    ) -> None:
        self.sheet, self.places, self.today, self.checked = sheet, places, today, checked
        self.columns = columns
        self.seen: dict[tuple[str, Any], int] = {}

    def read(self, row: int, cells: list[str], flawed: set[int]) -> dict[str, Any]:
        """The values of a row; what is wrong is added to the report, each cell once."""
        values: dict[str, Any] = {}
        broken: set[str] = set()
        for column in self.columns:
            place = self.places.get(column.field)
            if place is None:
                continue
            if place in flawed or not self._take(column, row, place, cells[place], values):
                broken.add(column.field)
        for column in self.columns:
            if column.field in values:
                first = self.seen.setdefault((column.field, values[column.field]), row) if column.unique else row
                if first != row:
                    self._add(row, column, "duplicate", f"stands in row {first} too")
            elif column.needed is not None and column.field not in broken and column.needed[0](values):
                self._add(row, column, "missing", column.needed[1])
        return values

    def _take(self, column: Column, row: int, place: int, text: str, values: dict[str, Any]) -> bool:
        """Put the value of a cell to the others; False if it cannot be taken."""
        if not text:
            if column.required:
                self._add(row, column, "missing", "must be filled in")
            return not column.required
        try:
            if len(text) > MOST_OF_CELL:
                raise BadCell("too_long", f"is longer than {MOST_OF_CELL} characters")
            values[column.field] = column.parse(Cell(text, (row, place) in self.sheet.numbers, self.today))
        except BadCell as bad:
            self._add(row, column, bad.code, bad.detail)
            return False
        return True

    def _add(self, row: int, column: Column, code: str, detail: str) -> None:
        place = self.places.get(column.field)
        self.checked.add(row, column.headers[0] if place is None else _name(self.sheet, place), code, detail)
