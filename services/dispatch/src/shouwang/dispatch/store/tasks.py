"""Tasks: offered, answered, ended."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from shouwang.common.database import Reading, Transaction
from shouwang.dispatch.domain.progress import LIVE, Task
from shouwang.dispatch.tables import Id, tasks

# Written out, not as parameters: PostgreSQL matches the partial index only to literals once it keeps a generic plan.
LIVE_LITERALS = ", ".join(f"'{status}'" for status in sorted(LIVE))
_live = tasks.c.status.in_([literal_column(LIVE_LITERALS)])


async def offer(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Write offers; the units that got theirs. Whom another incident has taken, or is just taking, is not among them.

    Nobody waits for anybody here: a unit that another transaction is offering to is passed over, so that two incidents
    that want the same two units cannot stand in each other's way (no deadlock, no waiting for the other's disk).
    """
    if not rows:
        return set()
    columns = {name: [row[name] for row in rows] for name in _OFFERED}
    return set((await tx.execute(_offer, columns)).scalars())


_OFFERED = ("id", "incident", "unit", "status", "distance_m", "reason", "offered_at", "expires_at")
_offer = text(f"""
    INSERT INTO tasks ({", ".join(_OFFERED)})
    SELECT {", ".join(_OFFERED)} FROM unnest({", ".join(f":{name}" for name in _OFFERED)}) AS n ({", ".join(_OFFERED)})
    WHERE pg_try_advisory_xact_lock(hashtext('offer'), hashtext(unit))
    ON CONFLICT (unit) WHERE status IN ({LIVE_LITERALS}) DO NOTHING
    RETURNING unit
""").bindparams(*(bindparam(name, type_=ARRAY(tasks.c[name].type)) for name in _OFFERED))  # noqa: S608 - our own names


async def task(view: Reading, task_id: str) -> Row[Any] | None:
    """One task."""
    return (await view.execute(select(tasks).where(tasks.c.id == task_id))).one_or_none()


async def tasks_of(view: Reading, ids: Iterable[str]) -> list[Row[Any]]:
    """All tasks of some incidents, in the order in which they were offered."""
    return list(await view.execute(select(tasks).where(tasks.c.incident.in_(list(ids))).order_by(tasks.c.id)))


async def statuses(tx: Transaction, incident: str) -> list[Task]:
    """The statuses of an incident's tasks."""
    return [Task(status) for status in (await tx.execute(_statuses, {"incident": incident})).scalars()]


_statuses = select(tasks.c.status).where(tasks.c.incident == bindparam("incident", type_=Id))


async def set_task(tx: Transaction, task_id: str, **values: Any) -> None:
    """Change columns of a task."""
    await tx.execute(update(tasks).where(tasks.c.id == task_id).values(values))


async def incidents_with_expired(view: Reading, now: datetime, limit: int = 100) -> list[str]:
    """Incidents of which an offer has run out."""
    due = (tasks.c.status == literal_column("'offered'"), tasks.c.expires_at <= now)
    found = select(tasks.c.incident).where(*due).group_by(tasks.c.incident).order_by(func.min(tasks.c.expires_at))
    return list((await view.execute(found.limit(limit))).scalars())


async def expire(tx: Transaction, incident: str, now: datetime) -> list[Row[Any]]:
    """End the offers of an incident that have run out; gives them."""
    due = (tasks.c.incident == incident, tasks.c.status == str(Task.OFFERED), tasks.c.expires_at <= now)
    ended = update(tasks).where(*due).values(status=str(Task.EXPIRED), ended_at=now).returning(*tasks.c)
    return list(await tx.execute(ended))


async def cancel_live(tx: Transaction, incident: str, now: datetime) -> list[Row[Any]]:
    """Take back all live tasks of an incident; gives them."""
    ended = update(tasks).where(tasks.c.incident == incident, _live).values(status=str(Task.CANCELLED), ended_at=now)
    return list(await tx.execute(ended.returning(*tasks.c)))


async def task_list(
    view: Reading, *, unit: str | None, incident: str | None, live: bool | None, limit: int
) -> list[Row[Any]]:
    """Tasks, newest first."""
    wanted = select(tasks).order_by(tasks.c.id.desc()).limit(limit)
    if unit is not None:
        wanted = wanted.where(tasks.c.unit == unit)
    if incident is not None:
        wanted = wanted.where(tasks.c.incident == incident)
    if live is not None:
        wanted = wanted.where(_live if live else ~_live)
    return list(await view.execute(wanted))


async def offered_to(tx: Transaction, unit: str) -> Row[Any] | None:
    """The task that waits for a unit's answer. An offer that is just being written to it is waited for."""
    await tx.execute(_after_offers, {"unit": unit})
    waiting = (tasks.c.unit == unit, tasks.c.status == literal_column("'offered'"))
    return (await tx.execute(select(tasks).where(*waiting))).one_or_none()


_after_offers = text("SELECT pg_advisory_xact_lock(hashtext('offer'), hashtext(:unit))")  # the lock that `offer` tries
