"""Attendance: by a code on the classroom's screen, by entering the site's fence, or by hand."""

from datetime import timedelta

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.broker import heard
from shouwang.common.database import Reading, Transaction
from shouwang.common.doors import Principal, Tx, commands, listeners
from shouwang.common.problems import Problem
from shouwang.contracts.location import FenceEntered
from shouwang.contracts.training.courses import (
    AttendanceMarked,
    CheckedIn,
    CheckIn,
    CheckInShown,
    MarkAttendance,
    SessionAttended,
    ShowCheckIn,
)
from shouwang.contracts.training.people import Refused
from shouwang.training import SERVICE
from shouwang.training.domain.codes import check_in as check_in_code
from shouwang.training.domain.codes import read_check_in
from shouwang.training.handlers.parts import AT_ONCE, Key, Now, Rules
from shouwang.training.qr import svg
from shouwang.training.store import courses

router: NatsRouter = commands()
facts: NatsRouter = listeners()
EARLY = timedelta(minutes=30)
"""Who comes so early for a session has come for it."""


@router.subscriber(ShowCheckIn.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def show_check_in(ask: ShowCheckIn, tx: Tx, clock: Now, settings: Rules, key: Key) -> CheckInShown:
    """A fresh code for a session that is held now. It changes by the minute: a photo of it is soon worth nothing."""
    session, now = await _session(tx, ask.session), clock()
    if not session.starts_at - EARLY <= now < session.ends_at:
        raise Problem.of_field("session", "is not held now", 409)
    until = (now + timedelta(seconds=settings.code_s)).replace(microsecond=0)
    code = check_in_code(session.id, until, key)
    return CheckInShown(session=session.id, code=code, svg=svg(code), valid_until=until)


@router.subscriber(CheckIn.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def check_in(ask: CheckIn, principal: Principal, tx: Tx, clock: Now, key: Key) -> CheckedIn:
    """A trainee says the code that it sees."""
    token = read_check_in(ask.code, clock(), key)
    if token is None:
        raise Problem.of_field("code", "is not good, or no longer: scan the screen again", 409)
    session = await _session(tx, token)
    if not await _are_enrolled(tx, session, [principal]):
        raise Problem.of_field("code", "is for a batch that you are not enrolled in", 403)
    await _mark(tx, session, [principal], "qr", clock)
    return CheckedIn(session=session.id, member=principal, by="qr")


@router.subscriber(MarkAttendance.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def mark_attendance(ask: MarkAttendance, tx: Tx, clock: Now) -> AttendanceMarked:
    """Mark by hand, or take a mark back."""
    session = await _session(tx, ask.session)
    enrolled = await _are_enrolled(tx, session, ask.members)
    refused = [Refused(member=m, reason="not_enrolled") for m in dict.fromkeys(ask.members) if m not in enrolled]
    if ask.present:
        marked = len(await _mark(tx, session, sorted(enrolled), "hand", clock))
    else:
        marked = await courses.unmark(tx, session.id, enrolled)
    return AttendanceMarked(session=session.id, marked=marked, refused=refused)


@facts.subscriber(FenceEntered.pattern(), **heard("LOCATION", "training-fences"))  # type: ignore[untyped-decorator]
async def fence_entered(fact: FenceEntered, tx: Tx) -> None:
    """Who enters the fence of a site while its batch has a session, or soon will, is present."""
    site = await courses.site_of_fence(tx, fact.fence)
    session = await courses.session_at(tx, site, fact.unit, fact.at + EARLY, fact.at) if site else None
    if session is not None:
        await _mark(tx, session, [fact.unit], "fence", lambda: fact.at)


async def _session(view: Reading, token: str) -> Row:  # type: ignore[type-arg]
    row = await courses.session(view, token)
    if row is None:
        raise Problem.of_field("session", f"{token} is not known", 404)
    return row


async def _are_enrolled(view: Reading, session: Row, members: list[str]) -> set[str]:  # type: ignore[type-arg]
    enrolled = {row.member for row in await courses.trainees(view, session.batch) if row.status == "enrolled"}
    return enrolled & set(members)


async def _mark(tx: Transaction, session: Row, members: list[str], by: str, clock: Now) -> list[str]:  # type: ignore[type-arg]
    marked = await courses.attend(tx, session.id, members, by, now := clock())
    for member in marked:
        tx.tell(SessionAttended.model_validate({"member": member, "session": session.id, "by": by, "at": now}))
    return marked
