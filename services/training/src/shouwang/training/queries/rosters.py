"""Rosters, shifts, promises, swaps, stand-ins."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.doors import View, lookups
from shouwang.common.geo import distance_m
from shouwang.common.problems import Problem
from shouwang.contracts.training.people import Refused
from shouwang.contracts.training.rosters import (
    CommitmentList,
    CommitmentNow,
    Commitments,
    PatrolPlans,
    PlanList,
    PlanNow,
    RosterList,
    RosterNow,
    Rosters,
    ShiftList,
    ShiftNow,
    Shifts,
    StandIn,
    Standing,
    StandInList,
    StandIns,
    SwapInList,
    SwapList,
    Swaps,
    Unfilled,
)
from shouwang.training import SERVICE
from shouwang.training.domain.days import month_of
from shouwang.training.handlers.parts import Now, Rules
from shouwang.training.places import HOLDS, forbids
from shouwang.training.queries.parts import named
from shouwang.training.store import people, plans, rosters

router: NatsRouter = lookups()
AT_ONCE = 4
MOST_LEFT_OUT = 200


@router.subscriber(Commitments.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def commitments(ask: Commitments, view: View) -> CommitmentList:
    """All promises, and how far they were kept in the month of a day."""
    first, last = month_of(ask.day)
    rows = await rosters.commitment_list(view, first, last)
    return CommitmentList(month=f"{first:%Y-%m}", commitments=[CommitmentNow(**row._mapping) for row in rows])


@router.subscriber(Rosters.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def all_rosters(ask: Rosters, view: View) -> RosterList:
    """Rosters, newest first, or one."""
    rows = await rosters.roster_list(view, **ask.model_dump())
    if ask.roster is not None and not rows:
        raise Problem.of_field("roster", f"{ask.roster} is not known", 404)
    return RosterList(rosters=[RosterNow(**named(row, "roster")) for row in rows])


@router.subscriber(PatrolPlans.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def patrol_plans(ask: PatrolPlans, view: View) -> PlanList:
    """What dispatch has proposed."""
    return PlanList(plans=[PlanNow(**row._mapping) for row in await plans.plan_list(view, ask.limit)])


@router.subscriber(Shifts.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def shifts(ask: Shifts, view: View) -> ShiftList:
    """Shifts in the order of their beginning, with who stands on them."""
    rows = await rosters.shift_list(view, **ask.model_dump())
    standing = await rosters.standing(view, [row.id for row in rows])
    return ShiftList(shifts=[_shift(row, standing[row.id]) for row in rows])


@router.subscriber(Swaps.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def swaps(ask: Swaps, view: View) -> SwapList:
    """The swaps of a member."""
    rows = await rosters.swap_list(view, member=ask.member, is_open=ask.open, limit=ask.limit)
    return SwapList(swaps=[SwapInList(**named(row, "swap")) for row in rows])


@router.subscriber(StandIns.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def stand_ins(ask: StandIns, view: View, clock: Now, settings: Rules) -> StandInList:
    """Who could stand in, nearest first, then who has served least; and who cannot, and why."""
    shift = await rosters.shift(view, ask.shift)
    if shift is None:
        raise Problem.of_field("shift", f"{ask.shift} is not known", 404)
    can, cannot = await _sorted_out(view, shift, settings)
    served = await rosters.served_minutes(view, clock().date() - timedelta(days=settings.fair_days))
    places = await people.places_of(view, can)
    found = [
        StandIn(member=m, organisation=org, distance_m=_distance(shift, places.get(m)), served_min=served.get(m, 0))
        for m, org in can.items()
    ]
    found.sort(key=lambda s: (s.distance_m is None, s.distance_m or 0.0, s.served_min, s.member))
    return StandInList(stand_ins=found[: ask.limit], left_out=cannot[:MOST_LEFT_OUT])


async def _sorted_out(view: View, shift: Row[Any], settings: Rules) -> tuple[dict[str, str | None], list[Refused]]:
    """Everybody who can, with the organisation, and everybody who cannot, with the first reason; officers lead."""
    named = {row.member: row.status for row in (await rosters.standing(view, [shift.id]))[shift.id]}
    held = await rosters.held(view, None, shift.duty_date, shift.duty_date)
    rules = settings.rest_rules()
    can: dict[str, str | None] = {}
    cannot: list[Refused] = []
    for token, person in (await people.persons(view, None, shift.duty_date)).items():
        if person.is_officer or named.get(token) in HOLDS:
            continue
        reasons: list[str] = [*forbids(person, shift, held.get(token, []), rules)]
        if named.get(token) == "declined":
            reasons = ["declined"]
        if reasons:
            cannot.append(Refused(member=token, reason=reasons[0]))
        else:
            can[token] = person.organisation
    return can, cannot


def _distance(shift: Row[Any], place: tuple[float, float] | None) -> float | None:
    if place is None or shift.lat is None or shift.lon is None:
        return None
    return round(distance_m(shift.lat, shift.lon, *place), 1)


def _shift(row: Row[Any], places: Sequence[Row[Any]]) -> ShiftNow:
    standing = [Standing(member=p.member, organisation=p.organisation, status=p.status) for p in places]
    unfilled = Unfilled(missing=row.missing, why=row.why) if row.missing else None
    return ShiftNow(standing=standing, unfilled=unfilled, **named(row, "shift"))
