"""A shift (班次) as the rules see it, and whether it may be held at all."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from shouwang.training.domain.days import DAY_MIN, LOCAL_MIN
from shouwang.training.domain.reasons import Reason


class ShiftKind(StrEnum):
    """看好自家门 is `own_post`, 照顾邻家院 is `shared_post`."""

    NIGHT_PATROL = "night_patrol"
    CHECKPOINT = "checkpoint"
    OWN_POST = "own_post"
    SHARED_POST = "shared_post"
    PUBLICITY = "publicity"


class Organiser(StrEnum):
    """Who calls a shift together."""

    POLICE = "police"
    ZONGZHI = "zongzhi"
    EMPLOYER = "employer"


class Pay(StrEnum):
    """What a shift is done for."""

    UNPAID = "unpaid"
    ALLOWANCE = "allowance"
    WAGE = "wage"


class Purpose(StrEnum):
    """What a shift is for. The last two are never a guard's work (保安服务管理条例 art. 30)."""

    PREVENTION = "prevention"
    SUPPORT = "support"
    PUBLICITY = "publicity"
    WAGE_DISPUTE = "wage_dispute"
    DEBT_COLLECTION = "debt_collection"


DANGEROUS = frozenset({ShiftKind.NIGHT_PATROL, ShiftKind.CHECKPOINT, ShiftKind.SHARED_POST})
"""Where volunteers must be insured and of age (志愿服务条例 art. 17, 浙江 art. 9)."""
POLICE_LED = DANGEROUS


@dataclass(frozen=True)
class Shift:
    """One shift. Times are minutes since 1970 in UTC; a window across midnight needs nothing special."""

    shift: str
    kind: ShiftKind
    duty_date: date
    """the day it is counted to: the evening it belongs to, though it may end, or even begin, after midnight"""
    start: int
    end: int
    lead_officer: str | None = None
    area: str | None = None
    organiser: Organiser = Organiser.POLICE
    pay: Pay = Pay.UNPAID
    purpose: Purpose = Purpose.PREVENTION
    insurance: str | None = None
    client_contract: str | None = None
    post_of: str | None = None
    """whose premises an own post is on"""
    at_school: bool = False
    requires: frozenset[str] = frozenset()
    """kinds of certificates beyond the usual one"""
    minimum: int = 1
    maximum: int = 1

    @property
    def minutes(self) -> int:
        """How long it lasts."""
        return self.end - self.start

    @property
    def days(self) -> list[date]:
        """The days on which it is held, by the calendar: two for a night."""
        first, last = ((minute + LOCAL_MIN) // DAY_MIN for minute in (self.start, self.end - 1))
        return [date(1970, 1, 1) + timedelta(days=day) for day in range(first, last + 1)]

    @property
    def is_dangerous(self) -> bool:
        """Whether it needs insurance, a written agreement and people of age."""
        return self.kind in DANGEROUS


def may_be_held(shift: Shift) -> list[Reason]:
    """What forbids this shift, whoever stands on it; empty if nothing does.

    保安共享 is recorded as police-led mass prevention, never as guard service of one company for another
    (保安服务管理条例 art. 15, 42).
    """
    found: list[Reason] = []
    if shift.kind in POLICE_LED and shift.lead_officer is None:
        found.append(Reason.NO_LEAD_OFFICER)
    if shift.kind in POLICE_LED and shift.organiser is Organiser.EMPLOYER:
        found.append(Reason.NOT_POLICE_LED)
    if shift.purpose in (Purpose.WAGE_DISPUTE, Purpose.DEBT_COLLECTION):
        found.append(Reason.WAGE_DISPUTE)
    if shift.kind in POLICE_LED and shift.area is None:
        found.append(Reason.NO_AREA)
    # Whatever it is called: guard service for a client, or for wages, is not mass prevention.
    if shift.kind in POLICE_LED and shift.client_contract is not None:
        found.append(Reason.CLIENT_CONTRACT)
    if shift.kind in POLICE_LED and shift.pay is Pay.WAGE:
        found.append(Reason.PAID)
    if shift.kind is ShiftKind.SHARED_POST and shift.insurance is None:
        found.append(Reason.SHIFT_NOT_INSURED)
    return found
