"""Who may be sent at all: members that nothing forbids to be on patrol, while they are on duty.

Both are facts of training; dispatch only keeps them. Used where `SHOUWANG_DUTY=enforced`.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

LOCAL = timezone(timedelta(hours=8))
"""Days of clearance are days where the suite runs: China has one time, without summer time."""


@dataclass(frozen=True)
class Member:
    """What training has told of a member."""

    cleared: bool
    cleared_until: date | None
    suspended_for: str | None
    on_duty: bool
    duty_until: datetime | None


def why_not(member: Member | None, now: datetime) -> str | None:
    """What keeps this member from being sent, the most lasting first; None if nothing does.

    A reason for which it was suspended is training's own code (`not_certified`, `no_consent` ...), passed on as it is.
    """
    if member is None:
        return "unknown_member"
    if member.suspended_for is not None:
        return member.suspended_for
    is_over = member.cleared_until is not None and now.astimezone(LOCAL).date() > member.cleared_until
    if not member.cleared or is_over:
        return "not_cleared"
    if not member.on_duty or member.duty_until is None or member.duty_until <= now:
        return "off_duty"
    return None
