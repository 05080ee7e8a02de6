"""Incidents, and the decisions about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, case, literal_column, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from shouwang.common.database import Reading, Transaction
from shouwang.dispatch.domain.progress import Incident
from shouwang.dispatch.tables import decisions, incidents

# Written out, not as parameters: PostgreSQL matches a partial index only to literals once it keeps a generic plan.
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


async def last_left_out(view: Reading, incident_id: str) -> list[dict[str, str]]:
    """Who was left out of the last decision on an incident."""
    last = select(decisions.c.left_out).where(decisions.c.incident == incident_id)
    found = (await view.execute(last.order_by(decisions.c.id.desc()).limit(1))).scalar_one_or_none()
    return list(found or [])
