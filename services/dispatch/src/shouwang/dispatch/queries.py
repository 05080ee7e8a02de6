"""Questions about incidents and tasks, answered from the database."""

from collections.abc import Iterable
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.doors import View, lookups
from shouwang.common.problems import Problem
from shouwang.contracts.dispatch import (
    Incident,
    IncidentList,
    IncidentNow,
    Incidents,
    LeftOut,
    TaskList,
    TaskNow,
    Tasks,
)
from shouwang.dispatch import SERVICE, store

router: NatsRouter = lookups()
AT_ONCE = 4


@router.subscriber(Incident.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def incident(ask: Incident, view: View) -> IncidentNow:
    """One incident with its tasks, and who was left out of the last decision."""
    row = await store.incident(view, ask.incident)
    if row is None:
        raise Problem.of_field("incident", f"{ask.incident} is not known", 404)
    left_out = [LeftOut(**left) for left in await store.last_left_out(view, ask.incident)]
    return _incident(row, await store.tasks_of(view, [row.id]), left_out)


@router.subscriber(Incidents.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def incidents(ask: Incidents, view: View) -> IncidentList:
    """Incidents, newest first."""
    rows = await store.incident_list(view, is_open=ask.open, before=ask.before, limit=ask.limit)
    tasks = await store.tasks_of(view, [row.id for row in rows])
    return IncidentList(incidents=[_incident(row, (t for t in tasks if t.incident == row.id)) for row in rows])


@router.subscriber(Tasks.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def tasks(ask: Tasks, view: View) -> TaskList:
    """Tasks, newest first."""
    rows = await store.task_list(view, unit=ask.unit, incident=ask.incident, live=ask.live, limit=ask.limit)
    return TaskList(tasks=[_task(row) for row in rows])


def _incident(row: Row[Any], tasks: Iterable[Row[Any]], left_out: list[LeftOut] | None = None) -> IncidentNow:
    fields = row._asdict()
    fields.update(incident=fields.pop("id"), shortfall=fields.pop("missing"), left_out=left_out)
    return IncidentNow(**fields, tasks=[_task(task) for task in tasks])


def _task(row: Row[Any]) -> TaskNow:
    fields = row._asdict()
    return TaskNow(task=fields.pop("id"), **fields)
