"""Lists of people and organisations: what is taken from them, and what is told of a bad one."""

import json
import re
from dataclasses import asdict
from datetime import date
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.contracts.training import people as contract
from shouwang.training.domain.importing import (
    MEMBER_LABELS,
    MEMBERS,
    MOST_FAULTS,
    ORGANISATION_LABELS,
    ORGANISATIONS,
    Checked,
    Column,
    check,
    header_names,
)
from shouwang.training.domain.people import MemberKind
from shouwang.training.domain.sheets import header_key, read

from .sheets_made import (
    MEMBER_HEADER,
    TODAY,
    Error,
    Formula,
    Number,
    Tab,
    Value,
    credit_code,
    csv_file,
    id_number,
    member_row,
    xlsx_file,
)

ID = id_number()
CODE = credit_code()
Columns = tuple[Column, ...]


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


def test_the_kinds_are_those_of_the_contract() -> None:
    assert {str(kind) for kind in MEMBER_LABELS} == set(get_args(contract.MemberKind))
    assert set(ORGANISATION_LABELS) == set(get_args(contract.OrganisationKind))


@pytest.mark.parametrize("columns", [MEMBERS, ORGANISATIONS])
def test_no_header_means_two_fields(columns: Columns) -> None:
    keys = [header_key(name) for column in columns for name in {header_key(n) for n in (*column.headers, column.field)}]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("kind", "label"), [(kind, name) for kind, names in MEMBER_LABELS.items() for name in (kind, *names)]
)
def test_every_label_of_a_member(kind: MemberKind, label: str) -> None:
    assert one(MEMBERS, 类别=f" {label}　", 身份证号=ID).records[0].values["kind"] is kind


@pytest.mark.parametrize(
    ("kind", "label"), [(kind, name) for kind, names in ORGANISATION_LABELS.items() for name in (kind, *names)]
)
def test_every_label_of_an_organisation(kind: str, label: str) -> None:
    assert one(ORGANISATIONS, 类型=label.upper()).records[0].values["kind"] == kind


# -- cells -----------------------------------------------------------------------------------------------------------

DAY = date(2026, 11, 24)
LOST = Number("3.30381198501010E+17")


@pytest.mark.parametrize(
    ("header", "cell", "value"),
    [
        ("编号", 17, "17"),
        ("编号", "ａ１", "a1"),
        ("编号", "x" * 64, "x" * 64),
        ("姓名", "陈" * 50, "陈" * 50),
        ("身份证号", f" {ID[:6]} {ID[6:14]} {ID[14:]} ", ID),
        ("身份证号", id_number("19850102").lower(), id_number("19850102")),
        ("手机", 13800138000, "13800138000"),
        ("手机", Number("1.3800138E10"), "13800138000"),
        ("手机", "138 0013 8000", "13800138000"),
        ("手机", "１３８－００１３－８０００", "13800138000"),
        ("手机", "008613800138000", "13800138000"),
        ("手机", "\u202d13800138000\u202c", "13800138000"),
        ("入队日期", DAY, DAY),
        ("入队日期", Number("46350.5", style=3), DAY),
        ("入队日期", 20261124, DAY),
        ("入队日期", "2026-11-24", DAY),
        ("入队日期", "2026/11/24", DAY),
        ("入队日期", "2026.11.24", DAY),
        ("入队日期", "2026年11月24日", DAY),
        ("入队日期", "２０２６年１１月２４日", DAY),
        ("入队日期", "20261124", DAY),
        ("入队日期", "2026-11-24 00:00:00", DAY),
        ("入队日期", "2026-11-24T08:30", DAY),
        ("入队日期", "2026-1-2", date(2026, 1, 2)),
        ("证书编号", 123456789012345, "123456789012345"),
    ],
)
def test_what_is_taken(header: str, cell: Value, value: object) -> None:
    found = one(MEMBERS, **{header: cell})
    assert told(found) == []
    assert value in found.records[0].values.values()


@pytest.mark.parametrize(
    ("header", "cell", "code"),
    [
        ("编号", "a b", "bad_token"),
        ("编号", "甲", "bad_token"),
        ("编号", "x" * 65, "too_long"),
        ("编号", "-a", "formula"),
        ("编号", 1e15, "stored_as_number"),
        ("姓名", "", "missing"),
        ("姓名", None, "missing"),
        ("姓名", "陈" * 51, "too_long"),
        ("姓名", "=1+1", "formula"),
        ("姓名", "+1", "formula"),
        ("姓名", "-1", "formula"),
        ("姓名", "@SUM(A1)", "formula"),
        ("姓名", "＝cmd|' /C calc'!A0", "formula"),
        ("姓名", "\t=1+1", "formula"),
        ("姓名", -5, "formula"),
        ("姓名", Formula(""), "no_value"),
        ("姓名", Error("#N/A"), "error_value"),
        ("类别", "", "missing"),
        ("类别", "厨师", "unknown_kind"),
        ("类别", "保安、教师", "unknown_kind"),
        ("身份证号", "330381850101001", "bad_id_number"),
        ("身份证号", ID[:-1], "bad_id_number"),
        ("身份证号", id_number("19850230"), "bad_id_number"),
        ("身份证号", id_number("20261125"), "bad_id_number"),
        ("身份证号", id_number("18850101"), "bad_id_number"),
        ("身份证号", "٣" * 17 + "X", "bad_id_number"),
        ("身份证号", ID[:-1] + str((int(ID[-1].replace("X", "9")) + 1) % 10), "check_digit"),
        ("身份证号", LOST, "stored_as_number"),
        ("身份证号", int(ID[:15]), "stored_as_number"),
        ("身份证号", "3.30381E+17", "stored_as_number"),
        ("身份证号", "9" * 201, "too_long"),
        ("身份证号", "=" + ID, "formula"),
        ("手机", "1390013900", "bad_phone"),
        ("手机", "0577-65881234", "bad_phone"),
        ("手机", "12800138000", "bad_phone"),
        ("手机", "无", "bad_phone"),
        ("手机", "1٣٨٠٠١٣٨٠٠٠", "bad_phone"),
        ("手机", "1.38E+10", "stored_as_number"),
        ("手机", "=13800138000", "formula"),
        ("手机", "-13800138000", "formula"),
        ("手机", "+1 212 5550100", "formula"),
        ("单位", "店" * 101, "too_long"),
        ("入队日期", "2026-02-30", "not_a_date"),
        ("入队日期", "24.11.2026", "not_a_date"),
        ("入队日期", "25-01-02", "not_a_date"),
        ("入队日期", "2025年10月", "not_a_date"),
        ("入队日期", "0026-11-24", "not_a_date"),
        ("入队日期", "昨天", "not_a_date"),
        ("入队日期", "٢٠٢٦-١١-٢٤", "not_a_date"),
        ("入队日期", 46350, "not_a_date"),
        ("入队日期", 20260230, "not_a_date"),
        ("证书编号", Number("1.234567890123456E15"), "stored_as_number"),
    ],
)
def test_what_is_not_taken(header: str, cell: Value, code: str) -> None:
    found = one(MEMBERS, **{header: cell})
    assert told(found) == [(2, header, code)]
    assert (found.rows, found.good_rows) == (1, 0)
    assert all(text not in found.faults[0].detail for text in [str(cell), ID] if text)


@pytest.mark.parametrize(
    ("header", "cell", "code"),
    [
        ("名称", "", "missing"),
        ("名称", "店" * 101, "too_long"),
        ("类型", "网吧", "unknown_kind"),
        ("统一社会信用代码", CODE[:-1], "bad_credit_code"),
        ("统一社会信用代码", "I" + CODE[1:], "bad_credit_code"),
        ("统一社会信用代码", CODE[:-1] + ("0" if CODE[-1] != "0" else "1"), "check_digit"),
        ("统一社会信用代码", LOST, "stored_as_number"),
        ("联系人", "=A1", "formula"),
        ("联系电话", "65881234", "bad_phone"),
        ("联系电话", "=A1", "formula"),
    ],
)
def test_what_is_not_taken_of_an_organisation(header: str, cell: Value, code: str) -> None:
    assert told(one(ORGANISATIONS, **{header: cell})) == [(2, header, code)]


@pytest.mark.parametrize(
    ("lat", "lon", "faults"),
    [
        ("27.7", "120.6", []),
        ("", "", []),
        ("27.7", "", [(2, "经度", "missing")]),
        ("", "120.6", [(2, "纬度", "missing")]),
        ("120.6", "27.7", [(2, "纬度", "out_of_range")]),
        ("27.7", "180.1", [(2, "经度", "out_of_range")]),
        ("27°46'", "nan", [(2, "纬度", "not_a_number"), (2, "经度", "not_a_number")]),
        (Number("1E999"), "1e999", [(2, "纬度", "not_a_number"), (2, "经度", "out_of_range")]),
    ],
)
def test_where_an_organisation_is(lat: Value, lon: Value, faults: list[object]) -> None:
    assert told(one(ORGANISATIONS, 纬度=lat, 经度=lon)) == faults


@pytest.mark.parametrize("kind", ["保安", "校园保安"])
def test_guards_need_an_identity_number(kind: str) -> None:
    assert told(one(MEMBERS, 类别=kind, 身份证=None)) == [(2, "身份证", "missing")]
    assert told(one(MEMBERS, 类别=kind)) == [(2, "身份证号", "missing")]
    assert told(one(MEMBERS, 类别=kind, 身份证号="1")) == [(2, "身份证号", "bad_id_number")]
    assert told(one(MEMBERS, 类别=kind, 身份证号=Error("#N/A"))) == [(2, "身份证号", "error_value")]


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
