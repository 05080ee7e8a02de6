"""Figures: what a period is compared with, changes in per cent, and what is not shown in public."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.training.domain.statistics import (
    SMALLEST,
    Compared,
    Counted,
    Part,
    Period,
    Single,
    change_pct,
    compare,
    compare_parts,
    giveaways,
    mean,
    share,
    single,
)


def days(since: str, until: str) -> Period:
    """A period, both days included."""
    return Period(date.fromisoformat(since), date.fromisoformat(until))


# -- periods ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "before", "year_before"),
    [
        # whole months: as many months before, though they are shorter or longer
        (("2026-12-01", "2026-12-31"), ("2026-11-01", "2026-11-30"), ("2025-12-01", "2025-12-31")),
        (("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31"), ("2025-01-01", "2025-03-31")),
        (("2026-01-01", "2026-12-31"), ("2025-01-01", "2025-12-31"), ("2025-01-01", "2025-12-31")),
        (("2025-02-01", "2025-02-28"), ("2025-01-01", "2025-01-31"), ("2024-02-01", "2024-02-29")),
        (("2024-02-01", "2024-02-29"), ("2024-01-01", "2024-01-31"), ("2023-02-01", "2023-02-28")),
        # other days: as many days before
        (("2026-12-07", "2026-12-13"), ("2026-11-30", "2026-12-06"), ("2025-12-07", "2025-12-13")),
        (("2026-12-01", "2026-12-30"), ("2026-11-01", "2026-11-30"), ("2025-12-01", "2025-12-30")),
        (("2024-02-29", "2024-02-29"), ("2024-02-28", "2024-02-28"), ("2023-02-28", "2023-02-28")),
    ],
)
def test_what_a_period_is_compared_with(
    period: tuple[str, str], before: tuple[str, str], year_before: tuple[str, str]
) -> None:
    assert (days(*period).before(), days(*period).year_before()) == (days(*before), days(*year_before))


@given(since=st.dates(date(1990, 1, 1), date(2200, 1, 1)), length=st.integers(0, 800))
def test_the_period_before_ends_the_day_before(since: date, length: int) -> None:
    period = Period(since, since + timedelta(days=length))
    before = period.before()
    assert before.until + timedelta(days=1) == since
    assert before.whole_months == period.whole_months or not period.whole_months
    assert period.year_before().until < period.until


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        ("2026-12-01", "2026-12-31", ["2026-12"]),
        ("2026-12-01", "2026-12-30", []),
        ("2026-11-15", "2027-02-10", ["2026-12", "2027-01"]),
        ("2026-12-02", "2026-12-31", []),
    ],
)
def test_promises_are_judged_by_whole_months(since: str, until: str, months: list[str]) -> None:
    assert [f"{month.since:%Y-%m}" for month in days(since, until).months()] == months


# -- changes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "base", "expected"),
    [
        (90, 150, -40.0),  # 示例：property incidents
        (132, 200, -34.0),  # 示例：public-order incidents
        (3, 3, 0.0),
        (4, 3, 33.3),
        (0, 7, -100.0),
        (5, 0, None),
        (0, 0, None),
    ],
)
def test_from_nothing_there_is_no_percentage(now: int, base: int, expected: float | None) -> None:
    assert change_pct(now, base) == expected


def test_a_count_stands_beside_both_its_bases() -> None:
    assert compare(Counted(90, 100, 150), public=False) == Compared(90, 100, 150, -10.0, -40.0)
    assert compare(Counted(2, 0, 1), public=False) == Compared(2, 0, 1, None, 100.0)


# -- in public -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", range(5))
def test_a_count_smaller_than_three_is_hidden_with_what_it_was_compared_by(count: int) -> None:
    hidden = count < SMALLEST
    found = compare(Counted(count, 10, 10), public=True)
    assert (found.count is None, found.change_pct is None, found.suppressed) == (hidden, hidden, hidden)
    assert (found.before, found.year_before) == (10, 10)
    base = compare(Counted(10, count, 10), public=True)
    assert (base.count, base.before is None, base.change_pct is None, base.suppressed) == (10, hidden, hidden, hidden)
    assert base.year_change_pct == 0.0


def test_minutes_are_hidden_by_who_served_them() -> None:
    found = compare(Counted(4800, 960, 720), Counted(20, 2, 3), public=True)
    assert (found.count, found.before, found.year_before) == (4800, None, 720)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"a": 5, "b": 9}, set()),
        ({"a": 2, "b": 9, "c": 5}, {"a", "c"}),  # else a could be subtracted from the sum of all
        ({"a": 1, "b": 1, "c": 9, "d": 5}, {"a", "b", "d"}),  # two of one each are told by their sum
        ({"a": 2, "b": 2, "c": 9}, {"a", "b"}),
        ({"a": 0, "c": 9}, {"a"}),  # nothing to subtract
        ({"a": 2}, {"a"}),
    ],
)
def test_a_hidden_part_cannot_be_subtracted(parts: dict[str, int], expected: set[str]) -> None:
    assert giveaways(parts) == expected


@given(parts=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9), min_size=1))
def test_no_small_part_is_ever_shown_or_left_alone(parts: dict[str, int]) -> None:
    shown = compare_parts({name: Counted(count, 9, 9) for name, count in parts.items()}, public=True)
    hidden = [parts[name] for name, found in shown.items() if found.count is None and parts[name]]
    assert all(found.count is None or found.count >= SMALLEST for found in shown.values())
    assert len(hidden) != 1 or len([name for name in parts if parts[name]]) == 1


def test_everything_is_shown_to_an_organiser() -> None:
    shown = compare_parts({"guard": Counted(1, 2, 0), "teacher": Counted(9, 9, 9)}, public=False)
    assert shown["guard"] == Compared(1, 2, 0, -50.0, None)


def test_parts_may_be_hidden_by_other_counts_than_their_own() -> None:
    minutes = {"guard": Counted(240, 0, 0), "teacher": Counted(2400, 0, 0), "doctor": Counted(960, 0, 0)}
    people = {"guard": Counted(1, 0, 0), "teacher": Counted(10, 0, 0), "doctor": Counted(4, 0, 0)}
    shown = compare_parts(minutes, people, public=True)
    assert {kind: found.count for kind, found in shown.items()} == {"guard": None, "teacher": 2400, "doctor": None}


def test_shares_and_means() -> None:
    assert share(3, 4, public=False) == Part(3, 4, 75.0)
    assert share(0, 0, public=False) == Part(0, 0, None)
    assert share(2, 40, public=True) == Part(None, None, None, suppressed=True)
    assert share(30, 40, 2, public=True).suppressed
    assert (mean(13, 3), mean(0, 0)) == (4.33, None)
    assert single(4.33, 3, public=True) == Single(4.33)
    assert single(4.33, 2, public=True) == Single(None, suppressed=True)
