"""Organisations and members, masked."""

from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.doors import View, lookups
from shouwang.common.problems import Problem
from shouwang.contracts.training.people import (
    CertificateNow,
    Member,
    MemberInList,
    MemberList,
    MemberNow,
    Members,
    OrganisationList,
    OrganisationNow,
    Organisations,
)
from shouwang.training import SERVICE
from shouwang.training.domain.clearance import clearance, for_patrol
from shouwang.training.domain.days import day_of
from shouwang.training.domain.identity import masked_id_number, masked_name, masked_phone
from shouwang.training.handlers.parts import Now
from shouwang.training.store import people

router: NatsRouter = lookups()
AT_ONCE = 4


@router.subscriber(Organisations.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def organisations(ask: Organisations, view: View) -> OrganisationList:
    """Organisations in the order of their tokens."""
    rows = await people.organisation_list(view, **ask.model_dump())
    return OrganisationList(organisations=[OrganisationNow(**{**row._mapping, **_contact(row)}) for row in rows])


@router.subscriber(Member.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def member(ask: Member, view: View, clock: Now) -> MemberNow:
    """One member, masked, and everything that keeps it from patrol today."""
    row, today = await people.member(view, ask.member), day_of(clock())
    if row is None:
        raise Problem.of_field("member", f"{ask.member} is not known", 404)
    person = (await people.persons(view, [ask.member], today))[ask.member]
    stands = clearance(person, today)
    agreed = [agreement.period.until for agreement in person.agreements_on(today) if agreement.period.until]
    certificates = [_certificate(row) for row in await people.certificates_of(view, ask.member)]
    covers = [period.until for period in person.insured if period.covers(today) and period.until]
    said = {
        "member": row.member, "kind": row.kind, "organisation": person.organisation, "left_on": row.left_on,
        "consents": sorted(person.consents), "agreement_until": max(agreed, default=None),
        "insured_until": max(covers, default=None), "cleared": stands.reason is None, "cleared_until": stands.until,
        "reasons": for_patrol(person, today), "certificates": certificates,
    }  # fmt: skip
    return MemberNow.model_validate({**said, **_masked(row)})


@router.subscriber(Members.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def members(ask: Members, view: View) -> MemberList:
    """Members in the order of their tokens, masked."""
    rows = await people.member_list(view, **ask.model_dump())
    return MemberList(
        members=[
            MemberInList(
                member=row.member,
                kind=row.kind,
                name=masked_name(row.name),
                organisation=row.organisation,
                cleared=bool(row.cleared),
            )
            for row in rows
        ]
    )


def _contact(row: Row[Any]) -> dict[str, str | None]:
    return {
        "contact_name": row.contact_name and masked_name(row.contact_name),
        "contact_phone": row.contact_phone and masked_phone(row.contact_phone),
    }


def _masked(row: Row[Any]) -> dict[str, str | None]:
    return {
        "name": masked_name(row.name),
        "id_number": row.id_number and masked_id_number(row.id_number),
        "phone": row.phone and masked_phone(row.phone),
    }


def _certificate(row: Row[Any]) -> CertificateNow:
    return CertificateNow(
        certificate=row.id,
        kind=row.kind,
        number=row.number,
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        revoked=row.revoked_at is not None,
    )
