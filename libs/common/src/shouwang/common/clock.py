"""The time, passed in as a collaborator so that a test can hold it still."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """`2026-11-24T19:00:00.123456Z`; expects an aware time."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def from_epoch(seconds: float) -> datetime:
    """Epoch seconds as an aware time."""
    return datetime.fromtimestamp(seconds, UTC)
