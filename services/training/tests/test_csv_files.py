"""CSV files of every kind: each is read as what it says, or refused with a sentence that tells what to do."""

import pytest

from shouwang.training.domain.sheets import csv_files, read

from .sheets_made import HEADER, ROW, csv_file, refused


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "，"])
def test_every_encoding_and_delimiter(encoding: str, delimiter: str) -> None:
    content = csv_file([HEADER, ROW], encoding, delimiter)
    if encoding == "utf-16-be":
        content = b"\xfe\xff" + content
    sheet = read(content)
    assert (sheet.header, sheet.rows, sheet.header_row) == (HEADER, [(2, ROW)], 1)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_empty_lines_are_left_out_and_counted(end: str) -> None:
    text = end.join(["姓名,手机", "", "陈某,1", " ,\u3000", "", "李某,2", ""])
    assert read(text.encode()).rows == [(3, ["陈某", "1"]), (6, ["李某", "2"])]


def test_a_quoted_line_break_is_a_space_and_one_row() -> None:
    sheet = read('姓名,单位\r\n陈某,"塘下镇\r\n""陈宅""村, 东"\r\n李某,韩田\r\n'.encode())
    assert sheet.rows == [(2, ["陈某", '塘下镇 "陈宅"村, 东']), (3, ["李某", "韩田"])]


def test_a_short_row_is_filled_up_and_a_long_one_told() -> None:
    sheet = read("姓名,手机,\r\n陈某\r\n李某,1,,\r\n王某,1,多,余\r\n".encode())
    assert sheet.header == HEADER
    assert sheet.rows == [(2, ["陈某", ""]), (3, ["李某", "1"]), (4, ["王某", "1"])]
    assert [(flaw.row, flaw.column, flaw.code) for flaw in sheet.flaws] == [(4, 2, "too_many_cells")]


@pytest.mark.parametrize(
    ("content", "code", "row"),
    [
        (b"", "empty", None),
        (b"\xef\xbb\xbf", "empty", None),
        (b"\r\n , \r\n\r\n", "empty", None),
        (b"name,phone\r\nChen,\x00\r\n", "nul", 2),
        ("姓名,手机\r\n".encode("utf-16-le"), "nul", 2),
        ("name,phone\r\n".encode("utf-16-le"), "nul", 1),
        ("姓名,手机\r\n".encode("utf-16")[:-1], "encoding", None),
        ('姓名,手机\r\n"陈某,1\r\n李某,2\r\n'.encode(), "quotes", 2),
        ('姓名,手机\r\n李某,2\r\n"陈"某,1\r\n'.encode(), "quotes", 3),
        (b'"' + b"x" * 200_000 + b'"', "quotes", 1),
        (",".join("列" * 257).encode(), "too_wide", 1),
        (b"<html><table><tr><td>1</td></tr></table></html>", "not_a_table", None),
        (b'\xef\xbb\xbf\r\n<?xml version="1.0"?><Workbook/>', "not_a_table", None),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "nul", 3),
    ],
)
def test_a_text_that_cannot_be_read(content: bytes, code: str, row: int | None) -> None:
    fault = refused(content)
    assert (fault.code, fault.row, fault.column) == (code, row, None)


def test_the_byte_that_no_encoding_has_is_named() -> None:
    content = "姓名,手机\r\n陈某,".encode() + b"\xff\xff\r\n"
    assert f"byte {content.index(bytes([255])):,}" in refused(content).detail
    late = b"a,b\r\n" * 5000 + b"\xff\r\n"
    assert "byte 25,000" in refused(late).detail


def test_more_rows_than_allowed_are_refused_without_reading_on() -> None:
    assert len(read(b"name\r\n" + b"x\r\n" * 20_000).rows) == 20_000
    assert refused(b"name\r\n" + b"x\r\n" * 20_001).code == "too_many_rows"
    fault = refused(b"name\r\n" + b"x\r\n" * 100_000 + b"\xff\x00 never read")
    assert (fault.code, fault.detail) == ("too_many_rows", "The file has more than 20,000 rows: split it.")
    assert len(read(csv_file([HEADER, ROW, ROW]), 2).rows) == 2
    assert refused(csv_file([HEADER, ROW, ROW]), 1).code == "too_many_rows"


def test_empty_lines_without_end_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "MOST_LINES", 5000)
    assert refused(b"name\r\n" + b";,\r\n" * 5000).code == "too_large"
    assert read(b"name\r\n" + b";,\r\n" * 4998 + b"x").rows == [(5000, ["x"])]
