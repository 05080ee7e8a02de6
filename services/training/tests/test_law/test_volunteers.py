"""Volunteers: each block of 志愿服务条例 (2017) and 浙江省志愿服务条例 (2018), and of 个人信息保护法."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shouwang.training.domain.clearance import Clearance, clearance, for_patrol, may_stand
from shouwang.training.domain.hours import minutes_served
from shouwang.training.domain.identity import masked_id_number, masked_name, masked_phone
from shouwang.training.domain.people import (
    GUARDS,
    OFFICERS,
    PATROL_CERTIFICATE,
    Agreement,
    Consent,
    MemberKind,
    Period,
)
from shouwang.training.domain.reasons import LAW, Reason
from shouwang.training.domain.shifts import DANGEROUS, ShiftKind

from .made import DAY, FOREVER, SHOP, guard, officer, own_post, shift, volunteer, years_before

DAY_BEFORE, DAY_AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
VOLUNTEERS = sorted(set(MemberKind) - GUARDS - OFFICERS)
SETTINGS = {
    Reason.LEFT, Reason.NO_EMPLOYER_CONSENT, Reason.DOUBLE_BOOKED, Reason.REST, Reason.COMMITMENT_MET, Reason.FULL,
    Reason.NO_AREA,
}  # fmt: skip
"""No law was found for these."""

UNWILLING = frozenset({Consent.TRACKING, Consent.SHARED_DUTY})

each_volunteer = pytest.mark.parametrize("who", VOLUNTEERS)
each_dangerous = pytest.mark.parametrize("kind", sorted(DANGEROUS))


@each_volunteer
@each_dangerous
def test_nothing_forbids_a_volunteer_who_has_all_that_the_law_asks_for(who: MemberKind, kind: ShiftKind) -> None:
    """Without this one the others would pass if everything were refused."""
    assert may_stand(volunteer(kind=who), shift(kind)) == []


@pytest.mark.parametrize("who", sorted(OFFICERS))
@each_dangerous
def test_police_are_not_volunteers_and_need_none_of_their_papers(who: MemberKind, kind: ShiftKind) -> None:
    assert may_stand(officer(kind=who), shift(kind)) == []


@pytest.mark.parametrize("reason", Reason)
def test_every_block_tells_its_sense_in_both_languages_and_its_article(reason: Reason) -> None:
    law = LAW[reason]
    assert law.zh
    assert law.en
    assert ("第" in law.article and "条" in law.article) == (reason not in SETTINGS)


def test_what_forbids_most_lastingly_is_told_first() -> None:
    """Suspension tells one reason: the one that will not pass by itself."""
    nothing = volunteer(born=None, consents=frozenset(), insured=(), agreements=(), certificates={})
    assert for_patrol(nothing, DAY) == [
        Reason.MINOR, Reason.NOT_CERTIFIED, Reason.NO_CONSENT, Reason.NO_TRACKING_CONSENT, Reason.NO_AGREEMENT,
        Reason.NO_INSURANCE,
    ]  # fmt: skip
    assert clearance(nothing, DAY) == Clearance(Reason.MINOR)


# -- risks, skill, training ------------------------------------------------------------------------------------------


@each_dangerous
def test_the_real_risks_are_told_first__volunteer_regulations_art_12(kind: ShiftKind) -> None:
    """志愿服务条例 第12条."""
    untold = volunteer(agreements=(Agreement(FOREVER, risks_told=False),))
    assert may_stand(untold, shift(kind)) == [Reason.RISKS_NOT_TOLD]


def test_risks_that_were_told_later_are_told__volunteer_regulations_art_12() -> None:
    """志愿服务条例 第12条: whoever signs again, and is told, need not wait for the first paper to end."""
    papers = (Agreement(FOREVER, risks_told=False), Agreement(Period(DAY), risks_told=True))
    assert may_stand(volunteer(agreements=papers), shift()) == []
    assert may_stand(volunteer(agreements=papers[::-1]), shift()) == []


def test_a_task_suits_the_skill__volunteer_regulations_art_15() -> None:
    """志愿服务条例 第15条: a shift that needs more than the usual certificate takes only who has it on that day."""
    needs = shift(requires=frozenset({"first_aid", "drone"}))
    can = volunteer(
        certificates={PATROL_CERTIFICATE: (FOREVER,), "first_aid": (FOREVER,), "drone": (Period(DAY, DAY),)}
    )
    assert may_stand(can, needs) == []
    assert may_stand(replace(can, certificates={**can.certificates, "drone": ()}), needs) == [Reason.NOT_CERTIFIED]
    assert may_stand(can, shift(day=DAY_AFTER, requires=needs.requires)) == [Reason.NOT_CERTIFIED]
    stall = shift(ShiftKind.PUBLICITY, requires=frozenset({"first_aid"}))
    assert may_stand(volunteer(), stall) == [Reason.NOT_CERTIFIED]  # harmless, yet it needs the skill


@each_volunteer
@each_dangerous
def test_no_patrol_without_training__volunteer_regulations_art_16(who: MemberKind, kind: ShiftKind) -> None:
    """志愿服务条例 第16条; 浙江省志愿服务条例 第22条 names 平安建设 among what needs training first."""
    assert may_stand(volunteer(kind=who, certificates={}), shift(kind)) == [Reason.NOT_CERTIFIED]


def test_training_counts_from_its_first_to_its_last_day__zhejiang_volunteer_rules_art_22() -> None:
    """浙江省志愿服务条例 第22条."""
    trained = volunteer(certificates={PATROL_CERTIFICATE: (Period(DAY, DAY_AFTER),)})
    found = [for_patrol(trained, day) for day in (DAY_BEFORE, DAY, DAY_AFTER, DAY_AFTER + timedelta(days=1))]
    assert found == [[Reason.NOT_CERTIFIED], [], [], [Reason.NOT_CERTIFIED]]


# -- insurance -------------------------------------------------------------------------------------------------------


@each_dangerous
def test_insurance_before_any_dangerous_activity__volunteer_regulations_art_17(kind: ShiftKind) -> None:
    """志愿服务条例 第17条; 浙江省志愿服务条例 第23条."""
    assert may_stand(volunteer(insured=()), shift(kind)) == [Reason.NO_INSURANCE]


def test_insurance_covers_its_days_and_no_other__zhejiang_volunteer_rules_art_23() -> None:
    """浙江省志愿服务条例 第23条."""
    covered = volunteer(insured=(Period(DAY, DAY), Period(DAY_AFTER, DAY_AFTER)))
    found = [may_stand(covered, shift(day=day)) for day in (DAY_BEFORE, DAY, DAY_AFTER, DAY_AFTER + timedelta(days=1))]
    assert found == [[Reason.NO_INSURANCE], [], [], [Reason.NO_INSURANCE]]


def test_insurance_lasts_as_long_as_the_night__volunteer_regulations_art_17() -> None:
    """志愿服务条例 第17条: a policy that ends with the evening does not cover the hours after midnight."""
    until_evening = volunteer(insured=(Period(DAY_BEFORE, DAY),))
    assert may_stand(until_evening, shift(start="20:00", end="00:00")) == []
    assert may_stand(until_evening, shift(start="22:00", end="02:00")) == [Reason.NO_INSURANCE]


def test_a_shift_after_midnight_is_insured_on_the_day_it_is_held__volunteer_regulations_art_17() -> None:
    """志愿服务条例 第17条: 00:00-04:00 is counted to the evening before; an accident is not."""
    small_hours = shift(start="00:00", end="04:00", next_day=True)
    assert may_stand(volunteer(insured=(Period(DAY, DAY),)), small_hours) == [Reason.NO_INSURANCE]
    assert may_stand(volunteer(insured=(Period(DAY_AFTER, DAY_AFTER),)), small_hours) == []


# -- agreement -------------------------------------------------------------------------------------------------------


@each_dangerous
def test_dangerous_service_needs_a_written_agreement__zhejiang_volunteer_rules_art_21(kind: ShiftKind) -> None:
    """浙江省志愿服务条例 第21条."""
    assert may_stand(volunteer(agreements=()), shift(kind)) == [Reason.NO_AGREEMENT]


def test_an_agreement_is_in_force_on_its_days_only__zhejiang_volunteer_rules_art_21() -> None:
    """浙江省志愿服务条例 第21条."""
    agreed = volunteer(agreements=(Agreement(Period(DAY, DAY), risks_told=True),))
    found = [may_stand(agreed, shift(day=day)) for day in (DAY_BEFORE, DAY, DAY_AFTER)]
    assert found == [[Reason.NO_AGREEMENT], [], [Reason.NO_AGREEMENT]]


# -- minors ----------------------------------------------------------------------------------------------------------


@each_volunteer
@each_dangerous
def test_no_minors_in_dangerous_activities__zhejiang_volunteer_rules_art_9(who: MemberKind, kind: ShiftKind) -> None:
    """浙江省志愿服务条例 第9条: not even with a guardian's consent."""
    minor = volunteer(kind=who, born=years_before(DAY_AFTER, 18), guardian_consents=True)
    assert may_stand(minor, shift(kind)) == [Reason.MINOR]
    assert may_stand(replace(minor, born=years_before(DAY, 18)), shift(kind)) == []


def test_of_age_at_the_beginning_of_a_night_not_in_its_midst__zhejiang_volunteer_rules_art_9() -> None:
    """浙江省志愿服务条例 第9条: a birthday at midnight comes too late for the evening."""
    almost = volunteer(born=years_before(DAY_AFTER, 18))
    assert may_stand(almost, shift(start="22:00", end="02:00")) == [Reason.MINOR]


def test_born_on_a_leap_day_is_of_age_on_the_first_of_march__zhejiang_volunteer_rules_art_9() -> None:
    """浙江省志愿服务条例 第9条: 2027 has no 29 February."""
    leap = volunteer(born=date(2008, 2, 29))
    assert may_stand(leap, shift(day=date(2026, 2, 28))) == [Reason.MINOR]
    assert may_stand(leap, shift(day=date(2026, 3, 1))) == []


@each_dangerous
def test_whose_age_is_not_known_is_taken_for_a_minor__zhejiang_volunteer_rules_art_9(kind: ShiftKind) -> None:
    """浙江省志愿服务条例 第9条."""
    assert may_stand(volunteer(born=None, guardian_consents=True), shift(kind)) == [Reason.MINOR]


@each_volunteer
def test_a_minor_takes_part_with_a_guardians_consent__zhejiang_volunteer_rules_art_9(who: MemberKind) -> None:
    """浙江省志愿服务条例 第9条: leaflets and stalls only."""
    minor, stall = volunteer(kind=who, born=years_before(DAY, 14)), shift(ShiftKind.PUBLICITY)
    assert may_stand(minor, stall) == [Reason.NO_GUARDIAN_CONSENT]
    assert may_stand(replace(minor, guardian_consents=True), stall) == []
    assert may_stand(volunteer(kind=who), stall) == []


# -- nobody is forced ------------------------------------------------------------------------------------------------


@each_volunteer
@pytest.mark.parametrize("kind", sorted(set(ShiftKind) - {ShiftKind.OWN_POST}))
def test_nobody_may_be_ordered_or_forced__volunteer_regulations_art_25(who: MemberKind, kind: ShiftKind) -> None:
    """志愿服务条例 第25条; 浙江省志愿服务条例 第11条: without a volunteer's own consent there is no shift for it."""
    assert may_stand(volunteer(kind=who, consents=UNWILLING), shift(kind)) == [Reason.NO_CONSENT]


def test_a_volunteer_is_not_ordered_to_an_own_post__volunteer_regulations_art_25() -> None:
    """志愿服务条例 第25条; 浙江省志愿服务条例 第11条: a guard has a contract for its post, a volunteer has none.

    Places on own posts are accepted as soon as they are published: nobody else would ask it.
    """
    assert may_stand(volunteer(consents=UNWILLING), own_post(SHOP)) == [Reason.NO_CONSENT]


@each_dangerous
def test_guards_give_their_free_time_only_of_their_own_will__volunteer_regulations_art_25(kind: ShiftKind) -> None:
    """志愿服务条例 第25条: what they do outside their own post they do as volunteers."""
    unwilling = guard(consents=frozenset(Consent) - {Consent.PATROL})
    assert Reason.NO_CONSENT in may_stand(unwilling, shift(kind))


def test_a_guards_own_post_is_its_contracts_matter__volunteer_regulations_art_25() -> None:
    """志愿服务条例 第25条 is about what is given freely; a day's work at one's own post is not."""
    assert may_stand(guard(consents=frozenset({Consent.TRACKING})), own_post()) == []


def test_who_declined_has_nothing_to_fear__zhejiang_volunteer_rules_art_18() -> None:
    """浙江省志愿服务条例 第18条: the code exists, to leave somebody out of what they declined, and says so."""
    assert LAW[Reason.DECLINED].article == "浙江省志愿服务条例 第18条"
    assert "no consequences" in LAW[Reason.DECLINED].en


# -- records ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("came", "went", "minutes"),
    [
        ("21:30", "02:30", 240),  # early and late: the window counts
        ("22:00", "02:00", 240),
        ("22:00", "22:00", 0),
        ("22:20", "01:05", 165),
        ("21:30", "21:50", 0),  # gone before it began
        ("02:05", "02:10", 0),
    ],
)
def test_service_is_recorded_truly__volunteer_regulations_art_19(came: str, went: str, minutes: int) -> None:
    """志愿服务条例 第19条: full minutes on duty within the window, neither more nor fewer."""

    def at(clock: str) -> datetime:
        hour, minute = map(int, clock.split(":"))
        return datetime(2027, 2, 10 + (hour < 12), hour, minute, tzinfo=UTC)

    assert minutes_served(at(came), at(went), at("22:00"), at("02:00")) == minutes


def test_a_minute_that_was_not_full_is_not_recorded__volunteer_regulations_art_19() -> None:
    """志愿服务条例 第19条."""
    begins = datetime(2027, 2, 10, 22, tzinfo=UTC)
    ends = begins + timedelta(hours=4)
    assert minutes_served(begins + timedelta(seconds=1), ends, begins, ends) == 239


def test_who_a_volunteer_is_is_not_shown_without_consent__volunteer_regulations_art_20() -> None:
    """志愿服务条例 第20条: the name, the number and the birth date in it are masked."""
    assert (masked_name("示例甲"), masked_phone("13800138000")) == ("示**", "138****8000")
    assert masked_id_number("330381198505010010") == "330381********0010"


# -- location --------------------------------------------------------------------------------------------------------


@each_dangerous
def test_tracking_needs_a_consent_of_its_own__pipl_art_29(kind: ShiftKind) -> None:
    """个人信息保护法 第28、29条: location tracks are sensitive; consent to patrol is not consent to be located."""
    unseen = volunteer(consents=frozenset({Consent.PATROL}))
    assert may_stand(unseen, shift(kind)) == [Reason.NO_TRACKING_CONSENT]
