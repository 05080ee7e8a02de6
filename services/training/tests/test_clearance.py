"""Who may stand on a shift, against what the law says in as many words; and until when nothing will forbid it.

Each reason has an oracle of its own, so that a broken rule is seen beside others that hold.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shouwang.training.domain.clearance import Clearance, clearance, for_patrol, may_lead, may_stand
from shouwang.training.domain.people import Agreement, Consent, GuardEntity, MemberKind, Period, Person
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.shifts import Shift, ShiftKind

from .test_law.made import COMPANY, DAY, SCHOOL, SHOP, guard, officer, shift, volunteer

MANY = settings(max_examples=400, deadline=None)

# -- random people and shifts ----------------------------------------------------------------------------------------

near = st.integers(-3, 3).map(lambda n: DAY + timedelta(days=n))
periods = st.tuples(near, st.one_of(st.none(), near)).map(lambda p: Period(*p))
some_periods = st.lists(periods, max_size=3).map(tuple)
agreements = st.builds(Agreement, periods, risks_told=st.booleans(), overtime_agreed=st.booleans())
births = st.one_of(st.none(), st.just(date(1985, 5, 1)), near.map(lambda day: day.replace(year=day.year - 18)))
CHANGES = {
    "kind": st.sampled_from(MemberKind),
    "born": births,
    "organisation": st.sampled_from([SCHOOL, None]),
    "entity": st.sampled_from([GuardEntity.SELF_HIRING_UNIT, None]),
    "employer_consents": st.just(False),
    "left_on": near,
    "consents": st.frozensets(st.sampled_from(Consent)),
    "guardian_consents": st.just(True),
    "insured": some_periods,
    "agreements": st.lists(agreements, max_size=3).map(tuple),
    "certificates": st.dictionaries(
        st.sampled_from(["patrol_training", "guard_certificate", "first_aid"]), some_periods, max_size=2
    ),
    "barred": st.just(True),
    "minor_contact_check": st.sampled_from([None, *(DAY - timedelta(days=n) for n in (-1, 364, 365, 366))]),
    "night_protected_until": near,
}


@st.composite
def people(draw: st.DrawFn, of: Sequence[Person]) -> Person:
    """Somebody whom nothing forbids anything, but for a few things."""
    changed = set(draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=4)))
    changed |= draw(st.sampled_from([set(), {"agreements"}, {"agreements", "insured"}]))
    return replace(draw(st.sampled_from(of)), **{field: draw(CHANGES[field]) for field in sorted(changed)})


persons = people([volunteer(), guard()])
officers = people([officer(kind=kind) for kind in (MemberKind.COMMUNITY_OFFICER, MemberKind.POLICE_OFFICER)])
windows = st.sampled_from([("08:00", "12:00"), ("19:00", "22:00"), ("22:00", "02:00"), ("05:30", "06:30")])


@st.composite
def shifts(draw: st.DrawFn) -> Shift:
    """Any shift near DAY, by day, over midnight, or after it."""
    start, end = draw(windows)
    more = {
        "post_of": draw(st.sampled_from([COMPANY, SCHOOL, SHOP, None])),
        "at_school": draw(st.booleans()),
        "requires": draw(st.sampled_from([frozenset(), frozenset({"first_aid"})])),
    }
    return shift(draw(st.sampled_from(ShiftKind)), draw(near), start, end, next_day=draw(st.booleans()), **more)


# -- the oracle ------------------------------------------------------------------------------------------------------

POLICE = {"community_officer", "hometown_officer", "police_officer"}
GUARD_KINDS = {"guard", "school_guard"}
RISKY = {"night_patrol", "checkpoint", "shared_post"}
"""浙江省志愿服务条例 第9、21、23条 speak of danger: patrols, checkpoints, a neighbour's yard."""


def clock_days(at: Shift) -> set[date]:
    """The days on a wall calendar that somebody is out, minute by minute."""
    epoch = datetime(1970, 1, 1, 8, tzinfo=UTC)
    return {(epoch + timedelta(minutes=moment)).date() for moment in range(at.start, at.end)}


def by_night(at: Shift) -> bool:
    """Whether any minute is between 22 and 6 o'clock."""
    epoch = datetime(1970, 1, 1, 8, tzinfo=UTC)
    hours = {(epoch + timedelta(minutes=moment)).hour for moment in range(at.start, at.end)}
    return bool(hours & {22, 23, 0, 1, 2, 3, 4, 5})


def in_force(many: Iterable[Period], day: date) -> bool:
    """Whether one of them has begun and has not ended."""
    return any(p.since <= day and (p.until is None or p.until >= day) for p in many)


def is_minor(who: Person, at: Shift) -> bool:
    """Whether the eighteenth birthday is still to come; nobody knows it of whom nobody knows the birth date."""
    return who.born is None or who.born.replace(year=who.born.year + 18) > at.duty_date


def last_day(at: Shift) -> date:
    """The last day on which anything is asked of whoever stands on it: a night ends on the day after."""
    ends = datetime.fromtimestamp((at.end - 1) * 60, timezone(timedelta(hours=8)))
    return max(at.duty_date, ends.date())


def is_guard_work(who: Person, at: Shift) -> bool:
    """A guard on its own post."""
    return at.kind == "own_post" and who.kind in GUARD_KINDS


def lacks_certificate(who: Person, at: Shift) -> bool:
    """Guards the one of a guard for any guard work, others the course for patrols; and what the shift needs besides."""
    needed = set(at.requires)
    if at.kind in RISKY or is_guard_work(who, at):
        needed.add("guard_certificate" if who.kind in GUARD_KINDS else "patrol_training")
    return any(not in_force(who.certificates.get(kind, ()), at.duty_date) for kind in needed)


def lacks_consent(who: Person, at: Shift) -> bool:
    """A guard's own post is its contract's matter; everything else is given freely."""
    return not is_guard_work(who, at) and "patrol" not in who.consents


def papers(who: Person, at: Shift) -> list[Agreement]:
    """Agreements in force."""
    return [a for a in who.agreements if in_force([a.period], at.duty_date)]


def outside_own_area(who: Person, at: Shift) -> bool:
    """第15条: who is not employed by a guard company guards its own unit only."""
    self_hired = who.kind in GUARD_KINDS and who.entity != "guard_company"
    return self_hired and at.kind == "own_post" and (who.organisation is None or at.post_of != who.organisation)


def not_looked_up(who: Person, at: Shift) -> bool:
    """未成年人保护法 第62条: once a year."""
    looked_up = who.minor_contact_check
    good = looked_up is not None and 0 <= (at.duty_date - looked_up).days <= 365
    return who.kind in GUARD_KINDS and at.at_school and not good


ORACLE: dict[Reason, Callable[[Person, Shift], bool]] = {
    Reason.BARRED: lambda who, at: who.kind in GUARD_KINDS and who.barred,
    Reason.MINOR: lambda who, at: (at.kind in RISKY or is_guard_work(who, at)) and is_minor(who, at),
    Reason.NO_GUARDIAN_CONSENT: lambda who, at: (
        at.kind not in RISKY
        and not is_guard_work(who, at)
        and who.born is not None
        and is_minor(who, at)
        and not who.guardian_consents
    ),
    Reason.NOT_CERTIFIED: lacks_certificate,
    Reason.NO_CONSENT: lacks_consent,
    Reason.NO_TRACKING_CONSENT: lambda who, at: at.kind in RISKY and "tracking" not in who.consents,
    Reason.NO_AGREEMENT: lambda who, at: at.kind in RISKY and not papers(who, at),
    Reason.RISKS_NOT_TOLD: lambda who, at: (
        at.kind in RISKY and bool(papers(who, at)) and not any(a.risks_told for a in papers(who, at))
    ),
    Reason.NO_INSURANCE: lambda who, at: (
        at.kind in RISKY and any(not in_force(who.insured, day) for day in clock_days(at))
    ),
    Reason.NO_MINOR_CONTACT_CHECK: not_looked_up,
    Reason.NO_SHARED_CONSENT: lambda who, at: (
        who.kind in GUARD_KINDS and at.kind == "shared_post" and "shared_duty" not in who.consents
    ),
    Reason.NO_EMPLOYER_CONSENT: lambda who, at: (
        who.kind in GUARD_KINDS and at.kind == "shared_post" and not who.employer_consents
    ),
    Reason.OUTSIDE_OWN_AREA: outside_own_area,
    Reason.NIGHT_PROTECTED: lambda who, at: (
        who.night_protected_until is not None and at.duty_date <= who.night_protected_until and by_night(at)
    ),
}
"""Of whoever has not left and is not police."""


@pytest.mark.parametrize("reason", ORACLE)
def test_a_reason_is_given_when_the_law_says_so_and_only_then(reason: Reason) -> None:
    @MANY
    @given(persons, shifts())
    def holds(who: Person, at: Shift) -> None:
        assume(who.kind not in POLICE and (who.left_on is None or who.left_on > last_day(at)))
        assert (reason in may_stand(who, at)) == ORACLE[reason](who, at)

    holds()


@MANY
@given(persons, shifts())
def test_no_reason_is_given_that_is_not_one(who: Person, at: Shift) -> None:
    found = may_stand(who, at)
    assert len(found) == len(set(found))
    assert set(found) <= {*ORACLE, Reason.LEFT}


@MANY
@given(persons | officers, shifts())
def test_nothing_can_be_asked_of_who_has_left(who: Person, at: Shift) -> None:
    """From that day on; and nothing else is said of them."""
    has_left = who.left_on is not None and who.left_on <= last_day(at)
    assert (Reason.LEFT in may_stand(who, at)) == has_left
    assert not has_left or may_stand(who, at) == [Reason.LEFT]


@MANY
@given(officers, shifts())
def test_police_are_held_to_none_of_it(who: Person, at: Shift) -> None:
    assume(who.kind in POLICE and who.left_on is None)
    assert may_stand(who, at) == may_lead(who, at.duty_date) == []


@MANY
@given(persons, near)
def test_patrol_and_a_patrols_shift_are_judged_alike(who: Person, day: date) -> None:
    """What dispatch goes by is what rosters go by, apart from what only a shift can say."""
    evening = shift(day=day)
    of_shift = {Reason.NIGHT_PROTECTED, Reason.NO_MINOR_CONTACT_CHECK}
    assert [reason for reason in may_stand(who, evening) if reason not in of_shift] == for_patrol(who, day)


# -- until when ------------------------------------------------------------------------------------------------------


@MANY
@given(persons, near)
def test_nothing_forbids_patrol_until_the_day_that_is_told(who: Person, day: date) -> None:
    """Dispatch goes by it without asking again."""
    stands = clearance(who, day)
    if stands.reason is not None:
        assert stands == Clearance(for_patrol(who, day)[0])
        return
    last = stands.until or day + timedelta(days=40)
    assert last >= day
    for n in range((last - day).days + 1):
        assert for_patrol(who, day + timedelta(days=n)) == []


@MANY
@given(persons, near)
def test_something_forbids_it_on_the_day_after(who: Person, day: date) -> None:
    """Else members would be suspended who need not be."""
    stands = clearance(who, day)
    if stands.until is not None:
        assert for_patrol(who, stands.until + timedelta(days=1)) != []


def test_papers_that_follow_each_other_without_a_gap_are_one() -> None:
    first, second = Period(DAY, DAY + timedelta(days=9)), Period(DAY + timedelta(days=10), DAY + timedelta(days=19))
    assert clearance(volunteer(insured=(second, first)), DAY) == Clearance(None, second.until)
    with_gap = replace(second, since=second.since + timedelta(days=1))
    assert clearance(volunteer(insured=(first, with_gap)), DAY) == Clearance(None, first.until)


def test_nothing_ends_what_has_no_end() -> None:
    assert clearance(volunteer(), DAY) == clearance(guard(), DAY) == clearance(officer(), DAY) == Clearance(None)


def test_clearance_ends_on_the_day_before_who_leaves() -> None:
    for person in (volunteer(left_on=DAY), guard(left_on=DAY), officer(left_on=DAY)):
        assert clearance(person, DAY - timedelta(days=1)) == Clearance(None, DAY - timedelta(days=1))
        assert clearance(person, DAY) == Clearance(Reason.LEFT)


def test_clearance_does_not_outlast_the_risks_that_were_told() -> None:
    """A second agreement of somebody who was told nothing does not prolong the first."""
    told = Agreement(Period(DAY, DAY + timedelta(days=9)), risks_told=True)
    untold = Agreement(Period(DAY + timedelta(days=10)), risks_told=False)
    assert clearance(volunteer(agreements=(told, untold)), DAY) == Clearance(None, told.period.until)
