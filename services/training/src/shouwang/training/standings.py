"""What follows when something about a member changes: it is cleared for patrol or suspended, its shifts stand or fall.

Called at the end of every handler that changes what the law asks of a member, in the same transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from shouwang.common.database import Transaction
from shouwang.contracts.training.duty import DutyEnded, Notice
from shouwang.contracts.training.people import MemberCleared, MemberSuspended
from shouwang.contracts.training.rosters import ShiftWithdrawn
from shouwang.training.domain.clearance import clearance, may_stand
from shouwang.training.domain.days import day_of
from shouwang.training.domain.hours import minutes_served
from shouwang.training.domain.people import Consent, Person
from shouwang.training.domain.reasons import LAW, Reason
from shouwang.training.store import duty, people, rosters


async def review(tx: Transaction, members: Sequence[str], now: datetime) -> dict[str, Person]:
    """Tell whose standing has changed, and take back the shifts that something forbids now; the members as they are."""
    rows, today = await people.lock_members(tx, members), day_of(now)
    persons = await people.persons(tx, list(rows), today)
    changed = []
    for token, person in persons.items():
        row, stands = rows[token], clearance(person, today)
        is_now = (stands.reason is None, stands.until, str(stands.reason) if stands.reason else None)
        if is_now == (row.cleared, row.cleared_until, row.suspended_for):
            continue
        # Of trainees who never meant to patrol nobody needs to be told that they may not.
        if stands.reason is None or row.cleared is not None or Consent.PATROL in person.consents:
            _tell(tx, person, stands.until, stands.reason, now)
            changed.append(
                {"member": token, "cleared": is_now[0], "cleared_until": is_now[1], "suspended_for": is_now[2]}
            )
    await people.note_standings(tx, changed)
    await _take_back(tx, persons, now)
    return persons


def _tell(tx: Transaction, person: Person, until: object, reason: Reason | None, now: datetime) -> None:
    about = {"member": person.member, "kind": person.kind, "at": now}
    if reason is None:
        tx.tell(MemberCleared.model_validate({**about, "until": until}))
    else:
        tx.tell(MemberSuspended.model_validate({**about, "reason": reason}))


async def _take_back(tx: Transaction, persons: Mapping[str, Person], now: datetime) -> None:
    """Places to come that these may no longer stand on, and the duty that they are on, if it is one of those."""
    lost: dict[tuple[str, str], Reason] = {}
    for row in await rosters.ahead_of(tx, persons, now):
        forbidden = may_stand(persons[row.member], rosters.as_shift(row))
        if forbidden:
            lost[row.member, row.id] = forbidden[0]
            await withdraw(tx, row.id, row.member, forbidden[0], now)
    for current in await duty.lock_duties(tx, persons):
        person = persons[current.member]
        reason = lost.get((current.member, current.shift))
        if reason is None and person.is_officer:
            reason = clearance(person, day_of(now)).reason
        elif reason is None and Consent.TRACKING not in person.consents and current.located:
            reason = Reason.NO_TRACKING_CONSENT  # it may begin again, and is not seen then
        if reason is not None:
            await end_duty(tx, current, reason, now)


async def withdraw(tx: Transaction, shift: str, member: str, reason: str, now: datetime) -> None:
    """Take a place back, say so, and tell the member why. Of what was only proposed nobody knew: nobody is told."""
    place = await rosters.lock_assignment(tx, shift, member)
    if place is None or place.status not in ("proposed", "offered", "accepted"):
        return  # its shift was taken out meanwhile, or it was given up
    await rosters.set_assignment(tx, place.shift, place.member, "withdrawn", now)
    if place.status == "proposed":
        return
    tx.tell(ShiftWithdrawn(member=place.member, shift=place.shift, reason=reason, at=now))
    why = LAW[Reason(reason)].zh if reason in LAW else "班次已调整"
    notify(tx, place.member, "shift_withdrawn", f"班次取消：{why}", now, place.shift)


def notify(tx: Transaction, member: str, about: str, text: str, now: datetime, shift: str | None = None) -> None:
    """Word to a member's phone, and to the channels that it chose: the database queues it (`tables/notices.py`)."""
    tx.deliver(member, Notice.subject(member=member), Notice(about=about, shift=shift, text=text, at=now))


async def end_duty(tx: Transaction, current: Row[Any], reason: str, now: datetime) -> int:
    """End a duty that the caller holds; the minutes served within the window of its shift."""
    minutes = minutes_served(current.started_at, now, current.starts_at, current.ends_at)
    await duty.ends(tx, current.id, now, minutes)
    if minutes:
        await rosters.set_assignment(tx, current.shift, current.member, "served", now)
    tx.tell(DutyEnded(member=current.member, shift=current.shift, duty=current.id, reason=reason, at=now))
    return minutes
