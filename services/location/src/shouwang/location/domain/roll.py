"""Who is on duty (点名): whose reports count, where only members on duty are located."""

from typing import NamedTuple


class Span(NamedTuple):
    """From when to when a unit is on duty, epoch seconds; and whether it has ended before."""

    since: float
    until: float
    ended: bool
    at: float
    """of the fact that said so"""


class Roll:
    """Units on duty. Facts may come late, twice and out of order: the time of each decides, and an end is last."""

    def __init__(self) -> None:
        self._told: dict[str, Span] = {}
        self._on: dict[str, Span] = {}

    def __len__(self) -> int:
        return len(self._on)

    def counts(self, unit: str, time: float) -> bool:
        """Whether a report of this unit with this time of its fix counts: on duty, and not from before it began."""
        span = self._on.get(unit)
        return span is not None and span.since <= time

    def __contains__(self, unit: str) -> bool:
        return unit in self._on

    def note(self, unit: str, span: Span) -> bool:
        """Keep what a fact says, unless something newer is known; whether it was new."""
        known = self._told.get(unit)
        if known is not None and (span.at, span.ended) <= (known.at, known.ended):
            return False
        self._told[unit] = span
        if span.ended:
            self._on.pop(unit, None)
        else:
            self._on[unit] = span
        return True

    def over(self, now: float) -> list[str]:
        """Units whose duty is over by the clock, though nobody has said so; they are off the roll now."""
        late = [unit for unit, span in self._on.items() if span.until <= now]
        for unit in late:
            del self._on[unit]
        return late
