"""Rows of text as records of members and organisations, with everything that is wrong by row and column.

    sheet = sheets.read(content, wanted=header_names(MEMBERS))
    checked = check(sheet, MEMBERS, today=today)

What is wrong never quotes what stands in a cell: reports are passed on, and cells hold names and numbers of people.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from shouwang.training.domain.identity import credit_code_fault, id_number_fault, phone_fault
from shouwang.training.domain.people import GUARDS, MemberKind
from shouwang.training.domain.sheets import NUMBER, Flaw, Sheet, header_key

MOST_FAULTS = 1_000
"""In a report, and a tenth of it of notes: it must fit into a message of 1 MB."""

MOST_OF_NAME = 40
MOST_OF_CELL = 200
"""Longer than any value: a workbook can name one text of 30 MB in each of its cells."""

LONG_DIGITS = re.compile(r"\d([ -]?[\dXx]){5,}")
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?", re.ASCII)
SHORT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
SCIENTIFIC = re.compile(r"\d(\.\d+)?[Ee]\+?\d+", re.ASCII)
LANDLINE = re.compile(r"0\d{9,11}", re.ASCII)

K = TypeVar("K", bound=str)


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


# -- what may stand in a cell ----------------------------------------------------------------------------------------


def _text(most: int) -> Callable[[Cell], str]:
    def parse(cell: Cell) -> str:
        _refuse_formula(cell.text)
        if cell.is_number and abs(float(cell.text)) >= 1e15:
            raise _stored_as_number()
        if len(cell.text) > most:
            raise BadCell("too_long", f"is longer than {most} characters")
        return cell.text

    return parse


def _refuse_formula(text: str) -> None:
    """Whoever opens a list of ours in Excel must not run what others wrote into it (CSV injection)."""
    if text[0] in "=+-@":
        raise BadCell("formula", "begins with = + - or @, as a formula does; leave the cell empty if there is nothing")


def _stored_as_number() -> BadCell:
    return BadCell(
        "stored_as_number",
        "is stored as a number: Excel has lost its last digits; format the column as text and type it again",
    )


def _token(cell: Cell) -> str:
    text = _text(64)(cell)
    if not TOKEN.fullmatch(text):
        raise BadCell("bad_token", "must be letters A-Z and a-z, digits, _ and - only")
    return text


def _code(cell: Cell) -> str:
    """Of 18 characters: more digits than a number of Excel has, and than some programs write into a CSV file."""
    if cell.is_number or SCIENTIFIC.fullmatch(cell.text):
        raise _stored_as_number()
    _refuse_formula(cell.text)
    return cell.text.replace(" ", "").upper()


def _id_number(cell: Cell) -> str:
    number = _code(cell)
    fault = id_number_fault(number if number.isascii() else "", cell.today)
    if fault is not None:
        # The date is half of the number.
        _refuse_code(re.sub(r" \(\d{4}-\d\d-\d\d\)", "", fault), "bad_id_number")
    return number


def _credit_code(cell: Cell) -> str:
    code = _code(cell)
    fault = credit_code_fault(code if code.isascii() else "")
    if fault is not None:
        _refuse_code(fault, "bad_credit_code")
    return code


def _refuse_code(fault: str, code: str) -> None:
    raise BadCell("check_digit" if fault.startswith("the check ") else code, fault)


def _phone(cell: Cell) -> str:
    """Digits only, without +86."""
    if SCIENTIFIC.fullmatch(cell.text):
        raise _stored_as_number()
    number = re.sub(r"(?<=\d)[ -](?=\d)", "", re.sub(r"^(\+|00)86[ -]?", "", cell.text))
    fault = phone_fault(number if number.isascii() else "")
    if fault is not None:
        _refuse_formula(cell.text)
        raise BadCell("bad_phone", fault)
    return number


def _any_phone(cell: Cell) -> str:
    """Of an organisation: a landline will do."""
    number = re.sub(r"(?<=\d)[ -](?=\d)", "", cell.text)
    try:
        return number if LANDLINE.fullmatch(number) else _phone(cell)
    except BadCell as bad:
        hint = ", or a landline with its area code, such as 0577-65881234" if bad.code == "bad_phone" else ""
        raise BadCell(bad.code, bad.detail + hint) from None


def _date(cell: Cell) -> date:
    """2026-11-24, 2026/11/24, 2026.11.24, 2026年11月24日 or 20261124; a time behind it is left out."""
    match = SHORT_DATE.fullmatch(cell.text) or DATE.fullmatch(cell.text)
    try:
        if match is not None and "1900" <= match[1] <= "2100":
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass  # such as 30 February
    if cell.is_number and not match:
        raise BadCell("not_a_date", "is a number: format the column as a date")
    raise BadCell("not_a_date", "is not a date from 1900 to 2100, such as 2026-11-24 or 2026年11月24日")


def _choice(labels: Mapping[K, tuple[str, ...]]) -> Callable[[Cell], K]:
    """One of the keys, told by the key itself or by one of its labels."""
    keys = {header_key(name): key for key, names in labels.items() for name in (str(key), *names)}
    detail = "is not one of " + "、".join(names[0] for names in labels.values())

    def parse(cell: Cell) -> K:
        key = keys.get(header_key(cell.text))
        if key is None:
            raise BadCell("unknown_kind", detail)
        return key

    return parse


def _degrees(most: int) -> Callable[[Cell], float]:
    def parse(cell: Cell) -> float:
        if not NUMBER.fullmatch(cell.text):
            raise BadCell("not_a_number", "must be decimal degrees, such as 27.7785")
        if abs(float(cell.text)) > most:
            raise BadCell("out_of_range", f"must be from -{most} to {most}")
        return float(cell.text)

    return parse


# -- what may stand in a file ----------------------------------------------------------------------------------------

MEMBER_LABELS = {
    MemberKind.MILITIA: ("民兵",),
    MemberKind.TEACHER: ("教师",),
    MemberKind.DOCTOR: ("医生",),
    MemberKind.CIVIL_SERVANT: ("公务员",),
    MemberKind.GUARD: ("保安", "保安员"),
    MemberKind.SCHOOL_GUARD: ("学校保安", "校园保安"),
    MemberKind.SHOP_VOLUNTEER: ("店铺志愿者", "商户志愿者"),
    MemberKind.VILLAGER: ("村民",),
    MemberKind.STUDENT: ("学生",),
    MemberKind.COMMUNITY_OFFICER: ("社区民警",),
    MemberKind.HOMETOWN_OFFICER: ("老乡民警",),
    MemberKind.POLICE_OFFICER: ("民警",),
}
ORGANISATION_LABELS = {
    "guard_company": ("保安公司", "保安服务公司"),
    "self_hiring_unit": ("自行招用单位",),
    "school": ("学校",),
    "shop": ("店铺", "商店"),
    "hotel": ("宾馆", "酒店"),
    "mall": ("商场",),
    "firm": ("企业", "规上企业"),
    "entertainment": ("娱乐场所",),
    "police_post": ("警务站",),
    "government": ("机关",),
    "village": ("村", "村社"),
    "other": ("其他",),
}
BY_GUARDS = (lambda values: values.get("kind") in GUARDS, "must be filled in for guards")

MEMBERS = (
    Column("member", ("编号", "人员编号", "学员编号"), _token, unique=True),
    Column("name", ("姓名",), _text(50), required=True),
    Column("kind", ("类别", "人员类别"), _choice(MEMBER_LABELS), required=True),
    Column("id_number", ("身份证号", "身份证号码", "身份证"), _id_number, unique=True, needed=BY_GUARDS),
    Column("phone", ("手机", "手机号", "手机号码", "电话", "联系电话"), _phone),
    Column("organisation", ("单位", "所属单位", "单位编号", "单位名称"), _text(100)),
    Column("since", ("入队日期",), _date),
    Column("certificate_number", ("证书编号", "保安员证号"), _text(100)),
    Column("certificate_issued", ("发证日期",), _date),
    Column("insured_until", ("保险至",), _date),
)
ORGANISATIONS = (
    Column("organisation", ("编号", "单位编号"), _token, unique=True),
    Column("name", ("名称", "单位名称"), _text(100), required=True, unique=True),
    Column("kind", ("类型", "单位类型"), _choice(ORGANISATION_LABELS), required=True),
    Column("credit_code", ("统一社会信用代码", "信用代码"), _credit_code, unique=True),
    Column("contact_name", ("联系人",), _text(50)),
    Column("contact_phone", ("联系电话", "电话", "手机"), _any_phone),
    Column("lat", ("纬度", "latitude"), _degrees(90), needed=(lambda values: "lon" in values, "must stand with 经度")),
    Column(
        "lon",
        ("经度", "lng", "longitude"),
        _degrees(180),
        needed=(lambda values: "lat" in values, "must stand with 纬度"),
    ),
)
