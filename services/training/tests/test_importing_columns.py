"""Cells of people and organisations, one by one: what is taken, and what is told of a bad one."""

from datetime import date
from typing import get_args

import pytest

from shouwang.contracts.training import people as contract
from shouwang.training.domain.importing import MEMBER_LABELS, MEMBERS, ORGANISATION_LABELS, ORGANISATIONS
from shouwang.training.domain.people import MemberKind
from shouwang.training.domain.sheets import header_key

from .sheets_made import CODE, ID, Columns, Error, Formula, Number, Value, id_number, one, told


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
