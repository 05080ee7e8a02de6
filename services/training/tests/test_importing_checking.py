"""Whole lists of people and organisations: what is taken from them, and what is told of a bad one."""

import json
import re
from dataclasses import asdict
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.training.domain.importing import MEMBERS, MOST_FAULTS, ORGANISATIONS
from shouwang.training.domain.people import MemberKind

from .sheets_made import (
    CODE,
    ID,
    MEMBER_HEADER,
    Columns,
    Error,
    Formula,
    Tab,
    checked,
    credit_code,
    csv_file,
    id_number,
    member_row,
    told,
    xlsx_file,
)

# -- good files ------------------------------------------------------------------------------------------------------

MEMBER_ROWS = [
    ["m-1", "陈某", "保安", ID, "13800138000", "瑞安市保安服务公司", "2018-07-01", "A1", "2018/8/24", "2026年12月1日"],
    ["m_2", "艾力·买买提", "学校保安", id_number("20000229"), "+86 138-0013-8001", "", "", "", "", ""],
    ["", "Li Si", "villager", "", "", "陈宅村", "20180701", "", "", ""],
]
VALUES = [
    {
        "member": "m-1", "name": "陈某", "kind": MemberKind.GUARD, "id_number": ID, "phone": "13800138000",
        "organisation": "瑞安市保安服务公司", "since": date(2018, 7, 1), "certificate_number": "A1",
        "certificate_issued": date(2018, 8, 24), "insured_until": date(2026, 12, 1),
    },
    {
        "member": "m_2", "name": "艾力·买买提", "kind": MemberKind.SCHOOL_GUARD, "id_number": id_number("20000229"),
        "phone": "13800138001",
    },
    {"name": "Li Si", "kind": MemberKind.VILLAGER, "organisation": "陈宅村", "since": date(2018, 7, 1)},
]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        csv_file([MEMBER_HEADER, *MEMBER_ROWS]),
        csv_file([MEMBER_HEADER, *MEMBER_ROWS], "utf-8-sig", ";"),
        csv_file([MEMBER_HEADER, *MEMBER_ROWS], "gb18030", "\t"),
        csv_file([MEMBER_HEADER, *MEMBER_ROWS], "utf-16"),
        xlsx_file(Tab([MEMBER_HEADER, *MEMBER_ROWS])),
        xlsx_file(Tab([MEMBER_HEADER, *MEMBER_ROWS], shared=True)),
    ],
)
def test_members_of_any_file(content: bytes) -> None:
    found = checked(content)
    assert told(found) == []
    assert [record.values for record in found.records] == VALUES
    assert [record.row for record in found.records] == [2, 3, 4]
    assert (found.rows, found.good_rows, found.notes) == (3, 3, [])


def test_organisations() -> None:
    rows = [
        ["编号", "单位名称", "类型", "统一社会信用代码", "联系人", "联系电话", "纬度", "经度"],
        ["s1", "陈宅小店", "店铺", CODE.lower(), "陈某", "13800138000", 27.7785, 120.65],
        ["s2", "陈宅村", "村社", credit_code("N2330381MF0000000"), "", "0577-65881234", -27, "120.65"],
        ["", "韩田村", "village", credit_code("Y2330381MF0000000"), None, None, None, None],
    ]
    found = checked(xlsx_file(Tab(rows)), ORGANISATIONS)
    assert told(found) == []
    assert [record.values for record in found.records] == [
        {
            "organisation": "s1", "name": "陈宅小店", "kind": "shop", "credit_code": CODE, "contact_name": "陈某",
            "contact_phone": "13800138000", "lat": 27.7785, "lon": 120.65,
        },
        {
            "organisation": "s2", "name": "陈宅村", "kind": "village", "credit_code": credit_code("N2330381MF0000000"),
            "contact_phone": "057765881234", "lat": -27.0, "lon": 120.65,
        },
        {"name": "韩田村", "kind": "village", "credit_code": credit_code("Y2330381MF0000000")},
    ]  # fmt: skip


# -- whole files -----------------------------------------------------------------------------------------------------


def test_every_fault_of_every_row_in_its_order() -> None:
    rows = [
        ["2026年学员名单", None, None, None],
        ["姓名", "类别", "手机号", "备注"],
        [None, "厨师", "1", "x"],
        ["陈某", Error("#REF!"), 13800138000, None],
        ["=1", "民兵", Formula("<v/>"), None, "多余"],
        [None, None, Formula("<v/>"), None],
        ["李某", "民兵", None, None],
        ["王某", None, None, None],
    ]
    found = checked(xlsx_file(Tab(rows, merged=["A1:D1", "B7:B8"])))
    assert told(found) == [
        (3, "姓名", "missing"), (3, "类别", "unknown_kind"), (3, "手机号", "bad_phone"),
        (4, "类别", "error_value"),
        (5, "手机号", "no_value"), (5, "E", "too_many_cells"), (5, "姓名", "formula"),
        (6, "手机号", "no_value"),
        (7, "类别", "merged"),
        (8, "类别", "missing"),
    ]  # fmt: skip
    assert [(note.row, note.column, note.code) for note in found.notes] == [(2, "备注", "unknown_column")]
    assert (found.rows, found.good_rows) == (5, 0)


@pytest.mark.parametrize(
    ("columns", "rows", "faults"),
    [
        (MEMBERS, [["编号", "m1"], ["编号", "m1"], ["编号", "m2"]], [(3, "编号", "duplicate", "stands in row 2 too")]),
        (MEMBERS, [["身份证号", ID], ["身份证号", ID.lower()]], [(3, "身份证号", "duplicate", "stands in row 2 too")]),
        (MEMBERS, [["手机", "13800138000"]] * 2, []),
        (ORGANISATIONS, [["编号", "s1"]] * 3, [(row, "编号", "duplicate", "stands in row 2 too") for row in (3, 4)]),
        (ORGANISATIONS, [["信用代码", CODE]] * 2, [(3, "信用代码", "duplicate", "stands in row 2 too")]),
    ],
)
def test_what_stands_twice(columns: Columns, rows: list[list[str]], faults: list[object]) -> None:
    header = ["姓名", "类别"] if columns is MEMBERS else ["名称", "类型"]
    kind = "民兵" if columns is MEMBERS else "店铺"
    found = checked(
        csv_file([[*header, rows[0][0]], *([f"名{i}", kind, row[1]] for i, row in enumerate(rows))]), columns
    )
    assert [(fault.row, fault.column, fault.code, fault.detail) for fault in found.faults] == faults


def test_two_organisations_of_one_name() -> None:
    found = checked(csv_file([["名称", "类型"], ["陈宅", "村"], ["", ""], ["陈宅 ", "店铺"]]), ORGANISATIONS)
    assert told(found) == [(4, "名称", "duplicate")]


@pytest.mark.parametrize(
    ("header", "faults", "notes"),
    [
        (["姓名", "手机"], [(1, "类别", "missing_column")], []),
        (["手机", "序号"], [(1, "姓名", "missing_column"), (1, "类别", "missing_column")], ["序号"]),
        (["姓名", "类别", "电话", "手机"], [(1, "手机", "duplicate_column")], []),
        (["姓名", "类别", "性别", "", "手机"], [], ["性别", "D"]),
        (["NAME", "Kind", "Id Number", "phone", "organisation"], [], []),
    ],
)
def test_headers(header: list[str], faults: list[object], notes: list[str]) -> None:
    sound = dict.fromkeys(["姓名", "NAME"], "陈某") | dict.fromkeys(["类别", "Kind"], "民兵") | {"": "x", "序号": "1"}
    found = checked(csv_file([header, [sound.get(name, "") for name in header]]))
    assert told(found) == faults
    assert [note.column for note in found.notes] == notes


def test_a_file_without_a_header_tells_nothing_of_its_first_record() -> None:
    found = checked(csv_file([["陈某", "民兵", ID, "138 0013 8000"], ["李某", "民兵", "", ""]]))
    assert told(found) == [(1, None, "no_header")]
    found = checked(csv_file([["姓名", "类别", f"陈{ID}", "138 0013 8000 ", "x" * 99], ["李某", "民兵", "", "", ""]]))
    assert [note.column for note in found.notes] == ["陈…", "…", "x" * 40]


def test_a_header_without_rows() -> None:
    assert told(checked(csv_file([["姓名", "类别"]]))) == [(1, None, "no_rows")]


def test_further_worksheets_are_told() -> None:
    tab = Tab([["姓名", "类别"], ["陈某", "民兵"]])
    found = checked(xlsx_file(tab, Tab(tab.rows, name=f"二{ID}")))
    assert [(note.code, note.detail) for note in found.notes] == [
        ("unread_sheet", "the worksheet 二… is left out: send it as a file of its own")
    ]
    assert len(found.records) == 1


def test_a_report_fits_into_a_message() -> None:
    rows = [["=" + "长" * 200] * 12 for _ in range(2000)]
    header = [*MEMBER_HEADER, *("列" * 90 + str(i) for i in range(200))]
    found = checked(csv_file([header, *rows]))
    assert found.fault_count == 2000 * 10
    assert len(found.faults) == MOST_FAULTS
    assert len(json.dumps(asdict(found), default=str)) < 1_000_000


def test_a_list_as_long_as_the_programme() -> None:
    found = checked(csv_file([MEMBER_HEADER, *(member_row(i) for i in range(8000))], "gb18030"))
    assert (found.fault_count, len(found.records)) == (0, 8000)
    rows = [member_row(i, 手机="1") if i == 7000 else member_row(i) for i in range(8000)]
    found = checked(csv_file([MEMBER_HEADER, *rows]))
    assert told(found) == [(7002, "手机", "bad_phone")]
    assert (found.records, found.good_rows) == ([], 7999)


WORDS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["民兵", "保安", "shop", ID, ID[:-1] + "Y", CODE, "13800138000", "2026-11-24", "=1", "1E+17", "27.5"]
    ),
)


@given(st.lists(st.lists(WORDS, min_size=10, max_size=10), max_size=5), st.sampled_from([MEMBERS, ORGANISATIONS]))
@settings(max_examples=300, deadline=None)
def test_no_cell_breaks_a_check_or_is_quoted(rows: list[list[str]], columns: Columns) -> None:
    header = [column.headers[0] for column in columns]
    text = csv_file([header, *(row[: len(header)] for row in rows)]).replace(b"\0", b"")
    found = checked(text, columns)
    assert found.good_rows <= found.rows
    for fault in found.faults:
        assert fault.column in header or fault.code in {"no_rows", "too_many_cells"}
        assert not re.search(r"\d{12}", fault.detail)
