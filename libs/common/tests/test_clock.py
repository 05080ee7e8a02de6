"""Times as text, and back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.common.clock import from_epoch, rfc3339, utc_now

CHINA = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 24, 19, tzinfo=UTC), "2026-11-24T19:00:00Z"),
        (datetime(2026, 11, 24, 19, 0, 0, 1, tzinfo=UTC), "2026-11-24T19:00:00.000001Z"),
        (datetime(2026, 11, 25, 3, tzinfo=CHINA), "2026-11-24T19:00:00Z"),
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-9, minutes=-30))), "2026-01-01T09:30:00Z"),
    ],
)
def test_rfc3339(moment: datetime, text: str) -> None:
    assert rfc3339(moment) == text
    assert datetime.fromisoformat(text) == moment


FIRST, LAST = datetime(1971, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone


@given(st.datetimes(FIRST, LAST, timezones=st.sampled_from([UTC, CHINA])))
@settings(deadline=None)
def test_any_time_reads_back_as_the_same_moment_in_utc(moment: datetime) -> None:
    text = rfc3339(moment)
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == moment
    assert abs(from_epoch(moment.timestamp()) - moment) <= timedelta(microseconds=1)


def test_now_and_epoch_are_aware() -> None:
    assert utc_now().tzinfo is UTC
    assert from_epoch(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert from_epoch(1_700_000_000.5) == datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)
