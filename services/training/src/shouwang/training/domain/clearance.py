"""Who may stand on a shift: everything that forbids it, by reason; and until when nothing does.

Volunteers and guards are held to the law's conditions (`reasons.LAW`); police are not volunteers and lead.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from shouwang.training.domain.identity import ADULT_YEARS, age_on
from shouwang.training.domain.people import Consent, GuardEntity, Period, Person
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.rest import touches_night
from shouwang.training.domain.shifts import Shift, ShiftKind

CHECK_GOOD_FOR = timedelta(days=365)
"""Of a check of records against minors: schools repeat it every year (未成年人保护法 art. 62)."""


@dataclass(frozen=True)
class Clearance:
    """Whether a member may be on patrol at all: dispatch goes by this. `until` is the last day that nothing forbids."""

    reason: Reason | None
    until: date | None = None


def clearance(person: Person, day: date) -> Clearance:
    """Of a day. Certificates and policies that end later are told by `until`, so that nobody has to be told twice."""
    reasons = for_patrol(person, day)
    return Clearance(reasons[0]) if reasons else Clearance(None, _lasts_until(person, day))


def for_patrol(person: Person, day: date) -> list[Reason]:
    """What forbids this person to be on patrol on a day, the most lasting first."""
    if person.left_on is not None and person.left_on <= day:
        return [Reason.LEFT]
    if person.is_officer:
        return []
    found: list[Reason] = []
    if person.barred and person.is_guard:
        found.append(Reason.BARRED)
    if person.born is None or age_on(day, person.born) < ADULT_YEARS:
        found.append(Reason.MINOR)
    if not person.is_certified(person.certified_by, day):
        found.append(Reason.NOT_CERTIFIED)
    found += _agreed(person, day)
    if not any(period.covers(day) for period in person.insured):
        found.append(Reason.NO_INSURANCE)
    return found


def may_stand(person: Person, shift: Shift) -> list[Reason]:
    """What forbids this person this shift, rest aside (`rest.conflicts`)."""
    day = shift.duty_date
    if shift.is_dangerous:
        found = for_patrol(person, day)
    elif person.is_officer:
        found = []
    else:
        found = _for_harmless(person, shift)
    if person.is_officer or Reason.LEFT in found:
        return found
    found += [Reason.NOT_CERTIFIED for kind in sorted(shift.requires) if not person.is_certified(kind, day)]
    if person.is_guard:
        found += _as_guard(person, shift)
    if person.night_protected_until and day <= person.night_protected_until and touches_night(shift.start, shift.end):
        found.append(Reason.NIGHT_PROTECTED)
    return list(dict.fromkeys(found))


def may_lead(person: Person, day: date) -> list[Reason]:
    """What forbids this person to lead a shift: only police may stop, question and check papers."""
    if not person.is_officer:
        return [Reason.NOT_AN_OFFICER]
    return [Reason.LEFT] if person.left_on is not None and person.left_on <= day else []


def _agreed(person: Person, day: date) -> list[Reason]:
    found: list[Reason] = []
    if Consent.PATROL not in person.consents:
        found.append(Reason.NO_CONSENT)
    if Consent.TRACKING not in person.consents:
        found.append(Reason.NO_TRACKING_CONSENT)
    agreement = person.agreement_on(day)
    if agreement is None:
        found.append(Reason.NO_AGREEMENT)
    elif not agreement.risks_told:
        found.append(Reason.RISKS_NOT_TOLD)
    return found


def _for_harmless(person: Person, shift: Shift) -> list[Reason]:
    """Leaflets and stalls: minors with a guardian's consent; guards on their own post by their contract."""
    day = shift.duty_date
    if person.left_on is not None and person.left_on <= day:
        return [Reason.LEFT]
    found: list[Reason] = []
    if person.born is not None and age_on(day, person.born) < ADULT_YEARS and not person.guardian_consents:
        found.append(Reason.NO_GUARDIAN_CONSENT)
    if shift.kind is ShiftKind.OWN_POST:
        if person.is_guard and not person.is_certified(person.certified_by, day):
            found.append(Reason.NOT_CERTIFIED)
    elif Consent.PATROL not in person.consents:
        found.append(Reason.NO_CONSENT)
    return found


def _as_guard(person: Person, shift: Shift) -> list[Reason]:
    found: list[Reason] = []
    if person.barred:
        found.append(Reason.BARRED)
    if shift.at_school and not _checked_for_school(person, shift.duty_date):
        found.append(Reason.NO_MINOR_CONTACT_CHECK)
    if shift.kind is ShiftKind.SHARED_POST:
        if Consent.SHARED_DUTY not in person.consents:
            found.append(Reason.NO_SHARED_CONSENT)
        if not person.employer_consents:
            found.append(Reason.NO_EMPLOYER_CONSENT)
    self_hired = shift.kind is ShiftKind.OWN_POST and person.entity is GuardEntity.SELF_HIRING_UNIT
    if self_hired and shift.post_of != person.organisation:
        found.append(Reason.OUTSIDE_OWN_AREA)
    return found


def _checked_for_school(person: Person, day: date) -> bool:
    checked = person.minor_contact_check
    return checked is not None and checked <= day <= checked + CHECK_GOOD_FOR


def _lasts_until(person: Person, day: date) -> date | None:
    if person.is_officer:
        return None if person.left_on is None else person.left_on - timedelta(days=1)
    agreements = (agreement.period for agreement in person.agreements)
    ends = [
        _last(day, person.certificates.get(person.certified_by, ())),
        _last(day, person.insured),
        _last(day, agreements),
        person.left_on and person.left_on - timedelta(days=1),
    ]
    return min((end for end in ends if end is not None), default=None)


def _last(day: date, periods: Iterable[Period]) -> date | None:
    """The last day that is covered without a gap by these periods from `day` on; None if it never ends."""
    reached = day
    for period in sorted(periods, key=lambda period: period.since):
        if period.since <= reached + timedelta(days=1) and (period.until is None or period.until >= reached):
            if period.until is None:
                return None
            reached = period.until
    return reached
