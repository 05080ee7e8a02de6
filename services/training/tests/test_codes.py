"""Codes that strangers are shown: only we can make them, each for one purpose and, in a classroom, for one minute."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shouwang.training.domain.codes import check_in, read, read_check_in, sign

KEY, OTHER_KEY = "a key", "another key"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SESSION = "0197a000-0000-7000-8000-000000000001"

purposes = st.from_regex(r"[a-z]{1,10}", fullmatch=True)
words = st.from_regex(r"[A-Za-z0-9_.-]{1,60}", fullmatch=True)


@given(purposes, words)
def test_what_was_signed_is_read(purpose: str, says: str) -> None:
    assert read(purpose, sign(purpose, says, KEY), KEY) == says


@given(purposes, words, st.text(min_size=1))
def test_nobody_reads_it_with_another_key(purpose: str, says: str, key: str) -> None:
    assume(key != KEY)
    assert read(purpose, sign(purpose, says, KEY), key) is None


@given(purposes, words, purposes)
def test_a_code_is_good_for_its_purpose_alone(purpose: str, says: str, other: str) -> None:
    """A certificate's code is no check-in code, however it is relabelled."""
    assume(other != purpose)
    code = sign(purpose, says, KEY)
    assert read(other, code, KEY) is None
    assert read(other, code.replace(purpose, other, 1), KEY) is None


@given(words, st.data())
def test_one_changed_character_spoils_it(says: str, data: st.DataObject) -> None:
    code = sign("cert", says, KEY)
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.characters(codec="ascii"))
    assume(other != code[place])
    assert read("cert", code[:place] + other + code[place + 1 :], KEY) is None


@pytest.mark.parametrize("cut", range(1, 23))
def test_no_part_of_a_signature_is_enough(cut: int) -> None:
    assert read("cert", sign("cert", "c1", KEY)[:-cut], KEY) is None


@given(st.text(max_size=250))
def test_any_text_is_refused_without_failing(text: str) -> None:
    assert read("cert", text, KEY) is None
    assert read_check_in(text, NOW, KEY) is None


@pytest.mark.parametrize(
    "code", ["", "cert", "cert..", "cert.c1.", "checkin.示例.0000000000000000000000", "cert.c1.g" * 3]
)
def test_what_is_no_code(code: str) -> None:
    assert read("cert", code, KEY) is None


@pytest.mark.parametrize("around", ["{}\n", " {}", "{} ", "\ufeff{}"])
def test_a_code_has_nothing_about_it(around: str) -> None:
    assert read("cert", around.format(sign("cert", "c1", KEY)), KEY) is None


def test_a_signature_is_written_in_lower_case() -> None:
    """One code, one way to write it."""
    purpose, says, signature = sign("cert", "c1", KEY).split(".")
    assert signature.upper() != signature
    assert read("cert", f"{purpose}.{says}.{signature.upper()}", KEY) is None


# -- check-in --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "good"), [(-60.0, True), (0.0, True), (59.0, True), (60.0, True), (60.001, False), (61.0, False)]
)
def test_a_check_in_code_is_good_until_its_moment(after: float, good: bool) -> None:
    code = check_in(SESSION, NOW + timedelta(seconds=60), KEY)
    assert read_check_in(code, NOW + timedelta(seconds=after), KEY) == (SESSION if good else None)


@given(st.integers(1, 10**9))
def test_its_moment_cannot_be_put_off(seconds: int) -> None:
    """Who photographs the screen cannot write a later time into the code."""
    until = NOW + timedelta(seconds=60)
    code = check_in(SESSION, until, KEY)
    later = code.replace(str(int(until.timestamp())), str(int(until.timestamp()) + seconds))
    assert later != code
    assert read_check_in(later, NOW, KEY) is None


def test_a_code_of_one_session_is_none_of_another() -> None:
    code = check_in(SESSION, NOW, KEY)
    assert read_check_in(code.replace(SESSION, SESSION[:-1] + "2"), NOW, KEY) is None


def test_a_certificates_code_checks_nobody_in() -> None:
    until = int((NOW + timedelta(days=1)).timestamp())
    assert read_check_in(sign("cert", f"{SESSION}.{until}", KEY), NOW, KEY) is None
    assert read_check_in(check_in(SESSION, NOW, OTHER_KEY), NOW, KEY) is None
