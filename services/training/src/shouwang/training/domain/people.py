"""What the rules know of a member: dates and yes or no, no names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class MemberKind(StrEnum):
    """Kinds of members (学员、保安员、民警 …), after the programme's trainees."""

    MILITIA = "militia"
    TEACHER = "teacher"
    DOCTOR = "doctor"
    CIVIL_SERVANT = "civil_servant"
    GUARD = "guard"
    SCHOOL_GUARD = "school_guard"
    SHOP_VOLUNTEER = "shop_volunteer"
    VILLAGER = "villager"
    STUDENT = "student"
    COMMUNITY_OFFICER = "community_officer"
    HOMETOWN_OFFICER = "hometown_officer"
    POLICE_OFFICER = "police_officer"


GUARDS = frozenset({MemberKind.GUARD, MemberKind.SCHOOL_GUARD})
OFFICERS = frozenset({MemberKind.COMMUNITY_OFFICER, MemberKind.HOMETOWN_OFFICER, MemberKind.POLICE_OFFICER})
"""Police (民警): they lead, and the rules for volunteers and guards are not about them."""


class Consent(StrEnum):
    """What a member agrees to, each apart, each taken back at any time."""

    PATROL = "patrol"
    TRACKING = "tracking"
    SHARED_DUTY = "shared_duty"


class GuardEntity(StrEnum):
    """保安从业单位: a guard company, or a unit that hires its own guards (保安服务管理条例 art. 4)."""

    GUARD_COMPANY = "guard_company"
    SELF_HIRING_UNIT = "self_hiring_unit"


PATROL_CERTIFICATE = "patrol_training"
GUARD_CERTIFICATE = "guard_certificate"


@dataclass(frozen=True)
class Period:
    """Days from a first to a last one, both included; without a last one it goes on."""

    since: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Whether a day is among them."""
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True)
class Agreement:
    """A written agreement on the service (浙江省志愿服务条例 art. 21)."""

    period: Period
    risks_told: bool
    overtime_agreed: bool = False


@dataclass(frozen=True)
class Person:
    """One member as the rules see it."""

    member: str
    kind: MemberKind
    born: date | None = None
    organisation: str | None = None
    entity: GuardEntity | None = None
    """of the organisation, if it employs guards"""
    employer_consents: bool = False
    left_on: date | None = None
    consents: frozenset[Consent] = frozenset()
    guardian_consents: bool = False
    insured: tuple[Period, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    certificates: Mapping[str, tuple[Period, ...]] = field(default_factory=dict)
    """by kind; only those not revoked"""
    barred: bool = False
    bars: tuple[Period, ...] = ()
    """when the law bars them from guard work (保安服务管理条例 art. 17); `barred` is without an end"""
    minor_contact_check: date | None = None
    night_protected_until: date | None = None

    @property
    def is_officer(self) -> bool:
        """Whether this is police."""
        return self.kind in OFFICERS

    @property
    def is_guard(self) -> bool:
        """Whether this is a guard (保安员)."""
        return self.kind in GUARDS

    @property
    def certified_by(self) -> str:
        """The kind of certificate without which this member may not go on patrol."""
        return GUARD_CERTIFICATE if self.is_guard else PATROL_CERTIFICATE

    def is_barred(self, day: date) -> bool:
        """Whether the law bars them from guard work on a day."""
        return self.barred or any(period.covers(day) for period in self.bars)

    def agreements_on(self, day: date) -> list[Agreement]:
        """The agreements in force on a day."""
        return [agreement for agreement in self.agreements if agreement.period.covers(day)]

    def overtime_agreed(self, day: date) -> bool:
        """Whether longer days were agreed for this day; not for who is protected (劳动法 art. 41, 61, 63)."""
        agreed = any(agreement.overtime_agreed for agreement in self.agreements_on(day))
        return agreed and not self.is_night_protected(day)

    def is_night_protected(self, day: date) -> bool:
        """Late in pregnancy, or nursing: no nights and no overtime (劳动法 art. 61, 63)."""
        return self.night_protected_until is not None and day <= self.night_protected_until

    def is_certified(self, kind: str, day: date) -> bool:
        """Whether a certificate of this kind is valid on a day."""
        return any(period.covers(day) for period in self.certificates.get(kind, ()))
