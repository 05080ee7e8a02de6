"""What members have chosen, and the queue of notices that are to be sent to them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, cast, delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.types import Text

from shouwang.common.database import Reading, Transaction
from shouwang.training.domain.reminders import REMINDER
from shouwang.training.store.parts import among, upsert
from shouwang.training.tables.base import Moment
from shouwang.training.tables.notices import notice_settings, notices
from shouwang.training.tables.people import members
from shouwang.training.tables.rosters import assignments, rosters, shifts

PHONE = "phone"
"""The channel of the phone app, that everybody has and nobody chooses: reminders of it are queued like the others."""

_waiting = and_(notices.c.sent_at.is_(None), notices.c.gave_up_at.is_(None))


async def put_settings(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write what a member has chosen, in place of before."""
    await upsert(tx, notice_settings, "member", [row])


async def settings_of(view: Reading, member: str) -> Row[Any] | None:
    """What a member has chosen; None if nothing."""
    return (await view.execute(select(notice_settings).where(notice_settings.c.member == member))).one_or_none()


# -- queueing (what `standings.notify` says is queued by the database, see `tables/notices.py`) -----------------------


async def queue(tx: Transaction, tokens: Iterable[str], about: str, text: str, now: datetime) -> None:
    """Queue a notice for each of these members, on each of the channels that it chose."""
    theirs = select(
        notice_settings.c.member,
        func.unnest(notice_settings.c.channels),
        literal(about),
        literal(text),
        literal(now, Moment),
    )
    columns = ["member", "channel", "about", "text", "due_at"]
    await tx.execute(insert(notices).from_select(columns, theirs.where(among(notice_settings.c.member, tokens))))


async def queue_reminders(tx: Transaction, now: datetime, before: timedelta, after: timedelta) -> int:
    """Queue a reminder of each accepted place that begins within `before`, yet not within `after`; how many.

    Once for each place, also if two replicas do it at the same moment (a unique index). Who accepted when the reminder
    was due already knows.
    """
    minutes = before // timedelta(minutes=1)
    done = exists().where(
        notices.c.member == assignments.c.member,
        notices.c.shift == assignments.c.shift,
        notices.c.before_min == minutes,
    )
    chosen = func.coalesce(notice_settings.c.channels, cast([], ARRAY(Text)))
    wanted = (
        select(
            assignments.c.member,
            func.unnest(func.array_prepend(PHONE, chosen)),
            literal(REMINDER),
            assignments.c.shift,
            assignments.c.starts_at,
            literal(minutes),
            assignments.c.starts_at - before,
        )
        .join_from(shifts, assignments, assignments.c.shift == shifts.c.id)
        .join(rosters, rosters.c.id == shifts.c.roster)
        .join(notice_settings, notice_settings.c.member == assignments.c.member, isouter=True)
        .where(shifts.c.starts_at > now + after, shifts.c.starts_at <= now + before, rosters.c.status == "published")
        .where(assignments.c.status == "accepted", assignments.c.changed_at <= assignments.c.starts_at - before, ~done)
    )
    columns = ["member", "channel", "about", "shift", "starts_at", "before_min", "due_at"]
    return (await tx.execute(insert(notices).from_select(columns, wanted).on_conflict_do_nothing())).rowcount


# -- sending ---------------------------------------------------------------------------------------------------------


async def take(tx: Transaction, channel: str, now: datetime, limit: int) -> list[Row[Any]]:
    """Notices of a channel that are due, held until this transaction ends, passing over those that somebody else holds.

    With what decides on them: the member's phone and choices, its place on the shift, and the shift.
    """
    here = and_(assignments.c.shift == notices.c.shift, assignments.c.member == notices.c.member)
    wanted = (
        select(notices, members.c.phone, assignments.c.status.label("place"), shifts.c.kind, shifts.c.area)
        .add_columns(shifts.c.ends_at, notice_settings.c.channels)
        .add_columns(notice_settings.c.quiet_from, notice_settings.c.quiet_until)
        .join_from(notices, members, members.c.member == notices.c.member)
        .join(notice_settings, notice_settings.c.member == notices.c.member, isouter=True)
        .join(shifts, shifts.c.id == notices.c.shift, isouter=True)
        .join(assignments, here, isouter=True)
        .where(notices.c.channel == channel, notices.c.due_at <= now, _waiting)
        .order_by(notices.c.due_at, notices.c.id)
        .limit(limit)
    )
    return list(await tx.execute(wanted.with_for_update(of=notices, skip_locked=True)))


async def drop(tx: Transaction, ids: Sequence[int]) -> None:
    """Take out notices that have been overtaken; if they become true again they are queued again."""
    if ids:
        await tx.execute(delete(notices).where(among(notices.c.id, ids)))


async def put_off(tx: Transaction, rows: Sequence[tuple[int, int, datetime]]) -> None:
    """Write how often notices were tried and when they are due next: rows of id, tries, due_at."""
    if rows:
        new: dict[str, Any] = {"tries": bindparam("new_tries"), "due_at": bindparam("new_due_at")}
        changed = update(notices).where(notices.c.id == bindparam("of")).values(new)
        await tx.execute(changed, [{"of": row[0], "new_tries": row[1], "new_due_at": row[2]} for row in rows])


async def sent(tx: Transaction, ids: Sequence[int], now: datetime) -> None:
    """Write that notices are sent."""
    if ids:
        await tx.execute(update(notices).where(among(notices.c.id, ids)).values(sent_at=now, last_error=None))


async def failed(tx: Transaction, notice: int, error: str, gave_up_at: datetime | None) -> None:
    """Write why a notice could not be sent, and whether that was the last time."""
    await tx.execute(update(notices).where(notices.c.id == notice).values(last_error=error, gave_up_at=gave_up_at))


async def forget(tx: Transaction, before: datetime) -> int:
    """Take out what is over: notices that were due, of shifts that began, before a moment; how many."""
    when = func.greatest(notices.c.due_at, notices.c.starts_at)
    return (await tx.execute(delete(notices).where(when < before))).rowcount
