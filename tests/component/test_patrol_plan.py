"""Windows and beats that dispatch proposes become shifts when an organiser takes them over."""

from datetime import UTC, date, datetime

from nats.aio.client import Client

from shouwang.common.ids import new_id
from shouwang.common.testing import eventually
from shouwang.contracts.patrol import PatrolPlanProposed, PatrolWindow

from .conftest import Services
from .office import Office

DAY = date(2026, 12, 5)


def window(day: date, start: str, end: str, *, next_day: bool = False) -> PatrolWindow:
    """One window of a plan."""
    where = {"beat": "hantian-3", "lat": 27.87, "lon": 120.7}
    about = {"duty_date": day, "start": start, "end": end, "next_day": next_day, "needed": 3, "incidents": 20}
    return PatrolWindow.model_validate({**about, **where})


async def proposed(broker: Client, *windows: PatrolWindow) -> str:
    """Dispatch proposes a plan."""
    fact = PatrolPlanProposed(plan=new_id(), weeks=8, windows=list(windows), at=datetime.now(UTC))
    headers = {"Nats-Msg-Id": new_id(), "ce-id": new_id()}
    await broker.jetstream().publish(fact.subject(), fact.model_dump_json().encode(), headers=headers)
    return fact.plan


async def test_a_plan_is_taken_over_as_far_as_the_roster_goes(services: Services, broker: Client) -> None:
    office = Office(broker)
    officer = await office.member("officer", "community_officer")
    outside = window(date(2026, 12, 20), "19:00", "22:00")
    plan = await proposed(broker, window(DAY, "19:00", "22:00"), window(DAY, "00:00", "04:00", next_day=True), outside)

    async def known() -> bool:
        return plan in [one["plan"] for one in (await office.done("patrol_plans"))["plans"]]

    await eventually(known)
    roster = await office.roster(DAY)
    taken = await office.done("take_over_plan", {"plan": plan, "roster": roster, "lead_officer": officer})
    assert len(taken["shifts"]) == 2
    shifts = (await office.done("shifts", {"roster": roster}))["shifts"]
    assert [(s["starts_at"], s["ends_at"], s["duty_date"]) for s in shifts] == [
        ("2026-12-05T11:00:00Z", "2026-12-05T14:00:00Z", "2026-12-05"),
        ("2026-12-05T16:00:00Z", "2026-12-05T20:00:00Z", "2026-12-05"),
    ]
    assert {(s["area"], s["minimum"], s["lead_officer"]) for s in shifts} == {("hantian-3", 3, officer)}
    plans = {one["plan"]: one["taken_over"] for one in (await office.done("patrol_plans"))["plans"]}
    assert plans[plan] is True


async def test_a_plan_of_other_days_or_unknown_is_refused(services: Services, broker: Client) -> None:
    office = Office(broker)
    officer = await office.member("officer", "community_officer")
    plan = await proposed(broker, window(DAY, "19:00", "22:00"))

    async def known() -> bool:
        return plan in [one["plan"] for one in (await office.done("patrol_plans"))["plans"]]

    await eventually(known)
    later = await office.roster(date(2027, 2, 1))
    answer = await office.ask("take_over_plan", {"plan": plan, "roster": later, "lead_officer": officer})
    assert (answer.status, answer.fields) == (409, ["roster"])
    answer = await office.ask("take_over_plan", {"plan": new_id(), "roster": later, "lead_officer": officer})
    assert (answer.status, answer.fields) == (404, ["plan"])
