"""Who may be sent at all: members whom nothing forbids to be on patrol, while they are on duty.

Both are facts of training, which dispatch only keeps. They may come late, twice and in any order, so each is compared
with what is known and the outcome is the same in whatever order they came. It counts where `SHOUWANG_DUTY=enforced`.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone

from shouwang.dispatch.domain.choosing import Reason

LOCAL = timezone(timedelta(hours=8), "UTC+8")
"""Days of clearance are days where the suite runs: China has one time and no summer time."""


@dataclass(frozen=True)
class Member:
    """What training has told of a member; of what it has not told, the time is None."""

    kind: str | None = None
    kind_at: datetime | None = None
    suspended_for: str | None = None
    cleared_until: date | None = None
    standing_at: datetime | None = None
    duty: str | None = None
    shift: str | None = None
    on_duty: bool = False
    duty_until: datetime | None = None
    duty_at: datetime | None = None

    def cleared(self, kind: str, until: date | None, at: datetime) -> "Member":
        """Nothing forbids it to be on patrol, as far as is known until a day; of the same moment, a ban wins."""
        known = self._of_kind(kind, at)
        if self.standing_at is not None and at <= self.standing_at:
            return known
        return replace(known, suspended_for=None, cleared_until=until, standing_at=at)

    def suspended(self, kind: str, reason: str, at: datetime) -> "Member":
        """Something forbids it to be on patrol."""
        known = self._of_kind(kind, at)
        if self.standing_at is not None and at < self.standing_at:
            return known
        return replace(known, suspended_for=reason, cleared_until=None, standing_at=at)

    def started(self, kind: str, shift: str, duty: str, until: datetime, at: datetime) -> "Member":
        """It is on duty, at the latest until a moment."""
        known = self._of_kind(kind, at)
        if not self._is_news(duty, at, ends=False):
            return known
        return replace(known, duty=duty, shift=shift, on_duty=True, duty_until=until, duty_at=at)

    def ended(self, shift: str, duty: str, at: datetime) -> "Member":
        """It is off duty."""
        if not self._is_news(duty, at, ends=True):
            return self
        return replace(self, duty=duty, shift=shift, on_duty=False, duty_until=None, duty_at=at)

    def _is_news(self, duty: str, at: datetime, *, ends: bool) -> bool:
        """A duty begins once and ends once, so its end is news after its beginning whatever their times say.

        Of two duties the later fact counts; of the same moment, that of the later duty (ids are made in order).
        """
        if duty == self.duty:
            return ends and self.on_duty
        return self.duty_at is None or self.duty is None or (at, duty) > (self.duty_at, self.duty)

    def _of_kind(self, kind: str, at: datetime) -> "Member":
        """The kind is that of the latest fact which names one, be it news otherwise or not."""
        return self if self.kind_at is not None and at <= self.kind_at else replace(self, kind=kind, kind_at=at)


def why_not(member: Member, now: datetime) -> str | None:
    """What keeps a member from being sent, the most fundamental first; None if nothing does.

    Why it was suspended is a code of training's own (`not_certified`, `no_consent`, ...) and passed on as it is.
    """
    if member.standing_at is None and member.duty_at is None:
        return Reason.UNKNOWN_MEMBER
    if member.suspended_for is not None:
        return member.suspended_for
    is_over = member.cleared_until is not None and now.astimezone(LOCAL).date() > member.cleared_until
    if member.standing_at is None or is_over:
        return Reason.NOT_CLEARED
    if not member.on_duty or member.duty_until is None or member.duty_until <= now:
        return Reason.OFF_DUTY
    return None
