"""Funds, tenders, awards, contracts, acceptance, payments; holidays."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.database import Transaction
from shouwang.common.doors import Principal, Tx, commands
from shouwang.common.ids import new_id
from shouwang.common.problems import Problem
from shouwang.contracts.training.funding import (
    AcceptanceRecorded,
    AcceptanceRecordedFact,
    AwardRecorded,
    AwardRecordedFact,
    ContractRecorded,
    ContractRecordedFact,
    FundPut,
    HolidaysPut,
    MoneyWarning,
    PaymentRecorded,
    PaymentRecordedFact,
    PutFund,
    PutHolidays,
    RecordAcceptance,
    RecordAward,
    RecordContract,
    RecordPayment,
    RecordTender,
    TenderRecorded,
)
from shouwang.training import SERVICE
from shouwang.training.domain import funding as rules
from shouwang.training.domain.days import day_of
from shouwang.training.domain.funding import Tender, Warned
from shouwang.training.domain.workdays import SATURDAY
from shouwang.training.handlers.parts import AT_ONCE, Now, Rules
from shouwang.training.store import funding, people

router: NatsRouter = commands()


@router.subscriber(PutFund.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def put_fund(ask: PutFund, tx: Tx) -> FundPut:
    """Write a fund."""
    await funding.put_fund(tx, ask.model_dump())
    return FundPut(fund=ask.fund)


@router.subscriber(RecordTender.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def record_tender(ask: RecordTender, tx: Tx, clock: Now) -> TenderRecorded:
    """A tender was published."""
    _has_come("published_on", ask.published_on, day_of(clock()))
    if await funding.fund(tx, ask.fund) is None:
        raise Problem.of_field("fund", f"{ask.fund} is not known", 404)
    there = await funding.lock_tender(tx, ask.tender)
    if there is not None and there.awarded_on is not None:
        raise Problem.of_field("tender", f"was awarded on {there.awarded_on}; it stays as it is", 409)
    await funding.put_tender(tx, ask.model_dump())
    return TenderRecorded(tender=ask.tender, earliest_award=rules.earliest_award(ask.published_on))


@router.subscriber(RecordAward.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def record_award(ask: RecordAward, tx: Tx, clock: Now, settings: Rules) -> AwardRecorded:
    """The tender was awarded."""
    row, now = await _lock(tx, ask.tender), clock()
    await _check_award(tx, ask, row, day_of(now))
    said = {"supplier": ask.supplier, "awarded_on": ask.awarded_on}
    told = row.contract_told and row.awarded_on == ask.awarded_on
    await funding.set_tender(tx, ask.tender, award_fen=ask.amount_fen, contract_told=told, **said)
    row = await _lock(tx, ask.tender)
    tender = funding.as_tender(row)
    about = {**said, "tender": ask.tender, "contract_due": tender.contract_due}
    tx.tell(AwardRecordedFact.model_validate({**about, "fund": row.fund, "amount_fen": ask.amount_fen, "at": now}))
    warned = rules.warnings(tender, day_of(now), settings.deadline_days) + await _of_fund(tx, row.fund)
    return AwardRecorded.model_validate({**about, "warnings": said_of(warned)})


@router.subscriber(RecordContract.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def record_contract(ask: RecordContract, tx: Tx, clock: Now, settings: Rules) -> ContractRecorded:
    """The contract was signed, or its copy filed."""
    row, now = await _lock(tx, ask.tender), clock()
    said = {"signed_on": ask.signed_on, "copy_filed_on": ask.copy_filed_on or row.copy_filed_on}
    _check_contract(row, day_of(now), **said)
    await funding.set_tender(tx, ask.tender, copy_told=row.copy_told and row.signed_on == ask.signed_on, **said)
    tender, tables = funding.as_tender(await _lock(tx, ask.tender)), await funding.year_tables(tx)
    due = rules.copy_due(ask.signed_on, tables)
    about = {"tender": ask.tender, **said, "copy_due": due.day, "copy_due_assumed": due.assumed}
    tx.tell(ContractRecordedFact.model_validate({**about, "at": now}))
    warned = rules.warnings(tender, day_of(now), settings.deadline_days, tables)
    about |= {"contract_due": tender.contract_due, "warnings": said_of(warned)}
    return ContractRecorded.model_validate(about)


@router.subscriber(RecordAcceptance.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def record_acceptance(ask: RecordAcceptance, tx: Tx, clock: Now) -> AcceptanceRecorded:
    """What was bought is accepted."""
    row, now = await _lock(tx, ask.tender), clock()
    _has_come("accepted_on", ask.accepted_on, day_of(now))
    if row.signed_on is None:
        raise Problem.of_field("tender", "has no contract yet; record it first", 409)
    if ask.accepted_on < row.signed_on:
        raise Problem.of_field("accepted_on", f"is before the contract was signed ({row.signed_on})")
    await funding.set_tender(tx, ask.tender, accepted_on=ask.accepted_on, acceptance_note=ask.note)
    tx.tell(AcceptanceRecordedFact(tender=ask.tender, accepted_on=ask.accepted_on, at=now))
    return AcceptanceRecorded(tender=ask.tender, keep_until=rules.kept_until(ask.accepted_on))


@router.subscriber(RecordPayment.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def record_payment(ask: RecordPayment, principal: Principal, tx: Tx, clock: Now) -> PaymentRecorded:
    """Something was paid."""
    before, now = funding.as_tender(await _lock(tx, ask.tender)), clock()
    _check_payment(ask, before, day_of(now))
    row = {"id": new_id(), **ask.model_dump(), "recorded_by": principal, "recorded_at": now}
    await funding.add_payment(tx, row)
    tender = funding.as_tender(await _lock(tx, ask.tender))
    tx.tell(PaymentRecordedFact(**ask.model_dump(), payment=row["id"], at=now))
    left = max(0, tender.award_fen - tender.paid_fen)
    warned = said_of(rules.of_payment(tender))
    sums = {"paid_fen": tender.paid_fen, "left_fen": left}
    return PaymentRecorded(payment=row["id"], tender=ask.tender, warnings=warned, **sums)


@router.subscriber(PutHolidays.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def put_holidays(ask: PutHolidays, tx: Tx) -> HolidaysPut:
    """The holidays of a year."""
    for field, days, weekend in (("off", ask.off, False), ("on", ask.on, True)):
        for n, day in enumerate(days):
            if day.year != ask.year or (day.weekday() >= SATURDAY) is not weekend:
                kind = "Saturday or Sunday" if weekend else "Monday to Friday"
                raise Problem.of_field(f"{field}[{n}]", f"{day} is not a {kind} of {ask.year}")
    await funding.put_holidays(tx, {"year": ask.year, "free": ask.off, "worked": ask.on})
    return HolidaysPut(year=ask.year, off=len(set(ask.off)), on=len(set(ask.on)))


def said_of(warned: Iterable[Warned]) -> list[MoneyWarning]:
    """Warnings as they are said."""
    return [MoneyWarning(**vars(one), article=one.article) for one in warned]


def _has_come(field: str, day: date, today: date) -> None:
    if day > today:
        raise Problem.of_field(field, "has not come yet")


async def _lock(tx: Transaction, tender: str) -> Row[Any]:
    row = await funding.lock_tender(tx, tender)
    if row is None:
        raise Problem.of_field("tender", f"{tender} is not known", 404)
    return row


async def _check_award(tx: Transaction, ask: RecordAward, row: Row[Any], today: date) -> None:
    _has_come("awarded_on", ask.awarded_on, today)
    if ask.awarded_on < row.published_on:
        raise Problem.of_field("awarded_on", f"is before the tender was published ({row.published_on})")
    if row.signed_on is not None:
        raise Problem.of_field("tender", f"has a contract since {row.signed_on}; the award stays as it is", 409)
    if row.paid_fen > ask.amount_fen:
        raise Problem.of_field("amount_fen", f"{row.paid_fen} fen were paid already", 409)
    if await people.organisation(tx, ask.supplier) is None:
        raise Problem.of_field("supplier", f"{ask.supplier} is not known; put the organisation first", 404)


def _check_contract(row: Row[Any], today: date, *, signed_on: date, copy_filed_on: date | None) -> None:
    _has_come("signed_on", signed_on, today)
    if row.awarded_on is None:
        raise Problem.of_field("tender", "was not awarded yet; record the award first", 409)
    if signed_on < row.awarded_on:
        raise Problem.of_field("signed_on", f"is before the award ({row.awarded_on})")
    if copy_filed_on is not None:
        _has_come("copy_filed_on", copy_filed_on, today)
        if copy_filed_on < signed_on:
            raise Problem.of_field("copy_filed_on", f"{copy_filed_on} is before signed_on")


def _check_payment(ask: RecordPayment, tender: Tender, today: date) -> None:
    _has_come("paid_on", ask.paid_on, today)
    if tender.awarded_on is None:
        raise Problem.of_field("tender", "was not awarded yet; record the award first", 409)
    if ask.paid_on < tender.awarded_on:
        raise Problem.of_field("paid_on", f"is before the award ({tender.awarded_on})")
    if forbidden := rules.may_pay(tender, ask.amount_fen):
        raise Problem.of_field("amount_fen", forbidden, 409)


async def _of_fund(tx: Transaction, fund: str) -> list[Warned]:
    row = await funding.fund(tx, fund)
    assert row is not None
    return rules.of_fund(rules.sums(row.amount_fen, map(funding.as_tender, await funding.tenders_of(tx, fund))))
