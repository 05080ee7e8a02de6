"""What may stand in a cell, and in the files of members and organisations."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import TypeVar

from shouwang.training.domain.identity import credit_code_fault, id_number_fault, phone_fault
from shouwang.training.domain.importing.checking import BadCell, Cell, Column
from shouwang.training.domain.people import GUARDS, MemberKind
from shouwang.training.domain.sheets import NUMBER, header_key

TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?", re.ASCII)
SHORT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
SCIENTIFIC = re.compile(r"\d(\.\d+)?[Ee]\+?\d+", re.ASCII)
LANDLINE = re.compile(r"0\d{9,11}", re.ASCII)

K = TypeVar("K", bound=str)


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
