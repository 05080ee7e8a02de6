"""Who may be sent at all, and that the order in which facts come does not matter."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.dispatch.domain.choosing import Reason
from shouwang.dispatch.domain.eligibility import Member, why_not

NOW = datetime(2026, 11, 24, 19, tzinfo=UTC)  # 03:00 of the 25th where the suite runs
TODAY = date(2026, 11, 25)
SHIFT = "00000000-0000-7000-8000-0000000000aa"
Fact = Callable[[Member], Member]


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def duty(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012}"


def cleared(seconds: float, until: date | None = None, kind: str = "guard") -> Fact:
    return lambda member: member.cleared(kind, until, at(seconds))


def suspended(seconds: float, reason: str = "not_certified", kind: str = "guard") -> Fact:
    return lambda member: member.suspended(kind, reason, at(seconds))


def started(number: int, seconds: float, lasts_s: float = 14_400, kind: str = "guard") -> Fact:
    return lambda member: member.started(kind, SHIFT, duty(number), at(seconds + lasts_s), at(seconds))


def ended(number: int, seconds: float) -> Fact:
    return lambda member: member.ended(SHIFT, duty(number), at(seconds))


def after(*facts: Fact) -> Member:
    member = Member()
    for fact in facts:
        member = fact(member)
    return member


FINE = (cleared(-9), started(1, -9))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ((), Reason.UNKNOWN_MEMBER),
        (FINE, None),
        ((suspended(-9, "no_consent"),), "no_consent"),
        ((suspended(-9, "no_consent"), started(1, -9)), "no_consent"),  # more fundamental than being off duty
        ((started(1, -9),), Reason.NOT_CLEARED),
        ((ended(1, -9),), Reason.NOT_CLEARED),
        ((cleared(-9),), Reason.OFF_DUTY),
        ((*FINE, ended(1, -1)), Reason.OFF_DUTY),
        ((*FINE, suspended(-1)), "not_certified"),
        ((*FINE, suspended(-2), cleared(-1)), None),
        ((*FINE, ended(1, -3), started(2, -1)), None),
        ((cleared(-9), started(1, -9, lasts_s=9)), Reason.OFF_DUTY),  # its last moment is over
        ((cleared(-9), started(1, -9, lasts_s=9.001)), None),
        ((cleared(-9), started(1, 9)), None),  # a clock that runs ahead
        ((cleared(-9, TODAY), started(1, -9)), None),  # that day included
        ((cleared(-9, TODAY - timedelta(days=1)), started(1, -9)), Reason.NOT_CLEARED),
        ((cleared(-9, TODAY - timedelta(days=1)),), Reason.NOT_CLEARED),
    ],
)
def test_what_keeps_a_member_from_being_sent(facts: tuple[Fact, ...], reason: str | None) -> None:
    assert why_not(after(*facts), NOW) == reason


@pytest.mark.parametrize(("hour", "reason"), [(15, None), (16, Reason.NOT_CLEARED)])
def test_a_day_of_clearance_ends_at_midnight_where_the_suite_runs(hour: int, reason: str | None) -> None:
    member = after(cleared(-86_400, TODAY - timedelta(days=1)), started(1, -86_400, lasts_s=1e6))
    assert why_not(member, datetime(2026, 11, 24, hour, tzinfo=UTC)) == reason


STORIES = {
    "a duty and its end": [started(1, 1), ended(1, 5)],
    "two duties, the second goes on": [started(1, 1), ended(1, 5), started(2, 7)],
    "two duties, both over": [started(1, 1), ended(1, 5), started(2, 7), ended(2, 9)],
    "over in the moment that it began": [started(1, 1), ended(1, 1)],
    "the next begins in the moment that one ends": [started(1, 1), ended(1, 5), started(2, 5)],
    "the clock that ended it is behind the clock that began it": [started(1, 5), ended(1, 4.9)],
    "cleared, suspended, cleared": [cleared(1), suspended(3), cleared(5, TODAY)],
    "cleared and suspended in one moment": [cleared(1), suspended(1)],
    "of both": [cleared(1), started(1, 2, kind="militia"), suspended(3, kind="villager"), ended(1, 3)],
}


@pytest.mark.parametrize("facts", STORIES.values(), ids=STORIES.keys())
def test_in_whatever_order_facts_come_and_however_often_the_outcome_is_the_same(facts: list[Fact]) -> None:
    told_in_order = after(*facts)
    for order in permutations(facts):
        assert after(*order) == told_in_order
        assert after(*order, *order) == told_in_order
        assert after(*(fact for fact in order for _ in range(2))) == told_in_order


def test_a_duty_that_has_ended_does_not_begin_again() -> None:
    member = after(cleared(0), started(1, 1), ended(1, 5), started(1, 6))
    assert (member.on_duty, member.duty_at) == (False, at(5))


def test_the_late_beginning_of_an_older_duty_changes_nothing() -> None:
    member = after(ended(2, 9), started(1, 1), ended(1, 5), started(2, 7))
    assert (member.on_duty, member.duty, member.duty_at) == (False, duty(2), at(9))


@given(st.lists(st.floats(1, 1000), min_size=1, max_size=4), st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_any_number_of_duties_in_any_order_come_to_the_last_one(
    spans: list[float], goes_on: bool, random: object
) -> None:
    facts, clock = [], 0.0
    for number, span in enumerate(spans):
        facts += [started(number, clock), ended(number, clock + span)]
        clock += span  # the next begins in that very moment
    facts = facts[:-1] if goes_on else facts
    told_in_order = after(*facts)
    random.shuffle(facts)  # type: ignore[attr-defined]
    assert after(*facts) == told_in_order
    assert (told_in_order.on_duty, told_in_order.duty) == (goes_on, duty(len(spans) - 1))


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ([cleared(1, kind="villager"), started(1, 2, kind="guard")], "guard"),
        ([cleared(3, kind="villager"), started(1, 2, kind="guard")], "villager"),
        ([cleared(1, kind="villager"), suspended(4, kind="guard")], "guard"),
        ([ended(1, 9), cleared(1, kind="guard")], "guard"),  # an end names none
    ],
)
def test_the_kind_is_that_of_the_latest_fact_that_names_one(facts: list[Fact], kind: str) -> None:
    for order in permutations(facts):
        assert after(*order).kind == kind
