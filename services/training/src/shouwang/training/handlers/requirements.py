"""What the law asks of a member before it goes on patrol: consent, agreement, insurance, checks, bars, certificates."""

from faststream.nats import NatsRouter

from shouwang.common.doors import Principal, Tx, commands
from shouwang.common.ids import new_id
from shouwang.common.problems import Problem
from shouwang.contracts.training.people import (
    ConsentGiven,
    Done,
    GiveConsent,
    LiftBar,
    MemberPut,
    RecordAgreement,
    RecordBar,
    RecordCheck,
    RecordInsurance,
    WithdrawConsent,
)
from shouwang.training import SERVICE
from shouwang.training.domain.days import day_of
from shouwang.training.handlers.parts import AT_ONCE, Now, known, whom
from shouwang.training.standings import review
from shouwang.training.store import people
from shouwang.training.tables.people import agreements, insurances

router: NatsRouter = commands()


@router.subscriber(GiveConsent.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def give_consent(ask: GiveConsent, principal: Principal, tx: Tx, clock: Now) -> ConsentGiven:
    """A member agrees, for itself alone."""
    await known(tx, "principal", [principal])
    await people.give_consents(tx, principal, dict.fromkeys(ask.consents), clock())
    person = (await review(tx, [principal], clock()))[principal]
    return ConsentGiven(member=principal, consents=sorted(person.consents))  # type: ignore[arg-type]


@router.subscriber(WithdrawConsent.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def withdraw_consent(ask: WithdrawConsent, principal: Principal, tx: Tx, clock: Now) -> ConsentGiven:
    """A member no longer agrees."""
    await known(tx, "principal", [principal])
    await people.withdraw_consents(tx, principal, ask.consents, clock())
    person = (await review(tx, [principal], clock()))[principal]
    return ConsentGiven(member=principal, consents=sorted(person.consents))  # type: ignore[arg-type]


@router.subscriber(RecordAgreement.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def record_agreement(ask: RecordAgreement, tx: Tx, clock: Now) -> Done:
    """Written agreements were signed."""
    if ask.until is not None and ask.until < ask.since:
        raise Problem.of_field("until", "is before since")
    members = await whom(tx, ask)
    said = ask.model_dump(exclude={"members", "organisation"})
    await people.record(tx, agreements, [{"id": new_id(), "member": member, **said} for member in members])
    await review(tx, members, clock())
    return Done(members=len(members))


@router.subscriber(RecordInsurance.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def record_insurance(ask: RecordInsurance, tx: Tx, clock: Now) -> Done:
    """Accident insurance is in force."""
    if ask.until < ask.since:
        raise Problem.of_field("until", "is before since")
    members = await whom(tx, ask)
    said = ask.model_dump(exclude={"members", "organisation"})
    await people.record(tx, insurances, [{"id": new_id(), "member": member, **said} for member in members])
    await review(tx, members, clock())
    return Done(members=len(members))


@router.subscriber(RecordCheck.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def record_check(ask: RecordCheck, tx: Tx, clock: Now) -> Done:
    """Records of offences against minors were looked up."""
    if ask.checked_on > day_of(clock()):
        raise Problem.of_field("checked_on", "has not come yet")
    members = await whom(tx, ask)
    await people.set_members(tx, members, minor_contact_check=ask.checked_on)
    await review(tx, members, clock())
    return Done(members=len(members))


@router.subscriber(RecordBar.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def record_bar(ask: RecordBar, tx: Tx, clock: Now) -> MemberPut:
    """The law bars a member from guard work."""
    await known(tx, "member", [ask.member])
    await people.put_bar(tx, ask.model_dump())
    await review(tx, [ask.member], clock())
    return MemberPut(member=ask.member)


@router.subscriber(LiftBar.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def lift_bar(ask: LiftBar, tx: Tx, clock: Now) -> MemberPut:
    """A bar was an error, or has ended."""
    if not await people.lift_bar(tx, ask.member, ask.ground, day_of(clock())):
        raise Problem.of_field("ground", f"{ask.member} is not barred for it", 404)
    await review(tx, [ask.member], clock())
    return MemberPut(member=ask.member)
