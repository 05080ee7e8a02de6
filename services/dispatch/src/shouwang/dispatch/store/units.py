"""What is known of units: presence from location, standing and duty from training; what keeps them from going."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Double, Row, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, insert

from shouwang.common.database import Transaction
from shouwang.dispatch.domain.choosing import Reason, Standing
from shouwang.dispatch.domain.eligibility import Member, why_not
from shouwang.dispatch.domain.progress import Task
from shouwang.dispatch.store.tasks import LIVE_LITERALS
from shouwang.dispatch.tables import Id, Moment, members, units


async def note_presence(tx: Transaction, unit: str, presence: str, changed_at: datetime) -> None:
    """Keep a unit's presence unless something newer is known: facts may arrive out of order."""
    row = insert(units).values(unit=unit, presence=presence, changed_at=changed_at)
    newer = row.excluded.changed_at > units.c.changed_at
    await tx.execute(
        row.on_conflict_do_update(
            index_elements=["unit"], set_={"presence": presence, "changed_at": changed_at}, where=newer
        )
    )


async def note_standing(tx: Transaction, member: str, at: datetime, **standing: Any) -> bool:
    """Keep whether a member is cleared, unless something newer is known; whether this was new."""
    row = insert(members).values(member=member, standing_at=at, **standing)
    kept = {"standing_at": at, **standing}
    newer = row.excluded.standing_at > members.c.standing_at
    return await _kept(tx, row, kept, newer)


async def note_duty(tx: Transaction, member: str, at: datetime, *, on_duty: bool, until: datetime | None) -> bool:
    """Keep whether a member is on duty, unless something newer is known; whether this was new.

    A beginning and an end of the same moment are one short duty: it is over.
    """
    row = insert(members).values(member=member, on_duty=on_duty, duty_until=until, duty_at=at)
    kept = {"on_duty": on_duty, "duty_until": until, "duty_at": at}
    newer = row.excluded.duty_at > members.c.duty_at if on_duty else row.excluded.duty_at >= members.c.duty_at
    return await _kept(tx, row, kept, newer)


async def _kept(tx: Transaction, row: Any, kept: Mapping[str, Any], newer: Any) -> bool:
    written = row.on_conflict_do_update(index_elements=["member"], set_=kept, where=newer)
    return (await tx.execute(written)).rowcount == 1


async def standings(
    tx: Transaction, incident: str, asked: Mapping[str, float], again: datetime, now: datetime, *, enforced: bool
) -> dict[str, Standing]:
    """Units' kinds as far as training knows them, and what keeps them from being offered an incident.

    Args:
        asked: units with the time of their fix, epoch seconds: presence that is older than the fix says nothing.
        again: who did not answer an offer that ended before this may be asked again.
        enforced: whether only members who are cleared and on duty may go.
    """
    values = {"incident": incident, "names": list(asked), "times": list(asked.values()), "again": again}
    found = await tx.execute(_of_members if enforced else _of_units, values)
    return {row.unit: _standing(row, now, enforced=enforced) for row in found}


def _standing(row: Row[Any], now: datetime, *, enforced: bool) -> Standing:
    if not enforced:
        return Standing("", _prevented(row))
    told = (
        None
        if row.member is None
        else Member(row.cleared, row.cleared_until, row.suspended_for, row.on_duty, row.duty_until)
    )
    return Standing(row.kind or "", why_not(told, now) or _prevented(row))


def _prevented(row: Row[Any]) -> Reason | None:
    if row.busy:
        return Reason.BUSY
    if row.last is not None:
        return _AFTER.get(row.last, Reason.TASK_ENDED)
    return Reason(row.presence) if row.presence in ("offline", "silent") else None


_AFTER = {str(Task.DECLINED): Reason.DECLINED, str(Task.EXPIRED): Reason.NO_ANSWER}


def _question(columns: str = "", joined: str = "") -> Any:
    return text(f"""
        SELECT n.unit,
               EXISTS (SELECT FROM tasks t WHERE t.unit = n.unit AND t.status IN ({LIVE_LITERALS})) AS busy,
               (SELECT t.status FROM tasks t
                WHERE t.unit = n.unit AND t.incident = :incident AND NOT (t.status = 'expired' AND t.ended_at < :again)
                ORDER BY t.id DESC LIMIT 1) AS last,
               u.presence{columns}
        FROM unnest(:names, :times) AS n (unit, fix)
        LEFT JOIN units u ON u.unit = n.unit AND u.changed_at > to_timestamp(n.fix){joined}
    """).bindparams(  # noqa: S608 - our own names
        bindparam("names", type_=ARRAY(Text)),
        bindparam("times", type_=ARRAY(Double)),
        bindparam("incident", type_=Id),
        bindparam("again", type_=Moment),
    )


_of_units = _question()
_of_members = _question(
    ", m.member, m.kind, m.cleared, m.cleared_until, m.suspended_for, m.on_duty, m.duty_until",
    " LEFT JOIN members m ON m.member = n.unit",
)
