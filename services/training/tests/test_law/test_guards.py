"""Guards: each block of 保安服务管理条例 (order 564, as amended 2022); who leads; whom children are trusted to."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from shouwang.training.domain.clearance import for_patrol, may_lead, may_stand
from shouwang.training.domain.organisations import may_be_entity
from shouwang.training.domain.people import (
    GUARD_CERTIFICATE,
    GUARDS,
    OFFICERS,
    PATROL_CERTIFICATE,
    Consent,
    GuardEntity,
    MemberKind,
    Period,
)
from shouwang.training.domain.reasons import LAW, Reason
from shouwang.training.domain.shifts import POLICE_LED, Organiser, Pay, Purpose, ShiftKind, may_be_held

from .made import COMPANY, DAY, FOREVER, SCHOOL, SHOP, guard, officer, own_post, shift, volunteer, years_before

DAY_BEFORE, DAY_AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
KINDS_OF_UNITS = (
    "guard_company", "self_hiring_unit", "school", "shop", "hotel", "mall", "firm", "entertainment", "police_post",
    "government", "village", "other",
)  # fmt: skip

each_guard = pytest.mark.parametrize("who", sorted(GUARDS))
each_police_led = pytest.mark.parametrize("kind", sorted(POLICE_LED))


@each_guard
@pytest.mark.parametrize("kind", ShiftKind)
def test_nothing_forbids_a_guard_who_has_all_that_the_law_asks_for(who: MemberKind, kind: ShiftKind) -> None:
    """Without this one the others would pass if everything were refused."""
    assert may_stand(guard(kind=who), shift(kind, post_of=COMPANY, at_school=True)) == []


@pytest.mark.parametrize("kind", ShiftKind)
def test_nothing_forbids_a_shift_that_is_lawful(kind: ShiftKind) -> None:
    assert may_be_held(shift(kind)) == []


# -- the employers ---------------------------------------------------------------------------------------------------


def test_a_guard_company_and_a_self_hiring_unit_are_two_things__guard_regulations_art_4() -> None:
    """保安服务管理条例 第4条: 保安从业单位 are the companies, and the units that hire guards of their own."""
    assert "第4条" in (may_be_entity("guard_company", "self_hiring_unit") or "")
    assert "第4条" in (may_be_entity("self_hiring_unit", "guard_company") or "")
    assert may_be_entity("guard_company", "guard_company") is None
    assert may_be_entity("self_hiring_unit", "self_hiring_unit") is None


def test_entertainment_venues_hire_from_a_company__guard_regulations_art_13() -> None:
    """保安服务管理条例 第13条: not guards of their own."""
    assert "第13条" in (may_be_entity("entertainment", "self_hiring_unit") or "")
    assert may_be_entity("entertainment", None) is None


@pytest.mark.parametrize("kind", ["government", "police_post"])
def test_state_organs_have_no_guard_company__guard_regulations_art_40(kind: str) -> None:
    """保安服务管理条例 第40条; they may hire guards for their own gate (第4条)."""
    assert "第40条" in (may_be_entity(kind, "guard_company") or "")
    assert may_be_entity(kind, "self_hiring_unit") is None
    assert may_be_entity(kind, None) is None


@pytest.mark.parametrize("kind", sorted(set(KINDS_OF_UNITS) - {"guard_company", "entertainment"}))
def test_any_other_unit_may_hire_guards_of_its_own__guard_regulations_art_4(kind: str) -> None:
    """保安服务管理条例 第4条."""
    assert may_be_entity(kind, "self_hiring_unit") is None


# -- 保安共享 ---------------------------------------------------------------------------------------------------------


@each_guard
def test_a_self_hiring_units_guard_stands_at_no_other_post__guard_regulations_art_15(who: MemberKind) -> None:
    """保安服务管理条例 第15条, fined by 第42条."""
    own = guard(kind=who, entity=GuardEntity.SELF_HIRING_UNIT, organisation=SCHOOL)
    assert may_stand(own, own_post(SCHOOL)) == []
    assert may_stand(own, own_post(SHOP)) == [Reason.OUTSIDE_OWN_AREA]
    assert may_stand(own, own_post(None)) == [Reason.OUTSIDE_OWN_AREA]
    assert may_stand(guard(kind=who), own_post(SHOP)) == []  # a company's guards serve its clients


@pytest.mark.parametrize("employer", [SCHOOL, None])
def test_whoever_employs_guards_is_no_company_unless_it_says_so__guard_regulations_art_15(employer: str | None) -> None:
    """保安服务管理条例 第4、15条: a unit that has guards and is no company hires its own."""
    undeclared = guard(entity=None, organisation=employer)
    assert may_stand(undeclared, own_post(SHOP)) == [Reason.OUTSIDE_OWN_AREA]


@each_police_led
@pytest.mark.parametrize("paid", [{"pay": Pay.WAGE}, {"client_contract": "示例合同"}])
def test_guard_service_is_not_hidden_in_a_patrol__guard_regulations_art_15(
    kind: ShiftKind, paid: dict[str, Any]
) -> None:
    """保安服务管理条例 第15、42条: for wages, or for a client, a self-hiring unit's guard serves at its own unit only.

    Otherwise shared duty only has to be called a night patrol to be sold.
    """
    own, sold = guard(entity=GuardEntity.SELF_HIRING_UNIT), shift(kind, **paid)
    assert may_be_held(sold) or may_stand(own, sold)


@each_police_led
def test_shared_duty_is_called_together_by_police_or_zongzhi__guard_regulations_art_15(kind: ShiftKind) -> None:
    """保安服务管理条例 第15、42条: 保安共享 is mass prevention, not the service of one company for another."""
    assert may_be_held(shift(kind, organiser=Organiser.EMPLOYER)) == [Reason.NOT_POLICE_LED]
    assert may_be_held(shift(kind, organiser=Organiser.ZONGZHI)) == []


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"client_contract": "示例合同"}, Reason.CLIENT_CONTRACT),
        ({"pay": Pay.WAGE}, Reason.PAID),
        ({"insurance": None}, Reason.SHIFT_NOT_INSURED),
        ({"area": None}, Reason.NO_AREA),
    ],
)
def test_shared_duty_is_recorded_as_the_law_allows_it__guard_regulations_art_42(
    wrong: dict[str, Any], reason: Reason
) -> None:
    """保安服务管理条例 第15、42条: unpaid or with an allowance, insured, in an area, without a client's contract."""
    assert may_be_held(shift(ShiftKind.SHARED_POST, **wrong)) == [reason]
    assert may_be_held(shift(ShiftKind.SHARED_POST, pay=Pay.ALLOWANCE)) == []


@each_guard
def test_a_guard_is_shared_only_if_it_wants__volunteer_regulations_art_25(who: MemberKind) -> None:
    """志愿服务条例 第25条: its consent to patrol is not its consent to be shared."""
    unwilling = guard(kind=who, consents=frozenset({Consent.PATROL, Consent.TRACKING}))
    assert may_stand(unwilling, shift(ShiftKind.SHARED_POST)) == [Reason.NO_SHARED_CONSENT]


@each_guard
def test_a_guard_is_shared_only_if_its_employer_agrees(who: MemberKind) -> None:
    """No article: 保安共享 as police and employers have agreed on it."""
    held_back = guard(kind=who, employer_consents=False)
    assert may_stand(held_back, shift(ShiftKind.SHARED_POST)) == [Reason.NO_EMPLOYER_CONSENT]
    assert may_stand(held_back, shift(ShiftKind.NIGHT_PATROL)) == []  # its own evenings are its own


# -- the guard -------------------------------------------------------------------------------------------------------


@each_guard
@pytest.mark.parametrize("kind", sorted(set(ShiftKind) - {ShiftKind.PUBLICITY}))
def test_only_certificate_holders_do_guard_work__guard_regulations_art_16(who: MemberKind, kind: ShiftKind) -> None:
    """保安服务管理条例 第16条: no other certificate stands for it, neither before its first nor after its last day."""
    at = shift(kind, post_of=COMPANY)
    for held in ({}, {PATROL_CERTIFICATE: (FOREVER,)}, {GUARD_CERTIFICATE: (Period(DAY_AFTER),)}):
        assert may_stand(guard(kind=who, certificates=held), at) == [Reason.NOT_CERTIFIED]
    ended = guard(kind=who, certificates={GUARD_CERTIFICATE: (Period(date(2020, 1, 1), DAY_BEFORE),)})
    assert may_stand(ended, at) == [Reason.NOT_CERTIFIED]
    on_the_day = guard(kind=who, certificates={GUARD_CERTIFICATE: (Period(DAY, DAY),)})
    assert may_stand(on_the_day, at) == []


@each_guard
@pytest.mark.parametrize("kind", sorted(set(ShiftKind) - {ShiftKind.PUBLICITY}))
def test_nobody_under_18_does_guard_work__guard_regulations_art_16(who: MemberKind, kind: ShiftKind) -> None:
    """保安服务管理条例 第16条: 年满18周岁; a certificate that should not have been given does not change it."""
    young = guard(kind=who, born=years_before(DAY_AFTER, 18), guardian_consents=True)
    at = shift(kind, post_of=COMPANY)
    assert may_stand(young, at) != []
    assert may_stand(replace(young, born=years_before(DAY, 18)), at) == []


@each_guard
@pytest.mark.parametrize("kind", ShiftKind)
def test_who_is_barred_does_no_guard_work__guard_regulations_art_17(who: MemberKind, kind: ShiftKind) -> None:
    """保安服务管理条例 第17条, on every ground: of a bar only that there is one reaches the rules."""
    assert Reason.BARRED in may_stand(guard(kind=who, barred=True), shift(kind, post_of=COMPANY))
    assert for_patrol(guard(kind=who, barred=True), DAY) == [Reason.BARRED]


def test_the_bar_is_from_guard_work_alone__guard_regulations_art_17() -> None:
    """保安服务管理条例 第17条 is about 保安员; a neighbour who hands out leaflets is none."""
    assert may_stand(volunteer(barred=True), shift(ShiftKind.PUBLICITY)) == []


@each_guard
@each_police_led
def test_guards_are_insured_by_the_risk_of_the_post__guard_regulations_art_20(who: MemberKind, kind: ShiftKind) -> None:
    """保安服务管理条例 第20条: accident insurance wherever a shift is dangerous."""
    assert may_stand(guard(kind=who, insured=()), shift(kind)) == [Reason.NO_INSURANCE]
    assert "保安服务管理条例 第20条" in LAW[Reason.NO_INSURANCE].article


@pytest.mark.parametrize("purpose", [Purpose.WAGE_DISPUTE, Purpose.DEBT_COLLECTION])
@pytest.mark.parametrize("kind", ShiftKind)
def test_guards_collect_no_debts__guard_regulations_art_30(purpose: Purpose, kind: ShiftKind) -> None:
    """保安服务管理条例 第30条: no part in wage disputes and debts, whoever calls the shift together."""
    for organiser in (Organiser.POLICE, Organiser.ZONGZHI):
        assert may_be_held(shift(kind, purpose=purpose, organiser=organiser)) == [Reason.WAGE_DISPUTE]


@pytest.mark.parametrize("purpose", [Purpose.PREVENTION, Purpose.SUPPORT, Purpose.PUBLICITY])
def test_guards_prevent_support_and_tell__guard_regulations_art_29(purpose: Purpose) -> None:
    """保安服务管理条例 第29条: what they may do."""
    assert may_be_held(shift(ShiftKind.SHARED_POST, purpose=purpose)) == []


# -- schools ---------------------------------------------------------------------------------------------------------


@each_guard
@pytest.mark.parametrize(
    ("checked", "allowed"),
    [
        (DAY, True),
        (DAY - timedelta(days=364), True),
        (DAY - timedelta(days=365), True),  # a year to the day: it is looked up again today
        (DAY - timedelta(days=366), False),
        (DAY_AFTER, False),  # not yet looked up when the shift is held
        (None, False),
    ],
)
def test_records_are_looked_up_every_year__minors_protection_law_art_62(
    who: MemberKind, checked: date | None, allowed: bool
) -> None:
    """未成年人保护法 第62条."""
    found = may_stand(guard(kind=who, minor_contact_check=checked), own_post(at_school=True))
    assert found == ([] if allowed else [Reason.NO_MINOR_CONTACT_CHECK])


def test_a_year_with_a_leap_day_is_not_longer__minors_protection_law_art_62() -> None:
    """未成年人保护法 第62条: looked up on 1 March 2027, good until 29 February 2028, which is 365 days later."""
    checked = guard(minor_contact_check=date(2027, 3, 1))
    assert may_stand(checked, own_post(at_school=True, day=date(2028, 2, 29))) == []
    assert may_stand(checked, own_post(at_school=True, day=date(2028, 3, 1))) == [Reason.NO_MINOR_CONTACT_CHECK]


@each_guard
def test_the_check_is_for_posts_at_schools__minors_protection_law_art_62(who: MemberKind) -> None:
    """未成年人保护法 第62条."""
    assert may_stand(guard(kind=who, minor_contact_check=None), own_post(at_school=False)) == []


@pytest.mark.parametrize("kind", ShiftKind)
def test_the_check_holds_for_every_kind_of_shift_at_a_school__minors_protection_law_art_62(kind: ShiftKind) -> None:
    """未成年人保护法 第62条."""
    unchecked = guard(minor_contact_check=None)
    assert Reason.NO_MINOR_CONTACT_CHECK in may_stand(unchecked, shift(kind, post_of=COMPANY, at_school=True))


# -- who leads -------------------------------------------------------------------------------------------------------


@each_police_led
def test_no_patrol_without_a_lead_officer__police_law_art_9(kind: ShiftKind) -> None:
    """人民警察法 第9条, 居民身份证法 第15条: only police may stop, question and check papers."""
    assert may_be_held(shift(kind, lead_officer=None)) == [Reason.NO_LEAD_OFFICER]
    article = LAW[Reason.NO_LEAD_OFFICER].article
    assert "人民警察法 第9条" in article
    assert "居民身份证法 第15条" in article


@pytest.mark.parametrize("kind", [ShiftKind.OWN_POST, ShiftKind.PUBLICITY])
def test_where_nobody_is_stopped_no_officer_is_needed__id_card_law_art_15(kind: ShiftKind) -> None:
    """居民身份证法 第15条."""
    assert may_be_held(shift(kind, lead_officer=None)) == []


@pytest.mark.parametrize("who", MemberKind)
def test_only_police_lead__police_law_art_9(who: MemberKind) -> None:
    """人民警察法 第9条."""
    found = may_lead(volunteer(kind=who), DAY)
    assert found == ([] if who in OFFICERS else [Reason.NOT_AN_OFFICER])


def test_an_officer_who_has_left_does_not_lead__police_law_art_9() -> None:
    """人民警察法 第9条: the officer is one on that day."""
    leaving = officer(left_on=DAY)
    assert may_lead(leaving, DAY_BEFORE) == []
    assert may_lead(leaving, DAY) == may_lead(leaving, DAY_AFTER) == [Reason.LEFT]
