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
    return _for_danger(person, day, [day])


def may_stand(person: Person, shift: Shift) -> list[Reason]:
    """What forbids this person this shift, rest aside (`rest.conflicts`)."""
    day = shift.duty_date
    if person.is_officer or has_left(person, max(day, shift.days[-1])):
        return [Reason.LEFT] if has_left(person, max(day, shift.days[-1])) else []
    found = _for_danger(person, day, shift.days) if shift.is_dangerous else _for_harmless(person, shift)
    found += [Reason.NOT_CERTIFIED for kind in sorted(shift.requires) if not person.is_certified(kind, day)]
    if person.is_guard:
        found += _as_guard(person, shift)
    if person.is_night_protected(day) and touches_night(shift.start, shift.end):
        found.append(Reason.NIGHT_PROTECTED)
    return list(dict.fromkeys(found))


def has_left(person: Person, day: date) -> bool:
    """Whether the person no longer takes part on a day."""
    return person.left_on is not None and person.left_on <= day


def may_lead(person: Person, day: date) -> list[Reason]:
    """What forbids this person to lead a shift: only police may stop, question and check papers."""
    if not person.is_officer:
        return [Reason.NOT_AN_OFFICER]
    return [Reason.LEFT] if has_left(person, day) else []


def _for_danger(person: Person, day: date, days: Iterable[date]) -> list[Reason]:
    """Args: days: those on which it is held, by the calendar; insurance knows no evening that the night belongs to."""
    if person.is_officer or has_left(person, day):
        return [Reason.LEFT] if has_left(person, day) else []
    found: list[Reason] = []
    if person.is_guard and person.is_barred(day):
        found.append(Reason.BARRED)
    if not _is_adult(person, day):
        found.append(Reason.MINOR)
    if not person.is_certified(person.certified_by, day):
        found.append(Reason.NOT_CERTIFIED)
    found += _agreed(person, day)
    if not all(any(period.covers(on) for period in person.insured) for on in days):
        found.append(Reason.NO_INSURANCE)
    return found


def _is_adult(person: Person, day: date) -> bool:
    return person.born is not None and age_on(day, person.born) >= ADULT_YEARS


def _agreed(person: Person, day: date) -> list[Reason]:
    found: list[Reason] = []
    if Consent.PATROL not in person.consents:
        found.append(Reason.NO_CONSENT)
    if Consent.TRACKING not in person.consents:
        found.append(Reason.NO_TRACKING_CONSENT)
    agreements = person.agreements_on(day)
    if not agreements:
        found.append(Reason.NO_AGREEMENT)
    elif not any(agreement.risks_told for agreement in agreements):
        found.append(Reason.RISKS_NOT_TOLD)
    return found


def _for_harmless(person: Person, shift: Shift) -> list[Reason]:
    """Leaflets and stalls: minors with a guardian's consent. Own posts: guards by their contract, nobody else's."""
    day = shift.duty_date
    if shift.kind is ShiftKind.OWN_POST and person.is_guard:
        found = [] if _is_adult(person, day) else [Reason.MINOR]
        return found + ([] if person.is_certified(person.certified_by, day) else [Reason.NOT_CERTIFIED])
    found = []
    if person.born is not None and not _is_adult(person, day) and not person.guardian_consents:
        found.append(Reason.NO_GUARDIAN_CONSENT)
    if Consent.PATROL not in person.consents:
        found.append(Reason.NO_CONSENT)
    return found


def _as_guard(person: Person, shift: Shift) -> list[Reason]:
    found: list[Reason] = []
    if person.is_barred(shift.duty_date):
        found.append(Reason.BARRED)
    if shift.at_school and not _checked_for_school(person, shift.duty_date):
        found.append(Reason.NO_MINOR_CONTACT_CHECK)
    if shift.kind is ShiftKind.SHARED_POST:
        if Consent.SHARED_DUTY not in person.consents:
            found.append(Reason.NO_SHARED_CONSENT)
        if not person.employer_consents:
            found.append(Reason.NO_EMPLOYER_CONSENT)
    # Whoever employs guards and is no company hires its own, whether it says so or not.
    self_hired = shift.kind is ShiftKind.OWN_POST and person.entity is not GuardEntity.GUARD_COMPANY
    if self_hired and (shift.post_of is None or shift.post_of != person.organisation):
        found.append(Reason.OUTSIDE_OWN_AREA)
    return found


def _checked_for_school(person: Person, day: date) -> bool:
    checked = person.minor_contact_check
    return checked is not None and checked <= day <= checked + CHECK_GOOD_FOR


def _lasts_until(person: Person, day: date) -> date | None:
    if person.is_officer:
        return None if person.left_on is None else person.left_on - timedelta(days=1)
    agreements = (agreement.period for agreement in person.agreements if agreement.risks_told)
    ends = [
        _last(day, person.certificates.get(person.certified_by, ())),
        _last(day, person.insured),
        _last(day, agreements),
        person.left_on and person.left_on - timedelta(days=1),
        *(bar.since - timedelta(days=1) for bar in person.bars if person.is_guard and bar.since > day),
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
