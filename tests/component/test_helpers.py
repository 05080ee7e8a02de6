"""The helpers that all these tests trust: a test that cannot fail proves nothing."""

from datetime import UTC, datetime

import pytest

from shouwang.common.testing import FixedClock, becomes, eventually, metric


async def test_eventually_gives_what_came_true() -> None:
    seen = iter([0, None, [], "so"])
    assert await eventually(lambda: next(seen), every_s=0) == "so"


async def test_eventually_fails_with_the_last_thing_seen() -> None:
    with pytest.raises(AssertionError, match=r"last seen: \[\]"):
        await eventually(list, within_s=0.05)


async def test_an_assertion_that_fails_inside_is_not_taken_for_success() -> None:
    async def never() -> bool:
        raise AssertionError("two are missing")

    with pytest.raises(AssertionError, match="two are missing"):
        await eventually(never, within_s=0.05)


async def test_becomes_shows_what_it_was_instead() -> None:
    async def look() -> list[int]:
        return [1]

    await becomes(look, [1])
    with pytest.raises(AssertionError, match=r"\[1\] is not \[2\]"):
        await becomes(look, [2], within_s=0.05)


def test_a_fixed_clock_moves_when_told() -> None:
    clock = FixedClock(datetime(2026, 11, 24, 19, tzinfo=UTC))
    clock.forward(90)
    assert clock() == clock() == datetime(2026, 11, 24, 19, 1, 30, tzinfo=UTC)


def test_a_metric_is_found_by_its_labels() -> None:
    page = '# TYPE told counter\ntold_total{reason="old"} 3\ntold_total{reason="new"} 4\n'
    assert (metric(page, "told_total", reason="old"), metric(page, "told_total")) == (3, 7)
    assert metric(page, "other_total") == 0
