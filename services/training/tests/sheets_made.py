"""Files made in memory, good ones and bad ones, numbers that nobody has, and what is read from them and told."""

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape, quoteattr

import pytest
from stdnum.cn import ric, uscc

from shouwang.training.domain.importing import MEMBERS, Checked, Column, check, header_names
from shouwang.training.domain.sheets import OLE, SheetFault, read

TODAY = date(2026, 11, 24)
MEMBER_HEADER = ("编号", "姓名", "类别", "身份证号", "手机", "单位", "入队日期", "证书编号", "发证日期", "保险至")


def id_number(born: str = "19850101", sequence: str = "000") -> str:
    """Of the synthetic kind: sequence 000 was never issued. A test that needs thousands takes as many birth dates."""
    body = "330381" + born + sequence
    return body + ric.calc_check_digit(f"{body}0")  # it wants the place of the digit filled


def credit_code(body: str = "92330381000000000") -> str:
    """17 characters and their check character."""
    return body + uscc.calc_check_digit(body)


def csv_file(rows: Sequence[Sequence[str]], encoding: str = "utf-8", delimiter: str = ",", end: str = "\r\n") -> bytes:
    """As programs write it."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue().encode(encoding)


@dataclass(frozen=True)
class Formula:
    """A formula with the element that holds its last value: `<v>3</v>`, `<v/>` or nothing."""

    value: str
    kind: str = "n"


@dataclass(frozen=True)
class Error:
    """A cell such as #N/A."""

    text: str


@dataclass(frozen=True)
class Number:
    """A number as it stands in the XML, in one of the STYLES."""

    text: str
    style: int = 0


Value = str | int | float | bool | date | Formula | Error | Number | None
STYLES = (0, 14, 164, 31, 2, 165, 46)
"""General, built-in date, custom date, Chinese date, 0.00, custom that only quotes "day", hours."""

CUSTOM = '<numFmt numFmtId="164" formatCode="[$-804]yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@"/>' + (
    '<numFmt numFmtId="165" formatCode="[Red]0&quot; day&quot;"/>'
)
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@dataclass(frozen=True)
class Tab:
    """A worksheet."""

    rows: Sequence[Sequence[Value]]
    name: str = "名单"
    merged: Sequence[str] = ()
    state: str = "visible"
    shared: bool = False
    """texts in sharedStrings.xml, as Excel has them, and not in the cells"""


def xlsx_file(*tabs: Tab, workbook: str = "", parts: dict[str, bytes] | None = None) -> bytes:
    """The least that a workbook is. `workbook` stands before its sheets; `parts` come in addition, or instead."""
    strings: dict[str, int] = {}
    files = {f"xl/worksheets/sheet{i}.xml": _worksheet(tab, strings) for i, tab in enumerate(tabs, 1)}
    sheets = "".join(
        f'<sheet name={quoteattr(tab.name)} sheetId="{i}" state="{tab.state}" r:id="rId{i}"/>'
        for i, tab in enumerate(tabs, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{i}" Type="{RELATED}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(tabs) + 1)
    ) + "".join(
        f'<Relationship Id="{kind}" Type="{RELATED}/{kind}" Target="{kind}.xml"/>'
        for kind in ("styles", "sharedStrings")
    )
    styles = "".join(f'<xf numFmtId="{number}"/>' for number in STYLES)
    texts = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    files |= {
        "_rels/.rels": f'<Relationships><Relationship Id="r" Type="{RELATED}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATED}">{workbook}<sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATED}">{links}</Relationships>',
        "xl/styles.xml": f'<styleSheet {MAIN}><numFmts count="2">{CUSTOM}</numFmts><cellStyleXfs><xf numFmtId="14"/>'
        f"</cellStyleXfs><cellXfs>{styles}</cellXfs></styleSheet>",
        "xl/sharedStrings.xml": f"<sst {MAIN}>{texts}</sst>",
    }
    return zip_file({name: text.encode() for name, text in files.items()} | (parts or {}))


def zip_file(parts: dict[str, bytes]) -> bytes:
    """An archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return content.getvalue()


def _worksheet(tab: Tab, strings: dict[str, int]) -> str:
    rows = "".join(
        f'<row r="{number}">'
        + "".join(_cell(value, _name(number, i), tab, strings) for i, value in enumerate(row))
        + "</row>"
        for number, row in enumerate(tab.rows, 1)
    )
    merged = "".join(f'<mergeCell ref="{name}"/>' for name in tab.merged)
    return f"<worksheet {MAIN}><sheetData>{rows}</sheetData><mergeCells>{merged}</mergeCells></worksheet>"


def _cell(value: Value, name: str, tab: Tab, strings: dict[str, int]) -> str:
    if value is None:
        return f'<c r="{name}" s="1"/>'
    if isinstance(value, Formula):
        return f'<c r="{name}" t="{value.kind}"><f>A1</f>{value.value}</c>'
    if isinstance(value, str) and tab.shared:
        return f'<c r="{name}" t="s"><v>{strings.setdefault(value, len(strings))}</v></c>'
    if isinstance(value, str):
        return f'<c r="{name}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    kind, style, text = _value(value)
    return f'<c r="{name}" s="{style}" t="{kind}"><v>{text}</v></c>'


def _value(value: bool | float | date | Error | Number) -> tuple[str, int, str]:
    match value:
        case bool():
            return "b", 0, str(int(value))
        case date():
            return "n", 1, str((value - date(1899, 12, 30)).days)
        case Error():
            return "e", 0, value.text
        case Number():
            return "n", value.style, value.text
        case _:
            return "n", 0, str(value)


def _name(row: int, column: int) -> str:
    letters = ""
    while column >= 0:
        letters, column = chr(ord("A") + column % 26) + letters, column // 26 - 1
    return f"{letters}{row}"


def ole_file(stream: str) -> bytes:
    """The container of old workbooks and of encrypted ones, with the name of a stream."""
    return OLE + bytes(504) + stream.encode("utf-16-le") + bytes(512)


def replaced(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one part changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return zip_file(parts | {part: change(parts[part])})


def member_row(number: int, **changed: str) -> list[str]:
    """A trainee without a fault, in the order of MEMBER_HEADER. `changed` by header."""
    born = date.fromordinal(date(1960, 1, 1).toordinal() + number % 16_000)
    row = {
        "编号": f"m{number}", "姓名": f"陈{number}", "类别": ("民兵", "教师", "保安")[number % 3],
        "身份证号": id_number(born.strftime("%Y%m%d"), f"{number // 16_000:03}"), "手机": f"138{number:08}",
        "单位": "塘下民兵连", "入队日期": "2018-07-01", "证书编号": f"Z{number}", "发证日期": "2018/8/24",
        "保险至": "2027年1月1日",
    }  # fmt: skip
    return list((row | changed).values())


HEADER = ["姓名", "手机"]
ROW = ["陈某", "13800138000"]
CSV = csv_file([HEADER, ROW])
XLSX = xlsx_file(Tab([HEADER, ROW], shared=True))
ID = id_number()
CODE = credit_code()
Columns = tuple[Column, ...]


def refused(content: bytes, most_rows: int = 20_000) -> SheetFault:
    with pytest.raises(SheetFault) as caught:
        read(content, most_rows, wanted=HEADER)
    assert str(caught.value) == caught.value.detail
    assert caught.value.detail.endswith(".")
    return caught.value


def checked(content: bytes, columns: Columns = MEMBERS) -> Checked:
    return check(read(content, wanted=header_names(columns)), columns, today=TODAY)


def told(found: Checked) -> list[tuple[int, str | None, str]]:
    assert found.fault_count == len(found.faults)
    assert bool(found.faults) == (not found.records)
    return [(fault.row, fault.column, fault.code) for fault in found.faults]


def one(columns: Columns, **cells: Value) -> Checked:
    """A file of one row that has these cells, and what is required."""
    needed: dict[str, Value] = (
        {"姓名": "陈某", "类别": "民兵"} if columns is MEMBERS else {"名称": "陈宅小店", "类型": "店铺"}
    )
    row = {**needed, **cells}
    return checked(xlsx_file(Tab([list(row), list(row.values())])), columns)
