"""What is known of units: presence from location, standing and duty from training; what keeps them from going."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Double, Row, Text, bindparam, text, update
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


async def lock_member(tx: Transaction, name: str) -> Member:
    """What training has told of a member, held until this transaction ends; the row is made if there is none."""
    row = insert(members).values(member=name, on_duty=False)
    held = row.on_conflict_do_update(index_elements=["member"], set_={"member": name}).returning(*_member)
    return Member(**(await tx.execute(held)).one()._mapping)


async def set_member(tx: Transaction, name: str, member: Member) -> None:
    """Keep what training has told of a member, whose row the caller holds."""
    await tx.execute(update(members).where(members.c.member == name).values(vars(member)))


_member = [getattr(members.c, name) for name in Member.__dataclass_fields__]


async def standings(tx: Transaction, incident: str, asked: Mapping[str, float], again: datetime) -> dict[str, Reason]:
    """What keeps units from being offered an incident; only those that something keeps.

    Args:
        asked: units with the time of their fix, epoch seconds: presence that is older than the fix says nothing.
        again: who did not answer an offer that ended before this may be asked again.
    """
    rows = await tx.execute(_of_units, _values(incident, asked, again))
    return {row.unit: reason for row in rows if (reason := _prevented(row)) is not None}


async def standings_of_members(
    tx: Transaction, incident: str, asked: Mapping[str, float], again: datetime, now: datetime
) -> dict[str, Standing]:
    """The same where only members on duty are sent; of all that were asked about, with the kinds training knows."""
    found: dict[str, Standing] = {}
    for row in await tx.execute(_of_members, _values(incident, asked, again)):
        member = Member(**{name: getattr(row, name) for name in _DECIDING})
        found[row.unit] = Standing(member.kind or "", why_not(member, now) or _prevented(row))
    return found


_DECIDING = ("kind", "suspended_for", "cleared_until", "standing_at", "on_duty", "duty_until", "duty_at")
"""What `why_not` looks at."""


def _values(incident: str, asked: Mapping[str, float], again: datetime) -> dict[str, Any]:
    return {"incident": incident, "names": list(asked), "times": list(asked.values()), "again": again}


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
        LEFT JOIN units u ON u.unit = n.unit AND u.changed_at > to_timestamp(n.fix)
        {joined}
    """).bindparams(  # noqa: S608 - our own names
        bindparam("names", type_=ARRAY(Text)),
        bindparam("times", type_=ARRAY(Double)),
        bindparam("incident", type_=Id),
        bindparam("again", type_=Moment),
    )


_of_units = _question()
_of_members = _question("".join(f", m.{name}" for name in _DECIDING), "LEFT JOIN members m ON m.member = n.unit")
