"""What the tests of location share: one hand to write a report with, and a fresh memory."""

from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from shouwang.location.domain.fixes import Limits
from shouwang.location.domain.presence import Patience
from shouwang.location.domain.whereabouts import Report, Whereabouts

NAN = float("nan")


def _report(
    unit: str,
    time: float,
    lat: float = 27.7,
    lon: float = 120.6,
    *,
    accuracy_m: float = NAN,
    battery_pct: float = NAN,
    kind: str | None = None,
) -> Report:
    return Report(unit, lat, lon, time, accuracy_m, battery_pct, kind)


@pytest.fixture(scope="session")
def report() -> Callable[..., Report]:
    """`report(unit, time, lat, lon, ...)`: in Ruian, and silent about the rest, where nothing else is said."""
    return _report


@pytest.fixture
def where() -> Whereabouts:
    """A memory that knows nobody yet."""
    return Whereabouts(Limits(), Patience(), "patroller")


@pytest.fixture
def registry() -> CollectorRegistry:
    """Where a test's metrics are read."""
    return CollectorRegistry()
