"""Days and minutes where the suite runs: China has one time, UTC+8, and no summer time."""

from datetime import UTC, date, datetime, time, timedelta, timezone

LOCAL = timezone(timedelta(hours=8), "UTC+8")
DAY_MIN = 24 * 60
LOCAL_MIN = 8 * 60
"""Minutes that the local day begins earlier than that of UTC."""


def day_of(moment: datetime) -> date:
    """The local day of a moment."""
    return moment.astimezone(LOCAL).date()


def at(day: date, clock: str) -> datetime:
    """The moment of a local time of day such as `22:00`, in UTC."""
    return datetime.combine(day, time.fromisoformat(clock), LOCAL).astimezone(UTC)


def month_of(day: date) -> tuple[date, date]:
    """The first and the last day of the month that a day lies in."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def minute(moment: datetime) -> int:
    """Minutes since 1970, full ones."""
    return int(moment.timestamp()) // 60


def window(day: date, start: str, end: str, *, next_day: bool = False) -> tuple[datetime, datetime]:
    """The moments of a duty window on a duty date. One that ends before it begins passes midnight.

    Args:
        next_day: it begins after midnight, yet belongs to the evening before (00:00-04:00 of a night patrol).
    """
    begins = at(day + timedelta(days=next_day), start)
    ends = at(day + timedelta(days=next_day), end)
    return begins, ends if ends > begins else ends + timedelta(days=1)
