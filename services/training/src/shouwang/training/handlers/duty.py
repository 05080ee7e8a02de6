"""On duty and off; hours served, certified free of charge."""

from datetime import date, datetime
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.database import Transaction
from shouwang.common.doors import Principal, Tx, commands
from shouwang.common.ids import new_id
from shouwang.common.problems import Problem
from shouwang.contracts.training.duty import (
    CertifyService,
    DutyStarted,
    GoOffDuty,
    GoOnDuty,
    OffDuty,
    OnDuty,
    ServiceCertificate,
)
from shouwang.training import SERVICE
from shouwang.training.domain.clearance import may_lead, may_stand
from shouwang.training.domain.codes import sign
from shouwang.training.domain.days import day_of
from shouwang.training.domain.people import Consent, Person
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.shifts import POLICE_LED
from shouwang.training.handlers.parts import AT_ONCE, Key, Now, Rules
from shouwang.training.places import refusal
from shouwang.training.qr import svg
from shouwang.training.standings import end_duty
from shouwang.training.store import duty, people, rosters

router: NatsRouter = commands()


@router.subscriber(GoOnDuty.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def go_on_duty(ask: GoOnDuty, principal: Principal, tx: Tx, clock: Now, settings: Rules) -> OnDuty:
    """A member begins its shift: every rule is looked at again."""
    now = clock()
    if not await people.lock_members(tx, [principal]):
        raise Problem.of_field("principal", f"{principal} is not a member", 404)
    shift = await _shift(tx, ask, principal, now, settings)
    person = (await people.persons(tx, [principal], shift.duty_date))[principal]
    leads = shift.lead_officer == principal
    reasons = may_lead(person, day_of(now)) if leads else may_stand(person, rosters.as_shift(shift))
    if reasons := reasons + await _not_led(tx, shift, day_of(now)):
        raise refusal("shift", principal, reasons)
    until = shift.ends_at + settings.late
    # Leaflets need no position: who gives them out may be on duty without being seen.
    located = person.is_officer or Consent.TRACKING in person.consents
    row = {
        "id": new_id(),
        "member": principal,
        "shift": shift.id,
        "started_at": now,
        "until": until,
        "located": located,
    }
    if not await duty.begins(tx, row):
        raise Problem.of_field("shift", "you are on duty already; go off duty first", 409)
    tx.tell(_started(row, person))
    return OnDuty(duty=row["id"], shift=shift.id, until=until)


@router.subscriber(GoOffDuty.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def go_off_duty(ask: GoOffDuty, principal: Principal, tx: Tx, clock: Now) -> OffDuty:
    """A member ends its duty; no reason is asked for."""
    current = await duty.lock_duties(tx, [principal])
    if not current:
        raise Problem.of_field("principal", "is not on duty", 409)
    minutes = await end_duty(tx, current[0], "said", clock())
    return OffDuty(duty=current[0].id, shift=current[0].shift, minutes=minutes)


@router.subscriber(CertifyService.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def certify_service(
    ask: CertifyService, principal: Principal, tx: Tx, clock: Now, settings: Rules, key: Key
) -> ServiceCertificate:
    """The free certificate of a member's own service, numbered and kept."""
    member = await people.member(tx, principal)
    if member is None:
        raise Problem.of_field("principal", f"{principal} is not a member", 404)
    served, today = await duty.hours(tx, principal, ask.since, ask.until), day_of(clock())
    row = {"id": new_id(), "member": principal, "issued_on": today, **ask.model_dump()}
    row |= {"minutes": int(served.minutes), "shifts": served.shifts}
    row["number"] = f"FW-{today:%Y%m%d}-{row['id'][-12:].upper()}"
    await duty.add_service_certificate(tx, row)
    code = sign("service", row["id"], key)
    said = {name: row[name] for name in ("number", "minutes", "shifts", "issued_on", "since", "until")}
    issuer = {"issuer": settings.issuer, "issuer_contact": settings.issuer_contact}
    whose = {"holder": member.name, "volunteer_number": principal, "content": sorted(served.kinds)}
    return ServiceCertificate.model_validate({**said, **issuer, **whose, "code": code, "svg": svg(code)})


async def _shift(tx: Transaction, ask: GoOnDuty, member: str, now: datetime, settings: Rules) -> Row[Any]:
    """The shift to begin.

    Raises: Problem 409 when there is none, or it is not the time for it.
    """
    found = await duty.shift_for(tx, member, now, settings.early, ask.shift)
    if found is None:
        early = round(settings.early_s / 60)
        detail = f"none that you have accepted is held now or begins within {early} minutes"
        raise Problem.of_field("shift", detail, 409)
    return found


async def _not_led(tx: Transaction, shift: Row[Any], day: date) -> list[Reason]:
    """The officer who leads has to be one on the night itself, not only when the roster was drawn up."""
    if rosters.as_shift(shift).kind not in POLICE_LED:
        return []
    lead = (await people.persons(tx, [shift.lead_officer], day)).get(shift.lead_officer)
    return [Reason.NO_LEAD_OFFICER] if lead is None or may_lead(lead, day) else []


def _started(row: dict[str, Any], person: Person) -> DutyStarted:
    said = {name: row[name] for name in ("member", "shift", "until", "located")}
    return DutyStarted.model_validate({**said, "kind": person.kind, "duty": row["id"], "at": row["started_at"]})
