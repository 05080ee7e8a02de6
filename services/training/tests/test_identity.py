"""Identity numbers (GB 11643), credit codes (GB 32100-2015), phones: what is a number, and what only looks like one."""

import string
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.training.domain.identity import (
    OLDEST_YEARS,
    age_on,
    birth_date,
    credit_code_fault,
    id_number_fault,
    masked_id_number,
    masked_name,
    masked_phone,
    phone_fault,
)

TODAY = date(2026, 11, 24)
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECKS = "10X98765432"
CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015: without I, O, S, V, Z."""
CODE_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)

areas = st.sampled_from(["330381", "330325", "500101", "512301", "513521", "360101", "110000"])
births = st.dates(date(TODAY.year - OLDEST_YEARS, TODAY.month, TODAY.day), TODAY)
sequences = st.integers(0, 999)


def id_number(area: str, born: date, sequence: int = 0) -> str:
    """A number with a right check digit, by the words of the standard: weights, modulus 11, a table."""
    digits = f"{area}{born:%Y%m%d}{sequence:03}"
    return digits + ID_CHECKS[sum(int(d) * w for d, w in zip(digits, ID_WEIGHTS, strict=True)) % 11]


def credit_code(body: str) -> str:
    """A code with a right check character, by the words of the standard: weights, modulus 31."""
    total = sum(CODE_ALPHABET.index(c) * w for c, w in zip(body, CODE_WEIGHTS, strict=True))
    return body + CODE_ALPHABET[(31 - total % 31) % 31]


def in_wide_digits(number: str) -> str:
    """The same digits in another script: 3 for 3."""
    return "".join(chr(ord(c) - ord("0") + ord("\uff10")) if c.isdigit() else c for c in number)


# -- identity numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_the_examples_of_the_standard_are_good(number: str) -> None:
    """GB 11643-1999 prints these two; the second was born in 1880."""
    assert id_number_fault(number, date(1999, 7, 1)) is None


@given(areas, births, sequences)
def test_a_number_with_a_right_check_digit_is_good_whenever_its_holder_was_born(
    area: str, born: date, sequence: int
) -> None:
    """330381 is younger than who was born in 1985; numbers carry the code of their issue."""
    number = id_number(area, born, sequence)
    assert id_number_fault(number, TODAY) is None
    assert birth_date(number) == born


@given(areas, births, sequences, st.integers(0, 17), st.sampled_from("0123456789"))
def test_one_mistyped_digit_is_always_noticed(area: str, born: date, sequence: int, place: int, digit: str) -> None:
    number = id_number(area, born, sequence)
    mistyped = number[:place] + digit + number[place + 1 :]
    assert (id_number_fault(mistyped, TODAY) is None) == (mistyped == number)


@given(areas, births, sequences, st.integers(0, 15))
def test_two_neighbours_that_changed_places_are_always_noticed(
    area: str, born: date, sequence: int, place: int
) -> None:
    number = id_number(area, born, sequence)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert (id_number_fault(swapped, TODAY) is None) == (swapped == number)


def test_the_check_digit_may_be_x() -> None:
    number = next(n for s in range(1000) if (n := id_number("330381", date(1985, 5, 1), s)).endswith("X"))
    assert id_number_fault(number, TODAY) is None
    assert id_number_fault(number.replace("X", "x"), TODAY) is not None  # one number, one way to write it


@pytest.mark.parametrize(
    "number",
    ["", "330381850501001", "33038119850501001", "3303811985050100100", " 33038119850501001", "33038119850501001X\n"],
)
def test_what_has_not_18_characters_is_no_number(number: str) -> None:
    assert "17 digits" in (id_number_fault(number, TODAY) or "")


def test_digits_of_another_script_are_no_digits() -> None:
    """Else one person could be on record twice, with a number that no other system finds."""
    number = id_number("330381", date(1985, 5, 1))
    wide = in_wide_digits(number[:17]) + number[17]
    assert wide != number
    assert id_number_fault(wide, TODAY) is not None


@pytest.mark.parametrize("day", ["20260230", "19850001", "19851301", "19000229", "00000101"])
def test_a_birth_date_is_a_date(day: str) -> None:
    digits = f"330381{day}001"
    number = digits + ID_CHECKS[sum(int(d) * w for d, w in zip(digits, ID_WEIGHTS, strict=True)) % 11]
    assert id_number_fault(number, TODAY) == "the birth date in it is not a date"
    assert birth_date(number) is None


def test_nobody_is_born_tomorrow_or_older_than_anybody_was() -> None:
    oldest = date(TODAY.year - OLDEST_YEARS - 1, TODAY.month, TODAY.day)
    assert id_number_fault(id_number("330381", TODAY), TODAY) is None
    assert "cannot be" in (id_number_fault(id_number("330381", TODAY + timedelta(days=1)), TODAY) or "")
    assert "cannot be" in (id_number_fault(id_number("330381", oldest), TODAY) or "")
    assert id_number_fault(id_number("330381", oldest + timedelta(days=1)), TODAY) is None


@given(st.text(max_size=20))
def test_any_text_is_told_apart_without_failing(text: str) -> None:
    for fault in (id_number_fault(text, TODAY), credit_code_fault(text), phone_fault(text)):
        assert fault is None or (fault and text not in fault) or len(text) < 3  # what was typed is not said again


# -- ages ------------------------------------------------------------------------------------------------------------


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.integers(0, 120))
def test_an_age_counts_birthdays(born: date, years: int) -> None:
    """A leap day's birthday in other years is on 1 March: on 28 February the year is not full."""
    leap = (born.month, born.day) == (2, 29)
    try:
        birthday = born.replace(year=born.year + years)
    except ValueError:
        birthday = date(born.year + years, 3, 1)
    assert age_on(birthday, born) == years
    assert age_on(birthday - timedelta(days=1), born) == years - 1
    assert leap or age_on(birthday + timedelta(days=364), born) == years


# -- credit codes ----------------------------------------------------------------------------------------------------


@given(
    st.sampled_from("123456789ANY"),
    st.sampled_from(CODE_ALPHABET),
    st.from_regex(r"[0-9]{6}", fullmatch=True),
    st.text(CODE_ALPHABET, min_size=9, max_size=9),
)
def test_a_code_with_a_right_check_character_is_good(registrar: str, kind: str, area: str, organisation: str) -> None:
    """Also those that begin with N, as those of village collectives do, and Y."""
    assert credit_code_fault(credit_code(registrar + kind + area + organisation)) is None


@given(st.integers(0, 17), st.sampled_from(CODE_ALPHABET))
def test_one_mistyped_character_is_always_noticed(place: int, character: str) -> None:
    code = credit_code("N2330381MA0000000")
    mistyped = code[:place] + character + code[place + 1 :]
    assert (credit_code_fault(mistyped) is None) == (mistyped == code)


@pytest.mark.parametrize("letter", "IOSVZ")
def test_letters_that_look_like_digits_are_in_no_code(letter: str) -> None:
    assert "without I, O, S, V, Z" in (credit_code_fault("91330381MA" + letter + "0000001") or "")


@pytest.mark.parametrize("code", ["", "91330381MA000000", "B1330381MA00000000", "91330381ma00000000"])
def test_what_is_not_built_as_a_code_is_none(code: str) -> None:
    assert credit_code_fault(code) is not None


def test_digits_of_another_script_are_none_in_a_code() -> None:
    code = credit_code("91330381MA0000000")
    assert credit_code_fault(code[:2] + in_wide_digits(code[2:8]) + code[8:]) is not None


# -- phones ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["13800138000", "19912345678", "14700000000"])
def test_a_mobile_number(number: str) -> None:
    assert phone_fault(number) is None


@pytest.mark.parametrize(
    "number",
    [
        "",
        "12800138000",
        "1380013800",
        "138001380000",
        "+8613800138000",
        "0577-65800000",
        "138 0013 8000",
        "13800138000\n",
    ],
)
def test_what_no_mobile_answers_to(number: str) -> None:
    assert phone_fault(number) is not None


def test_digits_of_another_script_cannot_be_dialled() -> None:
    assert phone_fault("138" + in_wide_digits("00138000")) is not None


# -- masks -----------------------------------------------------------------------------------------------------------


@given(areas, births, sequences)
def test_a_masked_number_hides_the_whole_birth_date(area: str, born: date, sequence: int) -> None:
    number = id_number(area, born, sequence)
    masked = masked_id_number(number)
    assert len(masked) == len(number)
    assert (masked[:6], masked[6:14], masked[14:]) == (number[:6], "********", number[14:])


@given(st.text(string.ascii_letters + "示例甲乙丙·", min_size=1, max_size=10))
def test_a_masked_name_shows_one_character_at_most(name: str) -> None:
    masked = masked_name(name)
    assert masked[0] == name[0]
    assert set(masked[1:]) == {"*"}


def test_phones_show_three_digits_and_four() -> None:
    assert masked_phone("13800138000") == "138****8000"
    assert masked_phone("65800000") == "********"  # too short to show any of it
