"""Numbers that people and organisations are known by, checked as the numbers themselves allow.

python-stdnum computes the check digits. Its `validate()` is not used: it refuses 330381 with a birth date before 1989,
because the code is younger than the person, though numbers carry the code at issue; and credit codes that begin
with N or Y, as those of village collectives do.
"""

import re
from datetime import date

from stdnum.cn import ric, uscc

ID_NUMBER = re.compile(r"\d{17}[\dX]", re.ASCII)
CREDIT_CODE = re.compile(r"[1-9ANY][0-9A-HJ-NPQRTUWXY]\d{6}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
OLDEST_YEARS = 120
ADULT_YEARS = 18


def id_number_fault(number: str, today: date) -> str | None:
    """What is wrong with a resident identity number (GB 11643, 18 characters, final x as X); None if nothing is."""
    if not ID_NUMBER.fullmatch(number):
        return "must be 17 digits and a check digit (0-9 or X)"
    born = birth_date(number)
    if born is None:
        return "the birth date in it is not a date"
    if born > today or age_on(today, born) > OLDEST_YEARS:
        return f"the birth date in it ({born}) cannot be"
    if ric.calc_check_digit(number) != number[-1]:
        return "the check digit is wrong: a digit is mistyped"
    return None


def birth_date(number: str) -> date | None:
    """The birth date in an identity number of 18 characters."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def age_on(day: date, born: date) -> int:
    """Full years on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def years_before(day: date, years: int) -> date:
    """The same day so many years before; of 29 February the 28th where there is none."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def credit_code_fault(code: str) -> str | None:
    """What is wrong with a unified social credit code (GB 32100-2015); None if nothing is."""
    if not CREDIT_CODE.fullmatch(code):
        return "must be 18 characters without I, O, S, V, Z, beginning with 1-9, A, N or Y"
    if uscc.calc_check_digit(code[:-1]) != code[-1]:
        return "the check character is wrong: a character is mistyped"
    return None


def phone_fault(number: str) -> str | None:
    """What is wrong with a mobile number of the mainland; None if nothing is."""
    return None if MOBILE.fullmatch(number) else "must be a mobile number of 11 digits, such as 13800138000"


def masked_name(name: str) -> str:
    """陈** : the first character only."""
    return name[:1] + "*" * max(1, len(name) - 1)


def masked_phone(number: str) -> str:
    """138****8000"""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 11 else "*" * len(number)


def masked_id_number(number: str) -> str:
    """330381********0010 : the birth date is masked too."""
    return f"{number[:6]}********{number[-4:]}"
