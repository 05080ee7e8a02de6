"""On duty and off: what a member does at the beginning and the end of a shift, and the hours that it served."""

from typing import Annotated

from pydantic import Field

from shouwang.contracts.shapes import Fact, Live, Reply, Request
from shouwang.contracts.training.people import MemberKind, Reason
from shouwang.contracts.training.rosters import ShiftKind
from shouwang.contracts.words import Day, Id, Text, Time, Token


class OnDuty(Reply):
    """The member is on duty."""

    duty: Id
    shift: Id
    until: Time


class GoOnDuty(Request, name="training.go_on_duty.v1", reply=OnDuty):
    """A member begins its shift: from now on it is seen and can be sent. Only it can say so.

    Without a shift the one is taken that is held now, or begins within the time that the settings allow. Every rule is
    looked at again: 409 with the reason.
    """

    shift: Id | None = None


class OffDuty(Reply):
    """The member is off duty: nobody sees it any more."""

    duty: Id
    shift: Id
    minutes: int


class GoOffDuty(Request, name="training.go_off_duty.v1", reply=OffDuty):
    """A member ends its duty, at any time, without giving a reason."""


class OnShift(Reply):
    """A shift that is held now, with who is on duty for it."""

    shift: Id
    kind: ShiftKind
    area: str | None
    starts_at: Time
    ends_at: Time
    minimum: int
    accepted: int
    on_duty: list[Token]


class Coverage(Reply):
    """Who is on duty, shift by shift."""

    at: Time
    needed: int
    on_duty: int
    shifts: list[OnShift]


class Duty(Request, name="training.duty.v1", reply=Coverage):
    """The shifts that are held now, and who is on duty."""


class HoursServed(Reply):
    """What a member has served: minutes between going on and off duty, within the window of the shift."""

    member: Token
    minutes: int
    shifts: int


class Hours(Request, name="training.hours.v1", reply=HoursServed):
    """Hours served between two days, both included."""

    member: Token
    since: Day
    until: Day


class ServiceCertificate(Reply):
    """志愿服务记录证明, free of charge (志愿服务条例 art. 19; 民发〔2015〕149号): what it must say."""

    number: str
    holder: str
    volunteer_number: Token
    since: Day
    until: Day
    minutes: int
    shifts: int
    content: list[ShiftKind]
    issuer: str
    issuer_contact: str
    issued_on: Day
    code: Annotated[str, Field(max_length=200)]
    svg: str


class CertifyService(Request, name="training.certify_service.v1", reply=ServiceCertificate):
    """A member asks for the certificate of its own service."""

    since: Day
    until: Day


class CalendarFeed(Reply):
    """An iCalendar (RFC 5545) of the member's shifts and sessions."""

    ics: str


class Calendar(Request, name="training.calendar.v1", reply=CalendarFeed):
    """A member's own shifts and sessions, from a month ago on."""


class Notice(Live, address="user.{member}.notice.training"):
    """Word to a member's phone about its shifts and courses."""

    about: Token = Field(description="shift_offered, shift_withdrawn, shift_reminder, swap_proposed, ring_post, ...")
    shift: Id | None = None
    starts_at: Time | None = None
    text: Text
    at: Time


# -- facts -----------------------------------------------------------------------------------------------------------


class DutyStarted(Fact, name="training.duty.started.v1", keys=("member", "shift")):
    """A member is on duty: it may be located, if it has agreed, and sent until its duty ends, or `until` then."""

    member: Token
    kind: MemberKind
    shift: Id
    duty: Id
    until: Time
    located: bool = Field(default=True, description="whether it has agreed to be located while on duty")
    at: Time


class DutyEnded(Fact, name="training.duty.ended.v1", keys=("member", "shift")):
    """A member is off duty: it is neither located nor sent any more."""

    member: Token
    shift: Id
    duty: Id
    reason: Reason = Field(description="said (by the member), over (by the clock), or what forbids it now")
    at: Time
