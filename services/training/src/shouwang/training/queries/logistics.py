"""Who sleeps where, how many eat what, what has not come back, what a trainee costs."""

from collections import Counter, defaultdict
from datetime import date
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.database import Reading
from shouwang.common.doors import Principal, View, lookups
from shouwang.common.problems import Problem
from shouwang.contracts.training.logistics import (
    BatchOrSite,
    Bed,
    Beds,
    CostList,
    CostOfBatch,
    CostOfKind,
    Costs,
    Diets,
    EquipmentList,
    EquipmentOut,
    ItemOut,
    MealCounts,
    MealPlanned,
    Meals,
    Room,
    RoomList,
)
from shouwang.training import SERVICE
from shouwang.training.domain.days import day_of
from shouwang.training.domain.logistics import diets, may_organise, per_head
from shouwang.training.handlers.parts import Now
from shouwang.training.store import courses, logistics, people

router: NatsRouter = lookups()
AT_ONCE = 4


@router.subscriber(Beds.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def beds(ask: Beds, view: View) -> RoomList:
    """The rooms of a site and who has a bed on a day; of one batch, its own beds only."""
    site, held = await _site(view, ask), defaultdict[str, list[Bed]](list)
    rows = await logistics.beds_held(view, site, ask.day, ask.day)
    for row in rows:
        if ask.batch in (None, row.batch):
            held[row.room].append(
                Bed(bed=row.bed, batch=row.batch, member=row.member, since=row.since, until=row.until)
            )
    rooms = [
        Room(site=site, room=row.room, beds=row.beds, women_only=row.women_only, held=held[row.room])
        for row in await logistics.room_list(view, site)
    ]
    return RoomList(day=ask.day, rooms=rooms, free=sum(room.beds for room in rooms) - len(rows))


@router.subscriber(Meals.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def meals(ask: Meals, principal: Principal, view: View) -> MealCounts:
    """How many eat on a day; what they cannot eat is for the kitchen of a batch alone."""
    site, speaker = await _site(view, ask), await people.member(view, principal)
    eaters = await logistics.eaters(view, ask.batch, ask.site, ask.day)
    allergies = sorted(row.allergies for row in eaters if row.allergies)
    kitchen = ask.batch is not None and may_organise(speaker and speaker.kind)
    return MealCounts(
        day=ask.day,
        people=len(eaters),
        diets=Diets(**diets(row.diet for row in eaters)),
        allergic=len(allergies),
        allergies=allergies if kitchen else None,
        plan=[MealPlanned(**meal) for meal in await logistics.meal_plan(view, site, ask.day)],
    )


@router.subscriber(EquipmentOut.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def equipment_out(ask: EquipmentOut, view: View, clock: Now) -> EquipmentList:
    """What has not come back."""
    today = day_of(clock())
    overdue_on = today if ask.overdue else None
    rows = await logistics.out(view, member=ask.member, overdue_on=overdue_on, after=ask.after, limit=ask.limit)
    return EquipmentList(out=[_item(row, today) for row in rows])


@router.subscriber(Costs.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def costs(ask: Costs, view: View) -> CostList:
    """What a batch, or all batches of a course, have cost for each trainee."""
    batches = await _batches(view, ask)
    entries = await logistics.costs_by_kind(view, [row.id for row in batches])
    by_batch, by_kind = Counter[str](), Counter[str]()
    for entry in entries:
        by_batch[entry.batch] += int(entry.amount_fen)
        by_kind[entry.kind] += int(entry.amount_fen)
    total, trainees = by_batch.total(), sum(row.trainees for row in batches)
    return CostList(
        total_fen=total,
        trainees=trainees,
        per_trainee_fen=per_head(total, trainees),
        kinds=[CostOfKind(kind=kind, amount_fen=by_kind[kind]) for kind in sorted(by_kind)],
        batches=[_cost(row, by_batch[row.id]) for row in batches],
    )


def _item(row: Row[Any], today: date) -> ItemOut:
    overdue = row.due is not None and row.due < today
    return ItemOut.model_validate({**row._mapping, "issue": row.id, "overdue": overdue})


def _cost(row: Row[Any], total: int) -> CostOfBatch:
    per_trainee = per_head(total, row.trainees)
    return CostOfBatch(batch=row.id, total_fen=total, trainees=row.trainees, per_trainee_fen=per_trainee)


async def _batches(view: Reading, ask: Costs) -> list[Row[Any]]:
    if (ask.batch is None) == (ask.course is None):
        raise Problem.of_field("batch", "say either batch or course")
    found = await logistics.enrolled_in(view, batch=ask.batch, course=ask.course)
    if ask.batch is not None and not found:
        raise Problem.of_field("batch", f"{ask.batch} is not known", 404)
    if ask.course is not None and await courses.course(view, ask.course) is None:
        raise Problem.of_field("course", f"{ask.course} is not known", 404)
    return found


async def _site(view: Reading, ask: BatchOrSite) -> str:
    """The site that is asked about."""
    if (ask.batch is None) == (ask.site is None):
        raise Problem.of_field("batch", "say either batch or site")
    if ask.batch is not None:
        batch = await courses.batch(view, ask.batch)
        if batch is None:
            raise Problem.of_field("batch", f"{ask.batch} is not known", 404)
        return str(batch.site)
    site = await courses.site(view, str(ask.site))
    if site is None:
        raise Problem.of_field("site", f"{ask.site} is not known", 404)
    return str(site.site)
