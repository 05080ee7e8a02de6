"""When a member may be sent word: quiet hours, and what is too urgent for them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shouwang.training.domain.days import day_of, window

BEGINS_SOON = timedelta(hours=3)
"""Word about a shift that begins within this is urgent,"""
OFF_SOON = timedelta(hours=12)
"""and within this the word that it is off: nobody shall come, or stay up, in vain."""
WITHDRAWN = "shift_withdrawn"


@dataclass(frozen=True)
class Quiet:
    """Hours in which a member is left in peace, by the local clock; none if they begin and end at the same time."""

    since: str
    until: str

    def ends(self, moment: datetime) -> datetime | None:
        """When the quiet hours are over that a moment lies in, not quiet itself; None if it lies in none."""
        if self.since == self.until:
            return None
        today = day_of(moment)
        for day in (today - timedelta(days=1), today):  # those of last night may not be over
            begins, ends = window(day, self.since, self.until)
            if begins <= moment < ends:
                return ends
        return None


def send_at(now: datetime, quiet: Quiet, about: str, starts_at: datetime | None = None) -> datetime:
    """The first moment, now or later, at which a notice may be sent.

    Args:
        about: its code, such as `shift_withdrawn`.
        starts_at: when the shift begins that it is about.
    """
    ends = quiet.ends(now)
    if ends is None:
        return now
    if starts_at is None or (starts_at <= now and about != WITHDRAWN):
        return ends
    urgent_from = starts_at - (OFF_SOON if about == WITHDRAWN else BEGINS_SOON)
    return max(now, min(ends, urgent_from))
