"""The rules of the Government Procurement Law on the programme's own tender, and the sums of a fund."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.training.domain.funding import (
    ARTICLE,
    Deadline,
    Sums,
    Tender,
    copy_due,
    earliest_award,
    is_near,
    kept_until,
    may_pay,
    most_payable,
    of_fund,
    of_payment,
    open_deadline,
    sums,
    warnings,
)
from shouwang.training.domain.workdays import YearTable

FUND_FEN = 19_600_000
"""The special fund of 2018: CNY 196,000."""
AWARD, PLAQUE = date(2018, 6, 29), date(2018, 7, 23)
TENDER = Tender("t-2018", published_on=date(2018, 5, 28), awarded_on=AWARD, award_fen=FUND_FEN)
SIGNED = replace(TENDER, signed_on=date(2018, 7, 20))
WEEK = 7


def codes(tender: Tender, today: date) -> list[str]:
    """What is warned of."""
    return [warned.code for warned in warnings(tender, today, WEEK)]


# -- deadlines -------------------------------------------------------------------------------------------------------


def test_a_contract_is_signed_within_30_days_of_the_award__art_46() -> None:
    assert TENDER.contract_due == date(2018, 7, 29)
    assert (PLAQUE - AWARD).days == 24
    assert TENDER.contract_due >= PLAQUE


def test_a_copy_is_filed_within_7_working_days__art_47() -> None:
    assert copy_due(date(2018, 7, 20)).day == date(2018, 7, 31)
    assert copy_due(date(2018, 9, 28)).day == date(2018, 10, 12)  # over National Day, with the worked weekend before
    assert copy_due(date(2093, 1, 1)).assumed is True
    assert copy_due(date(2093, 1, 1), {2093: YearTable()}).assumed is False


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2018, 7, 21), []),
        (date(2018, 7, 22), ["contract_near"]),
        (date(2018, 7, 29), ["contract_near"]),
        (date(2018, 7, 30), ["contract_overdue"]),
    ],
)
def test_a_deadline_is_warned_of_a_week_before_and_ever_after(today: date, expected: list[str]) -> None:
    assert codes(TENDER, today) == expected


@pytest.mark.parametrize(
    ("today", "expected"),
    [(date(2018, 7, 23), []), (date(2018, 7, 24), ["copy_near"]), (date(2018, 8, 1), ["copy_overdue"])],
)
def test_after_the_contract_its_copy_is_waited_for(today: date, expected: list[str]) -> None:
    assert open_deadline(SIGNED) == Deadline("copy", date(2018, 7, 31))
    assert codes(SIGNED, today) == expected
    assert codes(replace(SIGNED, copy_filed_on=date(2018, 7, 25)), today) == []


def test_a_deadline_that_was_missed_stays_on_record() -> None:
    late = replace(TENDER, signed_on=date(2018, 7, 30), copy_filed_on=date(2018, 8, 9))
    assert codes(late, PLAQUE) == ["contract_late", "copy_late"]


def test_there_is_no_deadline_before_the_award_or_when_all_is_done() -> None:
    assert open_deadline(Tender("t", date(2018, 5, 28))) is None
    assert open_deadline(replace(SIGNED, copy_filed_on=date(2018, 7, 21))) is None
    assert is_near(Deadline("copy", date(2018, 7, 31)), date(2018, 7, 24), WEEK)


def test_a_due_day_over_unknown_holidays_is_marked() -> None:
    far = replace(TENDER, awarded_on=date(2092, 12, 20), signed_on=date(2093, 1, 1))
    assert codes(far, date(2093, 1, 2)) == ["calendar_assumed"]


def test_fewer_than_20_days_to_bid_are_warned_of__art_35() -> None:
    assert earliest_award(date(2018, 6, 9)) == AWARD
    assert codes(replace(TENDER, published_on=date(2018, 6, 9)), AWARD) == []
    assert codes(replace(TENDER, published_on=date(2018, 6, 10)), AWARD) == ["short_bid_period"]


def test_the_file_is_kept_for_15_years__art_42() -> None:
    assert replace(SIGNED, accepted_on=date(2018, 12, 20)).keep_until == date(2033, 12, 20)
    assert kept_until(date(2020, 2, 29)) == date(2035, 3, 1)


@pytest.mark.parametrize(
    ("tender", "expected"),
    [
        (Tender("t", AWARD), "published"),
        (TENDER, "awarded"),
        (SIGNED, "contracted"),
        (replace(SIGNED, accepted_on=date(2018, 12, 20)), "accepted"),
    ],
)
def test_how_far_a_tender_has_come(tender: Tender, expected: str) -> None:
    assert tender.status == expected


def test_a_rule_names_its_article() -> None:
    assert all(article.startswith("政府采购法 第") for article in ARTICLE.values())
    [warned] = warnings(TENDER, date(2018, 7, 30), WEEK)
    assert (warned.article, warned.due) == ("政府采购法 第46条", date(2018, 7, 29))


# -- money -----------------------------------------------------------------------------------------------------------


def test_added_purchases_are_a_tenth_at_most__art_49() -> None:
    assert most_payable(FUND_FEN) == 21_560_000
    paid = replace(SIGNED, paid_fen=FUND_FEN)
    assert may_pay(paid, 1_960_000) is None
    assert "第49条" in str(may_pay(paid, 1_960_001))
    assert [w.code for w in of_payment(paid)] == []
    assert [w.code for w in of_payment(replace(paid, paid_fen=FUND_FEN + 1))] == ["added_purchase"]


def test_a_tenth_is_rounded_down() -> None:
    assert [most_payable(fen) for fen in (0, 9, 10, 19)] == [0, 9, 11, 20]


def test_a_refund_is_never_more_than_was_paid() -> None:
    assert may_pay(replace(SIGNED, paid_fen=500), -500) is None
    assert "500" in str(may_pay(replace(SIGNED, paid_fen=500), -501))


def test_too_much_can_be_paid_back_step_by_step() -> None:
    """An award that was corrected downwards leaves more paid than is allowed; less than that is always right."""
    assert may_pay(replace(SIGNED, award_fen=100, paid_fen=500), -1) is None


def test_nothing_is_paid_on_what_was_not_awarded() -> None:
    assert may_pay(Tender("t", AWARD), 1) == "nothing was awarded yet"


def test_paying_before_a_contract_is_warned_of() -> None:
    assert [w.code for w in of_payment(replace(TENDER, paid_fen=1))] == ["no_contract"]


def test_what_has_become_of_a_fund() -> None:
    half = replace(SIGNED, paid_fen=9_800_000)
    other = Tender("t-2", AWARD)
    assert sums(FUND_FEN, [half, other]) == Sums(spent=9_800_000, committed=9_800_000, left=0)
    assert of_fund(sums(FUND_FEN, [half])) == []
    [warned] = of_fund(sums(FUND_FEN - 1, [half]))
    assert (warned.code, warned.article) == ("over_fund", None)


@given(
    amount=st.integers(0, 10**9),
    awards=st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=5),
)
def test_the_sums_of_a_fund_add_up(amount: int, awards: list[tuple[int, int]]) -> None:
    tenders = [replace(SIGNED, award_fen=award, paid_fen=paid) for award, paid in awards]
    found = sums(amount, tenders)
    assert found.spent + found.committed + found.left == amount
    assert found.spent + found.committed == sum(max(award, paid) for award, paid in awards)
