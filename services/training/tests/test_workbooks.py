"""Workbooks of every kind: each is read as what it says, or refused with a sentence that tells what to do."""

import io
from datetime import date

import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.training.domain.sheets import Sheet, clean, read, workbooks

from .sheets_made import (
    HEADER,
    ROW,
    XLSX,
    Error,
    Formula,
    Number,
    Tab,
    ole_file,
    refused,
    replaced,
    xlsx_file,
    zip_file,
)


@pytest.mark.parametrize("shared", [False, True])
def test_a_workbook_says_the_same_as_its_csv(shared: bool) -> None:
    rows = [["名单", None, None], ["", "姓名", "手机", None], ["", "陈某", "1"], [None], ["", "李某\r\n二", "2"]]
    sheet = read(xlsx_file(Tab(rows, merged=["A1:C1"], shared=shared)), wanted=HEADER)
    assert sheet == read("名单\r\n,姓名,手机,\r\n,陈某,1\r\n\r\n,李某 二,2\r\n".encode(), wanted=HEADER)
    assert sheet == Sheet(["", "姓名", "手机"], [(3, ["", "陈某", "1"]), (5, ["", "李某 二", "2"])], header_row=2)


@pytest.mark.parametrize(
    ("value", "text", "is_number"),
    [
        (13800138000, "13800138000", True),
        (Number("1.3800138E10"), "13800138000", True),
        (Number("3.3038119850101002E+17"), "3.3038119850101005e+17", True),
        (27.7785, "27.7785", True),
        (-1, "-1", True),
        (Number("12", style=4), "12", True),
        (Number("12", style=5), "12", True),
        (Number("0.5", style=6), "0.5", True),
        (Number("1E999"), "inf", True),
        (Number("12abc"), "12abc", False),
        (Number("nan"), "nan", False),
        (date(2026, 11, 24), "2026-11-24", False),
        (Number("46350.75", style=1), "2026-11-24", False),
        (Number("46350", style=2), "2026-11-24", False),
        (Number("46350", style=3), "2026-11-24", False),
        (Number("61", style=1), "1900-03-01", False),
        (Number("60", style=1), "60", True),
        (Number("2958465", style=1), "9999-12-31", False),
        (Number("2958466", style=1), "2958466", True),
        (Number("1E999", style=1), "inf", True),
        (True, "TRUE", False),
        (False, "FALSE", False),
        (Formula("<v>3</v>"), "3", True),
        (Formula("<v>陈某</v>", kind="str"), "陈某", False),
        (Formula("<v></v>", kind="str"), "", False),
        ("１３８ ００１３", "138 0013", False),
        ("ＡＢ\u200bＣ\xa0", "ABC", False),
        ("二_x000D_\n行", "二 行", False),
        ("=1+1", "=1+1", False),
    ],
)
def test_what_a_cell_says(value: object, text: str, is_number: bool) -> None:
    sheet = read(xlsx_file(Tab([["a", "b"], ["x", value]])))  # type: ignore[list-item]
    assert sheet.rows == [(2, ["x", text])]
    assert sheet.numbers == ({(2, 1)} if is_number else set())
    assert sheet.flaws == ()


def test_days_since_1904() -> None:
    content = xlsx_file(Tab([["a", "b"], ["x", Number("44888", style=1)]]), workbook='<workbookPr date1904="1"/>')
    assert read(content).rows == [(2, ["x", "2026-11-24"])]


@pytest.mark.parametrize(
    ("value", "code", "detail"),
    [
        (Error("#REF!"), "error_value", "#REF!"),
        (Error("#N/A"), "error_value", "#N/A"),
        (Error("#GETTING_DATA"), "error_value", "#GETTING_DATA"),
        (Error("陈某"), "error_value", "holds the error of a formula"),
        (Formula("<v>#NAME?</v>", kind="e"), "error_value", "#NAME?"),
        (Formula(""), "no_value", "formula"),
        (Formula("<v/>"), "no_value", "formula"),
        (Formula("", kind="str"), "no_value", "formula"),
    ],
)
def test_cells_without_a_value_that_can_be_trusted(value: object, code: str, detail: str) -> None:
    rows = [["标题", value], ["姓名", "手机"], ["陈某", value], ["李某", "1"]]
    sheet = read(xlsx_file(Tab(rows)), wanted=HEADER)  # type: ignore[arg-type]
    assert [(flaw.row, flaw.column, flaw.code) for flaw in sheet.flaws] == [(3, 1, code)]
    assert detail in sheet.flaws[0].detail


@pytest.mark.parametrize(
    ("merged", "told"),
    [
        ("A1:B1", []),
        ("A2:B2", [(2, 0)]),
        ("A1:A3", [(1, 0)]),
        ("A3:A4", [(3, 0)]),
        ("B3:B4", [(3, 1)]),
        ("A3:B3", [(3, 0)]),
        ("A3", []),
        ("A5:B6", []),
        ("D3:E9", []),
    ],
)
def test_merged_cells_among_the_data_are_told_by_their_range(merged: str, told: list[tuple[int, int]]) -> None:
    rows = [["标题", None], ["姓名", "手机"], ["陈某", "1"], ["李某", "2"]]
    sheet = read(xlsx_file(Tab(rows, merged=[merged])), wanted=HEADER)
    assert [(flaw.row, flaw.column) for flaw in sheet.flaws if flaw.code == "merged"] == told
    assert all(flaw.detail.startswith(f"{merged} is merged") for flaw in sheet.flaws)


def test_the_first_worksheet_in_sight_that_holds_something() -> None:
    content = xlsx_file(
        Tab([["类别"]], name="字典", state="hidden"),
        Tab([], name="空"),
        Tab([HEADER, ROW], name="一"),
        Tab([ROW], name="二"),
    )
    assert read(content) == Sheet(HEADER, [(2, ROW)], unread=("二",))
    assert refused(xlsx_file(Tab([[None, " "]]))).code == "empty"
    assert refused(xlsx_file(Tab([HEADER], state="veryHidden"))).code == "empty"


def test_how_a_name_is_pronounced_is_no_part_of_it() -> None:
    spoken = "<si><r><t>东</t></r><r><t>京</t></r><rPh sb='0' eb='1'><t>トウ</t></rPh></si>"
    cells = "<c r='A1' t='inlineStr'><is><t>城</t><rPh sb='0' eb='1'><t>シロ</t></rPh></is></c><c t='s'><v>0</v></c>"
    content = xlsx_file(
        Tab([]),
        parts={
            "xl/sharedStrings.xml": f"<sst>{spoken}</sst>".encode(),
            "xl/worksheets/sheet1.xml": f"<x:worksheet xmlns:x='y'><row>{cells}</row></x:worksheet>".encode(),
        },
    )
    assert read(content).header == ["城", "东京"]


def test_other_names_for_the_same_parts() -> None:
    absolute = replaced(
        XLSX, "xl/_rels/workbook.xml.rels", lambda text: text.replace(b'"worksheets', b'"/xl/worksheets')
    )
    with_prefix = replaced(
        XLSX, "xl/worksheets/sheet1.xml",
        lambda text: text.replace(b"<", b"<x:").replace(b"<x:/", b"</x:").replace(b"xmlns", b"xmlns:x"),
    )  # fmt: skip
    shouting = XLSX.replace(b"xl/worksheets/sheet1.xml", b"XL/Worksheets/Sheet1.XML")
    assert read(absolute) == read(with_prefix) == read(shouting) == read(XLSX)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (ole_file("EncryptedPackage"), "encrypted"),
        (ole_file("Workbook"), "old_workbook"),
        (XLSX[: len(XLSX) // 2], "damaged"),
        (XLSX[:-1], "damaged"),
        (XLSX[:10], "damaged"),
        (zip_file({}), "not_a_table"),
        (zip_file({"word/document.xml": b"<x/>"}), "not_a_table"),
        (
            zip_file({"content.xml": b"<x/>", "mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}),
            "not_a_table",
        ),
        (
            replaced(XLSX, "_rels/.rels", lambda text: text.replace(b"xl/workbook.xml", b"word/document.xml")),
            "not_a_table",
        ),
        (replaced(XLSX, "xl/workbook.xml", lambda _: b"<workbook>"), "damaged"),
        (replaced(XLSX, "xl/workbook.xml", lambda _: b"<workbook/>"), "empty"),
        (replaced(XLSX, "xl/sharedStrings.xml", lambda _: b"<sst/>"), "damaged"),
        (replaced(XLSX, "xl/worksheets/sheet1.xml", lambda text: text.replace(b'"A1"', b'"1A"')), "damaged"),
        (replaced(XLSX, "xl/worksheets/sheet1.xml", lambda text: text.replace(b'"A1"', b'"XFD1"')), "too_wide"),
        (replaced(XLSX, "xl/worksheets/sheet1.xml", lambda text: b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + text), "damaged"),
    ],
)
def test_a_workbook_that_cannot_be_read(content: bytes, code: str) -> None:
    assert refused(content).code == code


def test_a_value_in_the_last_cell_of_all_takes_no_room() -> None:
    """calamine allots the 17 billion cells between, and ends the process."""
    far = replaced(XLSX, "xl/worksheets/sheet1.xml", lambda text: text.replace(b'"B2"', b'"B1048576"'))
    assert read(far).rows == [(2, ["陈某", ""]), (1_048_576, ["", "13800138000"])]


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = xlsx_file(Tab([HEADER, ROW]), parts={"xl/media/bomb.bin": bytes(101 * 2**20)})
    assert len(bomb) < 200_000
    monkeypatch.setattr(workbooks.Book, "walk", lambda *_: pytest.fail("unpacked"))
    assert refused(bomb).code == "too_large"


def test_a_part_of_too_many_elements_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_ELEMENTS", 20)
    assert refused(xlsx_file(Tab([[None] * 30]))).code == "too_large"


def test_a_tag_without_an_end_is_not_read_again_and_again() -> None:
    assert refused(replaced(XLSX, "xl/styles.xml", lambda _: b"<x y='" + b"[" * 40 * 2**20)).code == "damaged"
    long_text = replaced(XLSX, "xl/sharedStrings.xml", lambda text: text.replace("陈某".encode(), b"x" * 3 * 2**20))
    assert len(read(long_text).rows[0][1][0]) == 3 * 2**20


def test_too_many_rows_of_a_workbook_are_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b"".join(b"<row><c><v>1</v></c></row>" for _ in range(100_000))
    content = xlsx_file(Tab([]), parts={"xl/worksheets/sheet1.xml": b"<worksheet>" + rows + b"<not well-formed"})
    monkeypatch.setattr(workbooks.Book, "strings", lambda _: pytest.fail("unpacked the texts"))
    fault = refused(content)
    assert (fault.code, fault.detail) == ("too_many_rows", "The file has more than 20,000 rows: split it.")


@pytest.mark.parametrize(("data", "code"), [(2, None), (3, "too_many_rows")])
def test_the_limit_of_rows_does_not_count_titles(data: int, code: str | None) -> None:
    content = xlsx_file(Tab([["标题"], HEADER, *[ROW] * data]))
    if code is None:
        assert len(read(content, 2, wanted=HEADER).rows) == data
    else:
        assert refused(content, 2).code == code


CELLS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(lambda text: "x" + clean(text)),
    st.integers(-(10**14), 10**14),
    st.dates(date(1901, 1, 1)),
)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6), st.booleans())
@settings(max_examples=100, deadline=None)
def test_calamine_reads_the_same(rows: list[list[str | int | date]], shared: bool) -> None:
    """A second opinion, on workbooks that do not end it."""
    content = xlsx_file(Tab([["a", "b", "c"], *rows], shared=shared))
    found = python_calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    texts = [[str(int(cell)) if isinstance(cell, float) else clean(str(cell)) for cell in row] for row in found]
    assert texts == [["a", "b", "c"], *(cells for _, cells in read(content).rows)]
