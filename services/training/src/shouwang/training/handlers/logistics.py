"""Beds, meals, equipment, cost."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.database import Transaction
from shouwang.common.doors import Principal, Tx, commands
from shouwang.common.ids import new_id
from shouwang.common.problems import Problem
from shouwang.contracts.training.logistics import (
    AssignBed,
    BedAssigned,
    BedReleased,
    BedsPlanned,
    CostRecorded,
    EquipmentIssued,
    EquipmentReturned,
    IssueEquipment,
    ItemIssued,
    MealPlanPut,
    PlanBeds,
    PutMealPlan,
    PutRoom,
    RecordCost,
    ReleaseBed,
    ReturnEquipment,
    RoomPut,
    SetStay,
    StaySet,
)
from shouwang.contracts.training.people import Refused
from shouwang.training import SERVICE
from shouwang.training.domain import logistics as rules
from shouwang.training.domain.days import day_of
from shouwang.training.domain.logistics import Held, Room, Sleeper, evening_of, held_until, may_organise, sex_of
from shouwang.training.handlers.parts import AT_ONCE, Now, known, lock_batch
from shouwang.training.standings import notify
from shouwang.training.store import courses, logistics, people

router: NatsRouter = commands()
MOST_DAYS = 366


@router.subscriber(PutRoom.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def put_room(ask: PutRoom, tx: Tx, clock: Now) -> RoomPut:
    """Write a room."""
    if await courses.site(tx, ask.site) is None:
        raise Problem.of_field("site", f"{ask.site} is not known", 404)
    await logistics.lock_rooms(tx, ask.site)
    held = [row for row in await logistics.beds_held(tx, ask.site, day_of(clock())) if row.room == ask.room]
    if any(row.bed > ask.beds for row in held):
        raise Problem.of_field("beds", f"bed {max(row.bed for row in held)} is given; release it first", 409)
    if ask.women_only and any(sex_of(row.id_number, row.sex) is not rules.Sex.FEMALE for row in held):
        raise Problem.of_field("women_only", "a bed in it is given to somebody else; release it first", 409)
    await logistics.put_room(tx, ask.model_dump())
    return RoomPut(site=ask.site, room=ask.room)


@router.subscriber(SetStay.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def set_stay(ask: SetStay, principal: Principal, tx: Tx, clock: Now) -> StaySet:
    """What a trainee needs."""
    member = ask.member or principal
    await _may_say(tx, principal, member)
    await lock_batch(tx, ask.batch)
    if member not in {row.member for row in await _trainees(tx, ask.batch, day_of(clock()))}:
        field, status = ("batch", 403) if ask.member is None else ("member", 404)
        raise Problem.of_field(field, f"{member} is not enrolled in it", status)
    said = ask.model_dump(exclude={"member"})
    await logistics.set_stay(tx, {**said, "member": member, "said_by": principal, "said_at": clock()})
    if not ask.needs_bed:
        await logistics.release(tx, ask.batch, [member], day_of(clock()))
    return StaySet(batch=ask.batch, member=member, needs_bed=ask.needs_bed)


@router.subscriber(AssignBed.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def assign_bed(ask: AssignBed, tx: Tx, clock: Now) -> BedAssigned:
    """Give a trainee a bed by hand."""
    batch = await lock_batch(tx, ask.batch)
    since, until = ask.since or batch.starts_on, ask.until or batch.ends_on
    if not 0 <= (until - since).days < MOST_DAYS:
        raise Problem.of_field("until", f"must be on or after {since}, and at most {MOST_DAYS} days in all")
    trainee = [row for row in await _trainees(tx, ask.batch, since) if row.member == ask.member]
    if not trainee:
        raise Problem.of_field("member", f"{ask.member} is not enrolled in it", 404)
    given = await _give(tx, batch, trainee, since, until, only=ask.room)
    if not given.assigned:
        field = "member" if given.left_out[0].reason == "has_a_bed" else "room"
        raise Problem.of_field(field, f"{ask.member} cannot have a bed in {ask.room}: {given.left_out[0].reason}", 409)
    _tell_beds(tx, given.assigned, clock())
    return given.assigned[0]


@router.subscriber(PlanBeds.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def plan_beds(ask: PlanBeds, tx: Tx, clock: Now) -> BedsPlanned:
    """Give beds to everybody who asked for one."""
    batch, today = await lock_batch(tx, ask.batch), day_of(clock())
    if batch.ends_on < today:
        raise Problem.of_field("batch", f"was over on {batch.ends_on}", 409)
    trainees = await logistics.trainees(tx, ask.batch, today)
    # A bed by hand stays with who has said nothing.
    free = [row.member for row in trainees if row.status == "withdrawn" or row.needs_bed is False]
    await logistics.release(tx, ask.batch, free, today)
    waiting = [row for row in trainees if row.status == "enrolled" and row.needs_bed and not row.has_bed]
    given = await _give(tx, batch, waiting, max(batch.starts_on, today), batch.ends_on)
    _tell_beds(tx, given.assigned, clock())
    return given


@router.subscriber(ReleaseBed.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def release_bed(ask: ReleaseBed, tx: Tx, clock: Now) -> BedReleased:
    """A trainee gives its bed back."""
    await lock_batch(tx, ask.batch)
    beds = await logistics.release(tx, ask.batch, [ask.member], day_of(clock()))
    return BedReleased(batch=ask.batch, member=ask.member, beds=beds)


@router.subscriber(PutMealPlan.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def put_meal_plan(ask: PutMealPlan, tx: Tx) -> MealPlanPut:
    """What is served at a site on a day."""
    if await courses.site(tx, ask.site) is None:
        raise Problem.of_field("site", f"{ask.site} is not known", 404)
    if len({meal.meal for meal in ask.meals}) < len(ask.meals):
        raise Problem.of_field("meals", "one meal is named twice")
    await logistics.put_meal_plan(tx, ask.model_dump())
    return MealPlanPut(site=ask.site, day=ask.day)


@router.subscriber(IssueEquipment.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def issue_equipment(ask: IssueEquipment, principal: Principal, tx: Tx, clock: Now) -> EquipmentIssued:
    """Hand equipment out."""
    await known(tx, "member", [ask.member])
    now = clock()
    if ask.due is not None and ask.due < day_of(now):
        raise Problem.of_field("due", "is over already")
    common = {"member": ask.member, "due": ask.due, "issued_at": now, "issued_by": principal}
    rows = [{"id": new_id(), **item.model_dump(), **common} for item in ask.items]
    await _hand_out(tx, rows)
    issued = [ItemIssued(issue=row["id"], item=row["item"], serial=row["serial"], count=row["count"]) for row in rows]
    return EquipmentIssued(member=ask.member, issued=issued)


@router.subscriber(ReturnEquipment.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def return_equipment(ask: ReturnEquipment, tx: Tx, clock: Now) -> EquipmentReturned:
    """Equipment has come back."""
    row = await logistics.lock_issue(tx, ask.issue)
    if row is None:
        raise Problem.of_field("issue", f"{ask.issue} is not known", 404)
    if row.returned_at is not None:
        raise Problem.of_field("issue", f"has come back already ({row.condition})", 409)
    await logistics.take_back(tx, ask.issue, ask.condition, clock())
    return EquipmentReturned(issue=ask.issue, member=row.member, item=row.item, condition=ask.condition)


@router.subscriber(RecordCost.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def record_cost(ask: RecordCost, principal: Principal, tx: Tx, clock: Now) -> CostRecorded:
    """Something was spent on a batch."""
    if await courses.batch(tx, ask.batch) is None:
        raise Problem.of_field("batch", f"{ask.batch} is not known", 404)
    row = {"id": new_id(), **ask.model_dump(), "recorded_by": principal, "recorded_at": clock()}
    return CostRecorded(cost=row["id"], batch=ask.batch, total_fen=await logistics.add_cost(tx, row))


async def _trainees(tx: Transaction, batch: str, day: date) -> list[Row[Any]]:
    return [row for row in await logistics.trainees(tx, batch, day) if row.status != "withdrawn"]


async def _may_say(tx: Transaction, principal: str, member: str) -> None:
    """A trainee speaks for itself; needs are personal data, health among them."""
    if principal != member:
        speaker = await people.member(tx, principal)
        if not may_organise(speaker and speaker.kind):
            raise Problem.of_field("member", "you can say it for yourself only", 403)


async def _give(
    tx: Transaction, batch: Row[Any], trainees: Sequence[Row[Any]], since: date, until: date, only: str | None = None
) -> BedsPlanned:
    """Beds for these trainees of a batch that is held, in one room if it is named; the rooms of the site are locked.

    Raises: Problem 404 for an unknown room.
    """
    rows = {row.room: row for row in await logistics.lock_rooms(tx, batch.site) if only in (None, row.room)}
    if only is not None and not rows:
        raise Problem.of_field("room", f"{only} is not known at {batch.site}", 404)
    untils = await _untils(tx, batch, [row.member for row in trainees], until)
    taken = await logistics.beds_held(tx, batch.site, since, max(untils.values(), default=until))
    given, left = rules.plan_beds(
        [Sleeper(row.member, sex_of(row.id_number, row.sex)) for row in trainees],
        [Room(row.room, row.beds, row.women_only) for row in rows.values()],
        [Held(row.room, row.bed, sex_of(row.id_number, row.sex)) for row in taken],
    )
    beds = [
        BedAssigned(
            batch=batch.id, member=one.member, room=one.room, bed=one.bed, since=since, until=untils[one.member]
        )
        for one in given
    ]
    written = await _write(tx, beds, rows, {row.member: row.no for row in trainees})
    left |= {bed.member: "has_a_bed" for bed in beds if bed.member not in written}
    refused = [Refused(member=member, reason=reason) for member, reason in left.items()]
    return BedsPlanned(batch=batch.id, assigned=[bed for bed in beds if bed.member in written], left_out=refused)


async def _write(
    tx: Transaction, beds: Sequence[BedAssigned], rooms: Mapping[str, Row[Any]], numbers: Mapping[str, int]
) -> set[str]:
    """Whose beds could be written: not of who has another one on these days."""
    rows = [
        {
            "id": new_id(), "member_no": numbers[bed.member], "room_no": rooms[bed.room].no,
            **bed.model_dump(exclude={"room"}),
        }
        for bed in beds
    ]  # fmt: skip
    return await logistics.give_beds(tx, rows)


async def _untils(tx: Transaction, batch: Row[Any], members: Sequence[str], until: date) -> dict[str, date]:
    """Until when each holds a bed: through the day of rest, if the last night is one on patrol."""
    nights: dict[str, list[date]] = {member: [] for member in members}
    for row in await logistics.nights_of(tx, batch.id, members):
        nights[row.member].append(row.duty_date or evening_of(row.starts_at))
    return {member: held_until(until, found) for member, found in nights.items()}


def _tell_beds(tx: Transaction, beds: Sequence[BedAssigned], now: datetime) -> None:
    for bed in beds:
        text = f"宿舍床位：{bed.room} {bed.bed}号床，{bed.since} 至 {bed.until}"
        notify(tx, bed.member, "bed_assigned", text, now)


async def _hand_out(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """All of it, or nothing.

    Raises: Problem naming the item that cannot be handed out.
    """
    for n, row in enumerate(rows):
        if row["serial"] is not None and row["count"] > 1:
            raise Problem.of_field(f"items[{n}].count", "what has a serial number is one")
    issued = await logistics.issue(tx, rows)
    for n, row in enumerate(rows):
        if row["id"] not in issued:
            raise Problem.of_field(f"items[{n}].serial", f"{row['item']} {row['serial']} is with somebody already", 409)
