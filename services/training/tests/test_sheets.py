"""What files of both kinds have in common: where the header is, what text is, and that no file at all breaks it."""

from datetime import date

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shouwang.training.domain import sheets
from shouwang.training.domain.sheets import Sheet, SheetFault, clean, header_key, read

from .sheets_made import CSV, HEADER, ROW, Error, Formula, Tab, csv_file, refused, replaced, xlsx_file


@pytest.mark.parametrize(
    ("above", "row"),
    [
        ("2026年学员名单\r\n", 2),
        ("塘下镇,2026,11,24\r\n\r\n填写说明：姓名,手机必填\r\n", 4),
        ('"标题\r\n两行"\r\n', 2),
        ("一,二,三;四;五;六;七\r\n", 2),
        (",,\r\n" * 30, 31),
    ],
)
def test_the_header_is_found_below_a_title(above: str, row: int) -> None:
    sheet = read((above + "姓 名,手机号（必填）*\r\n陈某,1\r\n").encode(), wanted=["姓名", "手机号"])
    assert (sheet.header_row, sheet.rows) == (row, [(row + 1, ["陈某", "1"])])


def test_without_wanted_names_the_first_row_of_several_cells_is_the_header() -> None:
    assert read("名单\r\n姓名,手机\r\n陈某,1,2\r\n".encode()).header == HEADER
    assert read("姓名\r\n陈某\r\n".encode()).rows == [(2, ["陈某"])]


def test_a_header_alone_has_no_rows() -> None:
    assert read("姓名,手机".encode()) == Sheet(HEADER, [])
    assert read(xlsx_file(Tab([HEADER]))) == Sheet(HEADER, [])


def test_a_file_larger_than_any_list_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_BYTES", len(CSV) - 1)
    assert refused(CSV).code == "too_large"


# -- whatever comes in -----------------------------------------------------------------------------------------------


def survives(content: bytes) -> None:
    """A table or a fault with a sentence; any other exception fails the test."""
    try:
        sheet = read(content, 50, wanted=HEADER)
    except SheetFault:
        return
    flawed = {flaw.row for flaw in sheet.flaws}
    assert all(len(cells) == len(sheet.header) for _, cells in sheet.rows)
    assert all(any(cells) or row in flawed for row, cells in sheet.rows)
    assert [row for row, _ in sheet.rows] == sorted({row for row, _ in sheet.rows})
    assert "".join(sheet.header + [cell for _, cells in sheet.rows for cell in cells]).encode() is not None


RICH = xlsx_file(
    Tab([["名单"], HEADER, ROW, ["李某", 13800138000], [Error("#N/A"), Formula("")], [date(2026, 1, 1), True]],
        merged=["A1:B1", "A3:A4"], shared=True),
    Tab([ROW], name="二"),
)  # fmt: skip


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"PK\x03\x04", sheets.OLE]),
)
@example(b"\x81\x30\x81", b"")
@settings(max_examples=600, deadline=None)
def test_any_bytes_at_all(content: bytes, beginning: bytes) -> None:
    survives(beginning + content)


@given(st.text('ab,;\t，"\r\n\0 =陈', max_size=60), st.sampled_from(["utf-8", "gb18030", "utf-16"]))
@settings(max_examples=600, deadline=None)
def test_any_text_at_all(text: str, encoding: str) -> None:
    survives(text.encode(encoding))


@given(st.sampled_from([RICH, CSV, csv_file([HEADER, ROW], "gb18030"), csv_file([HEADER, ROW], "utf-16")]), st.data())
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_files_cut_off_or_with_bits_turned(content: bytes, data: st.DataObject) -> None:
    damaged = bytearray(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    for at, bit in data.draw(
        st.lists(st.tuples(st.integers(0, max(0, len(damaged) - 1)), st.integers(0, 7)), max_size=8)
    ):
        if damaged:
            damaged[at] ^= 1 << bit
    survives(bytes(damaged))


PARTS = [
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/styles.xml",
    "xl/sharedStrings.xml",
    "xl/worksheets/sheet1.xml",
]
TURNS = [
    b'"',
    b"<",
    b">",
    b"/",
    b"0",
    b"-1",
    b"9999999999",
    b"A1",
    b"<t>x</t>",
    b"<rPh/>",
    b"<rPh></rPh>",
    b"\xff",
    b"",
    b"<c>",
]


@given(
    st.sampled_from(PARTS), st.lists(st.tuples(st.integers(0, 5000), st.sampled_from(TURNS)), min_size=1, max_size=4)
)
@settings(max_examples=1000, deadline=None)
def test_sound_archives_of_unsound_parts(part: str, turns: list[tuple[int, bytes]]) -> None:
    """A turned bit seldom comes past the checksum of the archive; this does."""

    def change(text: bytes) -> bytes:
        for at, turn in turns:
            place = at % (len(text) + 1)
            text = text[:place] + turn + text[place + 1 :]
        return text

    survives(replaced(RICH, part, change))


# -- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  陈 \t 某 ", "陈 某"),
        ("１３８００１３８０００", "13800138000"),
        ("\u202d13800138000\u202c", "13800138000"),
        ("\ufeff陈\u200b某\u2060\xad", "陈某"),
        ("３３０３８１Ｘ", "330381X"),
        ("艾力·买买提", "艾力·买买提"),
        ("\x07陈\x85某", "陈 某"),
        ("＝1+1", "=1+1"),
        ("", ""),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text(max_size=30))
def test_clean_twice_is_clean(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("姓 名*", "姓名"),
        ("手机号（必填）", "手机号"),
        ("ID number", "idnumber"),
        ("id_number", "idnumber"),
        ("(" * 10**6, ""),
    ],
)
def test_header_key(header: str, key: str) -> None:
    assert header_key(header) == key
