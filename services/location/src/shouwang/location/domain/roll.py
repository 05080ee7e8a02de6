"""Who is on duty (点名), where only members on duty are located."""

from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import islice
from typing import NamedTuple


class Duty(NamedTuple):
    """The last that training has told of a unit's duties; times are epoch seconds."""

    unit: str
    duty: str
    at: float
    """of the fact; where it is a beginning, that is when the duty began"""
    until: float | None
    """at the latest; None: it has ended"""
    kind: str | None
    """None where only its end was heard of"""


def is_news(told: Duty, known: Duty) -> bool:
    """Whether what is told comes after what is known. Facts may come late, twice and in any order.

    A duty begins once and ends once, so its end is news after its beginning whatever their times say. Of two duties the
    later fact counts; of the same moment, that of the later duty (ids are made in order).
    """
    if told.duty == known.duty:
        return told.until is None and known.until is not None
    return (told.at, told.duty) > (known.at, known.duty)


class Posting(NamedTuple):
    """What the hot path asks about a unit on duty: since and until when, epoch seconds; its kind."""

    since: float
    until: float
    kind: str | None


class Roll:
    """Units on duty, in memory.

    Who has left the roll stays away until its farewell is written (`leaving`, `has_left`), even if it is on duty again
    meanwhile: else the farewell would take away what it has just begun.
    """

    def __init__(self) -> None:
        self.postings: dict[str, Posting] = {}
        """Whose reports count. Read by the hot path, for each report."""
        self._posted: dict[str, Posting] = {}
        self._ends: list[tuple[float, str]] = []
        self._leaving: dict[str, None] = {}

    def enter(self, unit: str, posting: Posting) -> None:
        """The unit is on duty."""
        self._posted[unit] = posting
        heappush(self._ends, (posting.until, unit))
        if unit not in self._leaving:
            self.postings[unit] = posting

    def leave(self, unit: str) -> None:
        """The unit is on duty no longer, or was not."""
        self._posted.pop(unit, None)
        self.postings.pop(unit, None)
        self._leaving[unit] = None

    def over(self, now: float) -> list[str]:
        """Units whose duty is over by the clock, though nobody has said so."""
        units: dict[str, None] = {}
        while self._ends and self._ends[0][0] <= now:
            _, unit = heappop(self._ends)
            posting = self._posted.get(unit)
            if posting is not None and posting.until <= now:  # else it has left before, or has a newer duty
                units[unit] = None
        return list(units)

    def leaving(self, most: int) -> list[str]:
        """Units, at most so many, whose farewell is not written yet."""
        return list(islice(self._leaving, most))

    def has_left(self, units: Iterable[str]) -> None:
        """The farewells of these are written; who is on duty again meanwhile may come back."""
        for unit in units:
            self._leaving.pop(unit, None)
            if unit in self._posted:
                self.postings[unit] = self._posted[unit]

    def covers(self, unit: str, time: float) -> bool:
        """Whether a fix of this unit, of this time, may be shown."""
        posting = self.postings.get(unit)
        return posting is not None and posting.since <= time
