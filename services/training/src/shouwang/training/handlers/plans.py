"""Patrol plans (警力跟着警情走): dispatch proposes windows and beats, an organiser makes shifts of them."""

from datetime import date

from faststream.nats import NatsRouter

from shouwang.common.broker import heard
from shouwang.common.doors import Tx, commands, listeners
from shouwang.common.problems import Problem
from shouwang.contracts.patrol import PatrolPlanProposed, PatrolWindow
from shouwang.contracts.training.rosters import AddShifts, ShiftsAdded, TakeOverPlan
from shouwang.training import SERVICE
from shouwang.training.handlers.parts import AT_ONCE, Now
from shouwang.training.handlers.rosters import add, open_roster
from shouwang.training.store import plans

router: NatsRouter = commands()
facts: NatsRouter = listeners()


@facts.subscriber(PatrolPlanProposed.pattern(), **heard("DISPATCH", "training-plans"))  # type: ignore[untyped-decorator]
async def plan_proposed(fact: PatrolPlanProposed, tx: Tx) -> None:
    """Kept until somebody takes it over; the plan of before is kept too."""
    days = [window.duty_date for window in fact.windows]
    windows = fact.model_dump(mode="json")["windows"]
    about = {"plan": fact.plan, "windows": windows, "proposed_at": fact.at}
    await plans.keep(tx, {**about, "first": min(days), "last": max(days)})


@router.subscriber(TakeOverPlan.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def take_over_plan(ask: TakeOverPlan, tx: Tx, clock: Now) -> ShiftsAdded:
    """Make night patrols of the windows that lie within the roster."""
    plan = await plans.plan(tx, ask.plan)
    if plan is None:
        raise Problem.of_field("plan", f"{ask.plan} is not known", 404)
    roster = await open_roster(tx, ask.roster)
    windows = [PatrolWindow.model_validate(window) for window in plan.windows]
    wanted = [window for window in windows if roster.since <= window.duty_date <= roster.until]
    if not wanted:
        raise Problem.of_field("roster", f"has none of the plan's days ({plan.first} to {plan.last})", 409)
    shifts: list[str] = []
    for window in wanted:
        shifts += await add(tx, _shifts(ask, window, window.duty_date), roster, clock())
    await plans.taken_over(tx, ask.plan)
    return ShiftsAdded(roster=ask.roster, shifts=shifts)


def _shifts(ask: TakeOverPlan, window: PatrolWindow, day: date) -> AddShifts:
    where = {"area": window.beat, "lat": window.lat, "lon": window.lon}
    when = {"days": [day], "start": window.start, "end": window.end, "next_day": window.next_day}
    who = {"minimum": window.needed, "maximum": window.needed, "lead_officer": ask.lead_officer}
    about = {"roster": ask.roster, "kind": "night_patrol", "insurance": ask.insurance}
    return AddShifts.model_validate({**about, **where, **when, **who})
