"""Who is on duty: facts in any order come to the same, and who leaves does not come back before its farewell."""

from itertools import permutations

import pytest

from shouwang.location.domain.roll import Duty, Posting, Roll, is_news

NOW = 1_700_000_000.0


def duty(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012}"


def started(number: int, at: float) -> Duty:
    return Duty("a", duty(number), at, at + 14_400, "guard")


def ended(number: int, at: float) -> Duty:
    return Duty("a", duty(number), at, None, None)


STORIES = {
    "a duty": [started(1, 1)],
    "a duty and its end": [started(1, 1), ended(1, 5)],
    "two duties, the second goes on": [started(1, 1), ended(1, 5), started(2, 7)],
    "two duties, both over": [started(1, 1), ended(1, 5), started(2, 7), ended(2, 9)],
    "over in the moment that it began": [started(1, 1), ended(1, 1)],
    "the next begins in the moment that one ends": [started(1, 1), ended(1, 5), started(2, 5)],
    "the clock that ended it is behind the clock that began it": [started(1, 5), ended(1, 4.9)],
}


@pytest.mark.parametrize("facts", STORIES.values(), ids=STORIES.keys())
def test_in_whatever_order_facts_come_and_however_often_the_last_is_the_same(facts: list[Duty]) -> None:
    for order in permutations(facts * 2 if len(facts) < 4 else facts):
        known = order[0]
        for told in order[1:]:
            known = told if is_news(told, known) else known
        assert known == facts[-1]


# -- the roll --------------------------------------------------------------------------------------------------------

POSTING = Posting(NOW, NOW + 60, "guard")


def test_reports_count_while_on_duty_and_from_its_beginning_on() -> None:
    roll = Roll()
    assert not roll.covers("a", NOW)
    roll.enter("a", POSTING)
    assert [roll.covers("a", NOW + s) for s in (-0.001, 0, 1)] == [False, True, True]
    assert not roll.covers("b", NOW)
    roll.leave("a")
    assert not roll.covers("a", NOW + 1)
    assert roll.postings == {}


def test_who_is_on_duty_again_is_seen_only_after_the_farewell_of_before() -> None:
    roll = Roll()
    roll.enter("a", POSTING)
    roll.leave("a")
    roll.enter("a", again := Posting(NOW + 5, NOW + 90, "guard"))
    assert (roll.postings, roll.leaving(9)) == ({}, ["a"])
    roll.has_left(["a"])
    assert (roll.postings, roll.leaving(9)) == ({"a": again}, [])


def test_who_leaves_again_meanwhile_stays_away() -> None:
    roll = Roll()
    roll.leave("a")
    roll.enter("a", POSTING)
    roll.leave("a")
    roll.has_left(["a"])
    assert (roll.postings, roll.leaving(9)) == ({}, [])


def test_farewells_come_in_portions() -> None:
    roll = Roll()
    for unit in "abcab":
        roll.leave(unit)
    assert roll.leaving(2) == ["a", "b"]
    roll.has_left(["a", "b"])
    assert roll.leaving(2) == ["c"]


def test_duty_is_over_at_its_last_moment_and_said_once() -> None:
    roll = Roll()
    roll.enter("a", POSTING)
    roll.enter("b", Posting(NOW, NOW + 30, None))
    assert [roll.over(NOW + s) for s in (29.9, 30, 59.9, 60, 61)] == [[], ["b"], [], ["a"], []]


def test_the_end_of_an_older_duty_is_not_the_end_of_a_newer_one() -> None:
    roll = Roll()
    roll.enter("a", Posting(NOW, NOW + 30, None))
    roll.enter("a", Posting(NOW + 20, NOW + 90, None))
    assert (roll.over(NOW + 60), roll.over(NOW + 90)) == ([], ["a"])


def test_a_shorter_newer_duty_is_over_when_it_says_so() -> None:
    roll = Roll()
    roll.enter("a", Posting(NOW, NOW + 90, None))
    roll.enter("a", Posting(NOW + 5, NOW + 30, None))
    assert roll.over(NOW + 30) == ["a"]
    roll.leave("a")
    assert roll.over(NOW + 90) == []


def test_who_waits_for_its_farewell_can_be_over_too() -> None:
    roll = Roll()
    roll.leave("a")
    roll.enter("a", POSTING)
    assert roll.over(NOW + 60) == ["a"]
