"""What dispatch does when asked, or told: each handler is one transaction."""

from typing import Annotated, Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.broker import heard
from shouwang.common.clock import Clock
from shouwang.common.database import Transaction
from shouwang.common.doors import Given, Principal, Tx, commands, listeners
from shouwang.common.ids import new_id
from shouwang.common.problems import Problem
from shouwang.contracts.dispatch import (
    CancelTask,
    ClosedFact,
    CloseIncident,
    IncidentClosedReply,
    IncidentOpened,
    LeftOut,
    Offer,
    OpenedFact,
    OpenIncident,
    Respond,
    TaskAnswered,
)
from shouwang.contracts.location import UnitPresence
from shouwang.dispatch import SERVICE, store
from shouwang.dispatch.domain.progress import LIVE, Incident, Task, after, incident_status
from shouwang.dispatch.offers import Filled, Offers
from shouwang.dispatch.steps import step, tell_step

router: NatsRouter = commands()
facts: NatsRouter = listeners()
AT_ONCE = 16
"""Requests of one kind that are worked on side by side."""

Hands = Annotated[Offers, Given("offers")]
Now = Annotated[Clock, Given("clock")]


@router.subscriber(OpenIncident.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def open_incident(ask: OpenIncident, principal: Principal, tx: Tx, hands: Hands, clock: Now) -> IncidentOpened:
    """Take a call and offer it to the nearest who can go."""
    incident, now = new_id(), clock()
    # As if all hands were found; `fill` puts it right where it comes otherwise.
    call = store.Call(incident, ask.lat, ask.lon, ask.summary, ask.needed, str(Incident.DISPATCHED), 0, now)
    row = {**ask.model_dump(), **vars(call), "opened_by": principal}
    if not await store.open_incident(tx, row):
        return await _opened_before(tx, principal, str(ask.external_id))
    about = ask.model_dump(include={"kind", "lat", "lon", "needed", "priority"})
    tx.tell(OpenedFact(incident=incident, at=now, **about))
    return _opened(incident, await hands.fill(tx, call, first=True))


@router.subscriber(Respond.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def respond(ask: Respond, principal: Principal, tx: Tx, hands: Hands, clock: Now) -> TaskAnswered:
    """A unit answers for its own task."""
    call, task = await _lock(tx, ask.task)
    if task.unit != principal:
        raise Problem.of_field("task", f"{ask.task} was offered to another unit", 403)
    status = after(Task(task.status), ask.answer)
    if status is None:
        raise Problem.of_field("answer", f"a task that is {task.status} cannot be answered with {ask.answer}", 409)
    if status != task.status:
        await step(tx, task, status, clock(), note=ask.note)
        if status is Task.DECLINED:
            await hands.fill(tx, call)
        else:
            await store.set_incident(tx, call.id, status=str(incident_status(await store.statuses(tx, call.id))))
        if status not in LIVE:
            await store.wake_short(tx, clock())
    return TaskAnswered(task=ask.task, status=status.value)


@router.subscriber(CancelTask.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def cancel_task(ask: CancelTask, tx: Tx, hands: Hands, clock: Now) -> TaskAnswered:
    """Take a task back; the incident goes to the next nearest."""
    call, task = await _lock(tx, ask.task)
    if Task(task.status) is not Task.CANCELLED:
        if Task(task.status) not in LIVE:
            raise Problem.of_field("task", f"it has ended already ({task.status})", 409)
        await step(tx, task, Task.CANCELLED, clock(), note=ask.reason)
        await hands.fill(tx, call)
        await store.wake_short(tx, clock())
    return TaskAnswered(task=ask.task, status="cancelled")


@router.subscriber(CloseIncident.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def close_incident(ask: CloseIncident, tx: Tx, clock: Now) -> IncidentClosedReply:
    """End an incident and take back what is still live of it."""
    call, now = await store.lock_incident(tx, ask.incident), clock()
    if call is None:
        raise Problem.of_field("incident", f"{ask.incident} is not known", 404)
    if call.status != Incident.CLOSED:
        for task in await store.cancel_live(tx, call.id, now):
            tell_step(tx, task, Task.CANCELLED, now)
        closed = {"status": str(Incident.CLOSED), "outcome": ask.outcome, "note": ask.note, "closed_at": now}
        await store.set_incident(tx, call.id, missing=0, **closed)
        tx.tell(ClosedFact(incident=call.id, outcome=ask.outcome, at=now))
        await store.wake_short(tx, now)
    return IncidentClosedReply(incident=call.id, status="closed")


@facts.subscriber("location.unit.{presence}.v1.{unit}", **heard("LOCATION", "dispatch-presence"))  # type: ignore[untyped-decorator]
async def unit_presence(fact: UnitPresence, presence: Annotated[str, Given("message.path.presence")], tx: Tx) -> None:
    """Location says a unit is online, silent or offline: three facts with one body, the subject says which."""
    await store.note_presence(tx, fact.unit, presence, fact.at)


async def _lock(tx: Transaction, task_id: str) -> tuple[store.Call, Row[Any]]:
    """A task and its incident, the incident held first."""
    task = await store.task(tx, task_id)
    call = await store.lock_incident(tx, task.incident) if task else None
    task = await store.task(tx, task_id)  # as it is now that nobody else can change it
    if task is None or call is None:
        raise Problem.of_field("task", f"{task_id} is not known", 404)
    return call, task


async def _opened_before(tx: Transaction, principal: str, external_id: str) -> IncidentOpened:
    incident = await store.incident_by_external_id(tx, principal, external_id)
    call = await store.lock_incident(tx, incident)
    rows = await store.tasks_of(tx, [incident])
    assert call is not None
    return IncidentOpened(
        incident=incident,
        tasks=[Offer(task=r.id, unit=r.unit, distance_m=r.distance_m, reason=r.reason) for r in rows],
        left_out=[LeftOut(**row) for row in await store.last_left_out(tx, incident)],
        shortfall=call.missing,
    )


def _opened(incident: str, filled: Filled) -> IncidentOpened:
    return IncidentOpened(
        incident=incident,
        tasks=[
            Offer(task=row["id"], unit=row["unit"], distance_m=row["distance_m"], reason=row["reason"])
            for row in filled.offers
        ],
        left_out=[LeftOut(unit=unit, reason=str(reason)) for unit, reason in filled.left_out],
        shortfall=filled.missing,
    )
