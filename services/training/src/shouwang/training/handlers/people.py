"""Organisations and members."""

from datetime import date
from typing import Any

from faststream.nats import NatsRouter

from shouwang.common.database import Transaction
from shouwang.common.doors import Principal, Tx, commands
from shouwang.common.ids import new_id
from shouwang.common.problems import Problem
from shouwang.contracts.training.people import (
    ConsentToShare,
    EndMembership,
    MemberLeft,
    MemberPut,
    MemberRegistered,
    MemberRevealed,
    OrganisationPut,
    OrganisationRegistered,
    PutMember,
    PutOrganisation,
    RevealMember,
)
from shouwang.training import SERVICE
from shouwang.training.domain.days import day_of
from shouwang.training.domain.identity import birth_date, credit_code_fault, id_number_fault, phone_fault
from shouwang.training.domain.organisations import may_be_entity
from shouwang.training.handlers.parts import AT_ONCE, Now
from shouwang.training.standings import review
from shouwang.training.store import people

router: NatsRouter = commands()


@router.subscriber(PutOrganisation.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def put_organisation(ask: PutOrganisation, tx: Tx, clock: Now) -> OrganisationPut:
    """Write an organisation, new or changed."""
    if ask.credit_code and (fault := credit_code_fault(ask.credit_code)):
        raise Problem.of_field("credit_code", fault)
    if forbidden := may_be_entity(ask.kind, ask.entity):
        raise Problem.of_field("entity", forbidden, 409)
    taken = await people.codes_taken(tx, [ask.credit_code] if ask.credit_code else [])
    if taken.get(str(ask.credit_code), ask.organisation) != ask.organisation:
        raise Problem.of_field("credit_code", f"is that of {taken[str(ask.credit_code)]} already", 409)
    before = await people.organisation(tx, ask.organisation)
    await people.put_organisations(tx, [ask.model_dump()])
    if before is not None and (before.kind, before.entity) != (ask.kind, ask.entity):
        await review(tx, await people.members_of(tx, ask.organisation), clock())
    if before is None:
        tx.tell(OrganisationRegistered(organisation=ask.organisation, kind=ask.kind, entity=ask.entity, at=clock()))
    return OrganisationPut(organisation=ask.organisation)


@router.subscriber(ConsentToShare.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def consent_to_share(ask: ConsentToShare, principal: Principal, tx: Tx, clock: Now) -> OrganisationPut:
    """An employer lets its guards stand on shared duty, or no longer."""
    row = await people.organisation(tx, ask.organisation)
    if row is None:
        raise Problem.of_field("organisation", f"{ask.organisation} is not known", 404)
    if row.contact != principal:
        raise Problem.of_field("organisation", "only its contact speaks for it", 403)
    await people.set_organisation(tx, ask.organisation, shares_guards=ask.consents)
    if not ask.consents:
        await review(tx, await people.members_of(tx, ask.organisation), clock())
    return OrganisationPut(organisation=ask.organisation)


@router.subscriber(PutMember.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def put_member(ask: PutMember, tx: Tx, clock: Now) -> MemberPut:
    """Write a member, new or changed."""
    today = day_of(clock())
    _check(ask, today)
    await _check_known(tx, ask)
    is_new = not await people.members_known(tx, [ask.member])
    await people.put_members(tx, [_row(ask)])
    if is_new:
        tx.tell(MemberRegistered(member=ask.member, kind=ask.kind, organisation=ask.organisation, at=clock()))
    if ask.organisation is not None:
        belongs = {"member": ask.member, "organisation": ask.organisation, "since": ask.since or today, "until": None}
        await people.join(tx, [belongs])
    await review(tx, [ask.member], clock())
    return MemberPut(member=ask.member)


@router.subscriber(EndMembership.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def end_membership(ask: EndMembership, tx: Tx, clock: Now) -> MemberPut:
    """A member leaves."""
    if await people.member(tx, ask.member) is None:
        raise Problem.of_field("member", f"{ask.member} is not known", 404)
    await people.set_members(tx, [ask.member], left_on=ask.on)
    await people.leave(tx, ask.member, ask.on)
    tx.tell(MemberLeft(member=ask.member, on=ask.on, at=clock()))
    await review(tx, [ask.member], clock())
    return MemberPut(member=ask.member)


@router.subscriber(RevealMember.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def reveal_member(ask: RevealMember, principal: Principal, tx: Tx, clock: Now) -> MemberRevealed:
    """See what is masked; a command, since it is kept who asked."""
    if len(ask.reason) < 4:
        raise Problem.of_field("reason", "say why in at least four characters; it is kept")
    row = await people.member(tx, ask.member)
    if row is None:
        raise Problem.of_field("member", f"{ask.member} is not known", 404)
    asked = {"id": new_id(), "member": ask.member, "asked_by": principal, "reason": ask.reason, "at": clock()}
    await people.note_reveal(tx, asked)
    return MemberRevealed(member=row.member, name=row.name, id_number=row.id_number, phone=row.phone, born=row.born)


def _check(ask: PutMember, today: date) -> None:
    """Numbers that are given must be right."""
    if ask.id_number and (fault := id_number_fault(ask.id_number, today)):
        raise Problem.of_field("id_number", fault)
    if ask.phone and (fault := phone_fault(ask.phone)):
        raise Problem.of_field("phone", fault)
    if ask.born and ask.id_number and birth_date(ask.id_number) != ask.born:
        raise Problem.of_field("born", "is not the birth date in the identity number; leave it out")


async def _check_known(tx: Transaction, ask: PutMember) -> None:
    if ask.organisation is not None and await people.organisation(tx, ask.organisation) is None:
        raise Problem.of_field("organisation", f"{ask.organisation} is not known; put it first", 404)
    taken = await people.numbers_taken(tx, [ask.id_number] if ask.id_number else [])
    if taken.get(str(ask.id_number), ask.member) != ask.member:
        raise Problem.of_field("id_number", "belongs to another member already", 409)


def _row(ask: PutMember) -> dict[str, Any]:
    row = ask.model_dump(exclude={"organisation", "since"})
    row["born"] = birth_date(ask.id_number) if ask.id_number else ask.born
    return {**row, "left_on": None}
