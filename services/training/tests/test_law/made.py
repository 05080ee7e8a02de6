"""People and shifts that nothing forbids: each test takes away or adds the one thing that it is about."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from shouwang.training.domain.days import minute, window
from shouwang.training.domain.people import (
    GUARD_CERTIFICATE,
    PATROL_CERTIFICATE,
    Agreement,
    Consent,
    GuardEntity,
    MemberKind,
    Period,
    Person,
)
from shouwang.training.domain.shifts import Shift, ShiftKind

DAY = date(2027, 2, 10)
"""A Wednesday. February 2027 is exactly four weeks, Monday to Sunday."""
FOREVER = Period(date(2020, 1, 1))
COMPANY, SCHOOL, SHOP = "示例保安公司", "示例学校", "示例店铺"


def years_before(day: date, years: int) -> date:
    """The birth date of who is so many years old on a day."""
    return day.replace(year=day.year - years)


def volunteer(**changed: Any) -> Person:
    """示例甲 of a shop: trained, insured, of age, with an agreement, and willing."""
    person = Person(
        member="volunteer",
        kind=MemberKind.SHOP_VOLUNTEER,
        born=date(1985, 5, 1),
        organisation=SHOP,
        consents=frozenset({Consent.PATROL, Consent.TRACKING}),
        insured=(FOREVER,),
        agreements=(Agreement(FOREVER, risks_told=True),),
        certificates={PATROL_CERTIFICATE: (FOREVER,)},
    )
    return replace(person, **changed)


def guard(**changed: Any) -> Person:
    """示例乙, a certified guard of a guard company that shares its guards."""
    person = replace(
        volunteer(),
        member="guard",
        kind=MemberKind.GUARD,
        organisation=COMPANY,
        entity=GuardEntity.GUARD_COMPANY,
        employer_consents=True,
        consents=frozenset(Consent),
        certificates={GUARD_CERTIFICATE: (FOREVER,)},
        minor_contact_check=DAY,
    )
    return replace(person, **changed)


def officer(**changed: Any) -> Person:
    """示例警 of the post: what is asked of volunteers and guards is not asked of police."""
    return replace(Person(member="officer", kind=MemberKind.COMMUNITY_OFFICER), **changed)


def shift(
    kind: ShiftKind = ShiftKind.NIGHT_PATROL,
    day: date = DAY,
    start: str = "19:00",
    end: str = "22:00",
    *,
    next_day: bool = False,
    **changed: Any,
) -> Shift:
    """A shift that is lawful, in local time."""
    begins, ends = window(day, start, end, next_day=next_day)
    lawful = Shift(
        shift=f"{kind} {day} {start}",
        kind=kind,
        duty_date=day,
        start=minute(begins),
        end=minute(ends),
        lead_officer="officer",
        area="示例片区",
        insurance="示例保单",
    )
    return replace(lawful, **changed)


def own_post(of: str | None = COMPANY, **changed: Any) -> Shift:
    """看好自家门: at the guard's own post."""
    return shift(ShiftKind.OWN_POST, **{"post_of": of, "lead_officer": None, **changed})


def days_from(first: date, many: int) -> list[date]:
    """So many days, one after the other."""
    return [first + timedelta(days=n) for n in range(many)]
