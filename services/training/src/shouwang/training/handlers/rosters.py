"""Rosters: shifts, planning, publishing; places by hand, answers, swaps."""

from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.database import Transaction
from shouwang.common.doors import Principal, Tx, commands
from shouwang.common.ids import new_id
from shouwang.common.problems import Problem
from shouwang.contracts.training.rosters import (
    AddShifts,
    AnswerShift,
    Assign,
    Assigned,
    CommitmentPut,
    DraftRoster,
    PlanningBegun,
    PlanRoster,
    PublishRoster,
    PutCommitment,
    RemoveShift,
    RosterDrafted,
    RosterPublished,
    RosterPublishedNow,
    ShiftAdded,
    ShiftDeclined,
    ShiftRemoved,
    ShiftRemovedFact,
    ShiftsAdded,
    Unassign,
)
from shouwang.training import SERVICE
from shouwang.training.domain.clearance import may_lead
from shouwang.training.domain.days import window
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.shifts import may_be_held
from shouwang.training.handlers.parts import AT_ONCE, Now, Rules
from shouwang.training.places import HOLDS, look, put, refusal, tell_place
from shouwang.training.standings import withdraw
from shouwang.training.store import duty, people, rosters

router: NatsRouter = commands()
MOST_DAYS = 62
FIELDS = {
    Reason.NO_LEAD_OFFICER: "lead_officer", Reason.NOT_POLICE_LED: "organiser", Reason.WAGE_DISPUTE: "purpose",
    Reason.NO_AREA: "area", Reason.CLIENT_CONTRACT: "client_contract", Reason.PAID: "pay",
    Reason.SHIFT_NOT_INSURED: "insurance",
}  # fmt: skip
"""What is wrong with a shift that may not be held, by the field that an organiser can mend."""


@router.subscriber(PutCommitment.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def put_commitment(ask: PutCommitment, tx: Tx) -> CommitmentPut:
    """What a member unit gives a month."""
    if await people.organisation(tx, ask.organisation) is None:
        raise Problem.of_field("organisation", f"{ask.organisation} is not known", 404)
    await rosters.put_commitment(tx, ask.model_dump())
    return CommitmentPut(organisation=ask.organisation)


@router.subscriber(DraftRoster.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def draft_roster(ask: DraftRoster, tx: Tx) -> RosterDrafted:
    """Begin a roster."""
    if not 0 <= (ask.until - ask.since).days < MOST_DAYS:
        raise Problem.of_field("until", f"must be on or after since, and at most {MOST_DAYS} days in all")
    roster = new_id()
    await rosters.add_roster(tx, {"id": roster, "status": "draft", **ask.model_dump()})
    return RosterDrafted(roster=roster)


@router.subscriber(AddShifts.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def add_shifts(ask: AddShifts, tx: Tx, clock: Now) -> ShiftsAdded:
    """Add a shift for each of some days."""
    roster = await open_roster(tx, ask.roster)
    return ShiftsAdded(roster=ask.roster, shifts=await add(tx, ask, roster, clock()))


async def add(tx: Transaction, ask: AddShifts, roster: Row[Any], now: datetime) -> list[str]:
    """Check shifts, write them and tell them; their ids. The caller holds the roster."""
    if ask.maximum < ask.minimum:
        raise Problem.of_field("maximum", "is less than minimum")
    if ask.start == ask.end:
        raise Problem.of_field("end", "is the same as start")
    rows = list(_rows(ask))
    await _check(tx, ask, roster, rows)
    await rosters.add_shifts(tx, rows)
    for row in rows:
        tx.tell(ShiftAdded.model_validate({**row, "shift": row["id"], "at": now}))
    return [row["id"] for row in rows]


@router.subscriber(RemoveShift.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def remove_shift(ask: RemoveShift, tx: Tx, clock: Now) -> ShiftRemoved:
    """Take a shift out; who stood on it is told."""
    shift = await _lock_shift(tx, ask.shift)
    standing = (await rosters.standing(tx, [shift.id]))[shift.id]
    if await duty.was_held(tx, shift.id):
        raise Problem.of_field("shift", "somebody was on duty for it: it stays", 409)
    for place in standing:
        if place.status in HOLDS:
            await withdraw(tx, shift.id, place.member, "shift_removed", clock())
    await rosters.remove_shift(tx, shift.id)
    tx.tell(ShiftRemovedFact(shift=shift.id, roster=shift.roster, at=clock()))
    return ShiftRemoved(shift=shift.id)


@router.subscriber(PlanRoster.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def plan_roster(ask: PlanRoster, tx: Tx) -> PlanningBegun:
    """Fill the roster, in the background (`rounds.plan_rosters`)."""
    await open_roster(tx, ask.roster)
    wanted = {"organisations": ask.organisations, "limit_s": ask.limit_s, "planning_since": None}
    await rosters.set_roster(tx, ask.roster, status="planning", **wanted)
    return PlanningBegun(roster=ask.roster, status="planning")


@router.subscriber(PublishRoster.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def publish_roster(ask: PublishRoster, tx: Tx, clock: Now) -> RosterPublishedNow:
    """Ask every member for its answer. Publishing again asks whoever was put on since."""
    roster, now = await open_roster(tx, ask.roster), clock()
    shifts = await rosters.shifts_of(tx, ask.roster)
    if not shifts:
        raise Problem.of_field("roster", "has no shifts: add some", 409)
    asked = await rosters.offer_proposed(tx, ask.roster, now)
    await rosters.set_roster(tx, ask.roster, status="published")
    for place in asked:
        about = SimpleNamespace(id=place.shift, starts_at=place.starts_at, ends_at=place.ends_at)
        tell_place(tx, place.member, about, place.status, now)
    tx.tell(RosterPublished(roster=ask.roster, since=roster.since, until=roster.until, shifts=len(shifts), at=now))
    return RosterPublishedNow(roster=ask.roster, shifts=len(shifts), offered=len(asked))


@router.subscriber(Assign.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def assign(ask: Assign, tx: Tx, clock: Now, settings: Rules) -> Assigned:
    """Put a member on a shift by hand, or ask it to stand in."""
    shift = await _lock_shift(tx, ask.shift)
    await put(tx, shift, ask.member, clock(), settings.rest_rules())
    return await _place(tx, shift.id, ask.member)


@router.subscriber(Unassign.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def unassign(ask: Unassign, tx: Tx, clock: Now) -> Assigned:
    """Take a member off a shift."""
    shift = await _lock_shift(tx, ask.shift)
    await people.lock_members(tx, [ask.member])
    place = await rosters.assignment(tx, shift.id, ask.member)
    if place is None or place.status not in ("proposed", "offered", "accepted"):
        raise Problem.of_field("member", f"{ask.member} does not stand on it", 404 if place is None else 409)
    await _not_on_duty(tx, "member", shift.id, ask.member)
    await withdraw(tx, shift.id, ask.member, "unassigned", clock())
    return Assigned(shift=shift.id, member=ask.member, status="withdrawn")


@router.subscriber(AnswerShift.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def answer_shift(ask: AnswerShift, principal: Principal, tx: Tx, clock: Now, settings: Rules) -> Assigned:
    """A member accepts or declines, for itself; declining has no consequences."""
    shift, now = await _lock_shift(tx, ask.shift), clock()
    await people.lock_members(tx, [principal])
    place = await _place(tx, shift.id, principal)
    if place.status not in ("offered", "accepted", "declined"):
        raise Problem.of_field("shift", f"cannot be answered any more ({place.status})", 409)
    if ask.answer == "decline" and place.status != "declined":
        await _not_on_duty(tx, "shift", shift.id, principal)
        await rosters.set_assignment(tx, shift.id, principal, "declined", now)
        tx.tell(ShiftDeclined(member=principal, shift=shift.id, at=now))
    elif ask.answer == "accept" and place.status != "accepted":
        await _accept(tx, shift, principal, now, settings)
    return await _place(tx, shift.id, principal)


async def _accept(tx: Transaction, shift: Row[Any], member: str, now: datetime, settings: Rules) -> None:
    """Nothing may have come between offer and answer; who declined may think again while there is room."""
    _, reasons = await look(tx, shift, member, settings.rest_rules())
    standing = (await rosters.standing(tx, [shift.id]))[shift.id]
    if sum(p.status in HOLDS and p.member != member for p in standing) >= shift.maximum:
        raise Problem.of_field("shift", "is full", 409)
    if reasons:
        raise refusal("shift", "", reasons)
    await rosters.set_assignment(tx, shift.id, member, "accepted", now)
    tell_place(tx, member, shift, "accepted", now)


async def open_roster(tx: Transaction, roster: str) -> Row[Any]:
    """A roster that can be changed, held.

    Raises: Problem 404 if it is not known, 409 while it is being planned.
    """
    row = await rosters.lock_roster(tx, roster)
    if row is None:
        raise Problem.of_field("roster", f"{roster} is not known", 404)
    if row.status == "planning":
        raise Problem.of_field("roster", "is being planned; wait for training.roster.planned", 409)
    return row


async def _not_on_duty(tx: Transaction, field: str, shift: str, member: str) -> None:
    """A duty ends before its place is given up, so that nobody is located for a shift that it does not stand on.

    Raises: Problem 409.
    """
    if await duty.is_on(tx, shift, member):
        raise Problem.of_field(field, f"{member} is on duty for it: go off duty first", 409)


async def _lock_shift(tx: Transaction, shift: str) -> Row[Any]:
    row = (await rosters.lock_shifts(tx, [shift])).get(shift)
    if row is None:
        raise Problem.of_field("shift", f"{shift} is not known", 404)
    return row


async def _place(tx: Transaction, shift: str, member: str) -> Assigned:
    row = await rosters.assignment(tx, shift, member)
    if row is None:
        raise Problem.of_field("shift", f"{member} was not asked for it", 404)
    return Assigned(shift=shift, member=member, status=row.status)


def _rows(ask: AddShifts) -> Iterator[dict[str, Any]]:
    common = ask.model_dump(exclude={"days", "start", "end", "next_day"})
    for day in dict.fromkeys(ask.days):
        begins, ends = window(day, ask.start, ask.end, next_day=ask.next_day)
        yield {"id": new_id(), "duty_date": day, "starts_at": begins, "ends_at": ends, **common}


async def _check(tx: Transaction, ask: AddShifts, roster: Row[Any], rows: list[dict[str, Any]]) -> None:
    """What the law forbids whoever stands on it; a lead who is police; days of the roster.

    Raises: Problem naming the field.
    """
    if forbidden := may_be_held(rosters.as_shift(SimpleNamespace(**rows[0]))):
        raise refusal(FIELDS[forbidden[0]], "", forbidden)
    outside = [str(day) for day in ask.days if not roster.since <= day <= roster.until]
    if outside:
        raise Problem.of_field("days", f"not days of the roster: {', '.join(outside[:5])}", 409)
    if ask.post_of is not None:
        post = await people.organisation(tx, ask.post_of)
        if post is None:
            raise Problem.of_field("post_of", f"{ask.post_of} is not known", 404)
        for row in rows:  # whose premises it is says so, whether or not it was ticked
            row["at_school"] = ask.at_school or post.kind == "school"
    if ask.lead_officer is not None:
        lead = (await people.persons(tx, [ask.lead_officer], ask.days[0])).get(ask.lead_officer)
        if lead is None:
            raise Problem.of_field("lead_officer", f"{ask.lead_officer} is not known", 404)
        days = {day for row in rows for day in rosters.as_shift(SimpleNamespace(**row)).days}
        if reasons := [reason for day in sorted(days) for reason in may_lead(lead, day)]:
            raise refusal("lead_officer", ask.lead_officer, reasons[:1])
