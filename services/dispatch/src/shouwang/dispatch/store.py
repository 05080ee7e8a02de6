"""The SQL of dispatch: incidents, tasks, the decisions behind them, and what is known of units.

Whoever changes tasks of an incident locks its row first, so that one incident is decided by one transaction at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Double, Row, Text, and_, bindparam, case, func, literal_column, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from shouwang.common.database import Reading, Transaction
from shouwang.dispatch.domain.choosing import Reason
from shouwang.dispatch.domain.progress import LIVE, Incident, Task
from shouwang.dispatch.tables import Id, Moment, decisions, incidents, tasks, units

# Written out, not as parameters: PostgreSQL matches the partial index only to literals once it keeps a generic plan.
_LIVE = ", ".join(f"'{status}'" for status in sorted(LIVE))
_live = tasks.c.status.in_([literal_column(_LIVE)])
_open = incidents.c.status != literal_column(f"'{Incident.CLOSED}'")
_is_short = and_(_open, incidents.c.missing > 0)
_urgency = case({"urgent": 0, "high": 1, "normal": 2}, value=incidents.c.priority, else_=3).label("urgency")


@dataclass(frozen=True)
class Call:
    """An incident as the decisions need it."""

    id: str
    lat: float
    lon: float
    summary: str
    needed: int
    status: str
    missing: int
    opened_at: datetime


_call = [getattr(incidents.c, name) for name in Call.__dataclass_fields__]


# -- incidents -------------------------------------------------------------------------------------------------------


async def open_incident(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Write a new incident; False if this caller opened one under the same external id before."""
    fresh = insert(incidents).values(row).on_conflict_do_nothing(index_elements=["opened_by", "external_id"])
    return (await tx.execute(fresh)).rowcount == 1


async def incident_by_external_id(tx: Transaction, opened_by: str, external_id: str) -> str:
    """The id of the incident that this caller opened under an external id."""
    found = select(incidents.c.id).where(incidents.c.opened_by == opened_by, incidents.c.external_id == external_id)
    incident: str = (await tx.execute(found)).scalar_one()
    return incident


async def lock_incident(tx: Transaction, incident: str) -> Call | None:
    """The incident, held until this transaction ends."""
    row = (await tx.execute(select(*_call).where(incidents.c.id == incident).with_for_update())).one_or_none()
    return Call(**row._mapping) if row else None


async def short_in_turn(view: Reading, now: datetime, limit: int = 100) -> list[str]:
    """Open incidents that lack hands, in the order in which they are to be tried: the most urgent, then the oldest.

    Those whose time has come, and with them all that go before one of those: whoever has become free in the meantime
    must not go to a less urgent call because its turn came a moment earlier.
    """
    short = select(incidents.c.id, _urgency, incidents.c.opened_at, incidents.c.retry_at).where(_is_short).cte("short")
    place = tuple_(short.c.urgency, short.c.opened_at)
    due = select(short.c.urgency, short.c.opened_at).where(short.c.retry_at <= now)
    last = due.order_by(short.c.urgency.desc(), short.c.opened_at.desc()).limit(1).cte("last")
    turn = select(short.c.id).join(last, place <= tuple_(last.c.urgency, last.c.opened_at))
    return list((await view.execute(turn.order_by(short.c.urgency, short.c.opened_at).limit(limit))).scalars())


async def lock_short(tx: Transaction, incident: str) -> Call | None:
    """The incident, held until this transaction ends; None if it lacks nobody, or is being decided at this moment."""
    wanted = select(*_call).where(incidents.c.id == incident, _is_short).with_for_update(skip_locked=True)
    row = (await tx.execute(wanted)).one_or_none()
    return Call(**row._mapping) if row else None


async def wake_short(tx: Transaction, now: datetime) -> None:
    """Somebody is free again: let all that lack hands be tried at once, so that the most urgent comes first.

    Those that another transaction is deciding at this moment are passed over, they are being tried anyway.
    """
    waiting = select(incidents.c.id).where(_is_short).with_for_update(skip_locked=True)
    await tx.execute(update(incidents).where(incidents.c.id.in_(waiting)).values(retry_at=now))


async def set_incident(tx: Transaction, incident: str, **values: Any) -> None:
    """Change columns of an incident."""
    await tx.execute(update(incidents).where(incidents.c.id == incident).values(values))


async def record_decision(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Keep who was chosen and who was left out, with the reasons."""
    await tx.execute(insert(decisions), row)


# -- tasks -----------------------------------------------------------------------------------------------------------


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
    ON CONFLICT (unit) WHERE status IN ({_LIVE}) DO NOTHING
    RETURNING unit
""").bindparams(*(bindparam(name, type_=ARRAY(tasks.c[name].type)) for name in _OFFERED))  # noqa: S608 - our own names


async def standings(tx: Transaction, incident: str, asked: Mapping[str, float], again: datetime) -> dict[str, Reason]:
    """What keeps units from being offered an incident; only those that something keeps.

    Args:
        asked: units with the time of their fix, epoch seconds: presence that is older than the fix says nothing.
        again: who did not answer an offer that ended before this may be asked again.
    """
    found: dict[str, Reason] = {}
    values = {"incident": incident, "names": list(asked), "times": list(asked.values()), "again": again}
    for row in await tx.execute(_standings, values):
        if row.busy:
            found[row.unit] = Reason.BUSY
        elif row.last is not None:
            found[row.unit] = _AFTER.get(row.last, Reason.TASK_ENDED)
        elif row.presence in ("offline", "silent"):
            found[row.unit] = Reason(row.presence)
    return found


_AFTER = {str(Task.DECLINED): Reason.DECLINED, str(Task.EXPIRED): Reason.NO_ANSWER}
_standings = text(f"""
    SELECT n.unit,
           EXISTS (SELECT FROM tasks t WHERE t.unit = n.unit AND t.status IN ({_LIVE})) AS busy,
           (SELECT t.status FROM tasks t
            WHERE t.unit = n.unit AND t.incident = :incident AND NOT (t.status = 'expired' AND t.ended_at < :again)
            ORDER BY t.id DESC LIMIT 1) AS last,
           u.presence
    FROM unnest(:names, :times) AS n (unit, fix)
    LEFT JOIN units u ON u.unit = n.unit AND u.changed_at > to_timestamp(n.fix)
""").bindparams(  # noqa: S608 - our own names
    bindparam("names", type_=ARRAY(Text)),
    bindparam("times", type_=ARRAY(Double)),
    bindparam("incident", type_=Id),
    bindparam("again", type_=Moment),
)


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


# -- units -----------------------------------------------------------------------------------------------------------


async def note_presence(tx: Transaction, unit: str, presence: str, changed_at: datetime) -> None:
    """Keep a unit's presence unless something newer is known: facts may arrive out of order."""
    row = insert(units).values(unit=unit, presence=presence, changed_at=changed_at)
    newer = row.excluded.changed_at > units.c.changed_at
    await tx.execute(
        row.on_conflict_do_update(
            index_elements=["unit"], set_={"presence": presence, "changed_at": changed_at}, where=newer
        )
    )


# -- views -----------------------------------------------------------------------------------------------------------


async def incident(view: Reading, incident_id: str) -> Row[Any] | None:
    """One incident."""
    return (await view.execute(select(incidents).where(incidents.c.id == incident_id))).one_or_none()


async def incident_list(view: Reading, *, is_open: bool | None, before: str | None, limit: int) -> list[Row[Any]]:
    """Incidents, newest first."""
    wanted = select(incidents).order_by(incidents.c.id.desc()).limit(limit)
    if is_open is not None:
        wanted = wanted.where(_open if is_open else ~_open)
    if before is not None:
        wanted = wanted.where(incidents.c.id < before)
    return list(await view.execute(wanted))


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


async def last_left_out(view: Reading, incident_id: str) -> list[dict[str, str]]:
    """Who was left out of the last decision on an incident."""
    last = select(decisions.c.left_out).where(decisions.c.incident == incident_id)
    found = (await view.execute(last.order_by(decisions.c.id.desc()).limit(1))).scalar_one_or_none()
    return list(found or [])
