"""Member rings: who is in them, what they are told."""

from datetime import date, datetime
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.database import Transaction
from shouwang.common.doors import Principal, Tx, commands
from shouwang.common.ids import new_id
from shouwang.common.problems import Problem
from shouwang.contracts.training.linkage import (
    AcknowledgePost,
    JoinRing,
    LeaveRing,
    PostAcknowledged,
    PostAnswered,
    PostPublished,
    PostSent,
    PostToRing,
    PostWithdrawn,
    PutRing,
    RingChanged,
    RingFormed,
    RingMembership,
    RingNotice,
    RingPut,
    UnitJoined,
    UnitLeft,
    WithdrawPost,
)
from shouwang.training import SERVICE
from shouwang.training.domain.clearance import may_lead
from shouwang.training.domain.days import day_of
from shouwang.training.domain.linkage import number_in
from shouwang.training.handlers.parts import AT_ONCE, Now
from shouwang.training.places import refusal
from shouwang.training.store import linkage, notices, people

router: NatsRouter = commands()
BESIDE = {"warning": "联动单位有新预警，请在手机端查看", "info": "联动单位有新信息，请在手机端查看"}
"""What goes beyond the phone app of a post: that there is one. Its words stay in the ring."""


@router.subscriber(PutRing.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def put_ring(ask: PutRing, tx: Tx, clock: Now) -> RingPut:
    """Write a ring, new or changed."""
    now = clock()
    if ask.until is not None and ask.until < ask.since:
        raise Problem.of_field("until", "is before since")
    await _check_lead(tx, ask.lead_officer, day_of(now))
    before = await linkage.lock_ring(tx, ask.ring)
    await linkage.put_ring(tx, ask.model_dump())
    said = ask.model_dump(exclude={"name"})
    if before is None:
        tx.tell(RingFormed(**said, at=now))
    elif any(getattr(before, name) != value for name, value in said.items()):
        tx.tell(RingChanged(**said, at=now))
    return RingPut(ring=ask.ring)


@router.subscriber(JoinRing.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def join_ring(ask: JoinRing, tx: Tx, clock: Now) -> RingMembership:
    """An organisation takes part, or has another contact."""
    today = day_of(now := clock())
    await _ring(tx, ask.ring, today)
    kind = await _kind(tx, ask.organisation)
    await _check_contact(tx, ask.contact, today)
    unit = await linkage.unit(tx, ask.ring, ask.organisation)
    takes_part = unit is not None and unit.until is None
    row = {**ask.model_dump(), "since": unit.since if unit and takes_part else today, "until": None}
    await linkage.put_unit(tx, row)
    if unit is None or not takes_part or unit.contact != ask.contact:
        tx.tell(UnitJoined(**ask.model_dump(), kind=kind, at=now))
    return RingMembership(**row)


@router.subscriber(LeaveRing.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def leave_ring(ask: LeaveRing, tx: Tx, clock: Now) -> RingMembership:
    """An organisation takes part no longer."""
    ring = await linkage.lock_ring(tx, ask.ring)
    unit = await linkage.unit(tx, ask.ring, ask.organisation)
    if ring is None or unit is None:
        raise Problem.of_field("organisation" if ring else "ring", "is not known, or was never in this ring", 404)
    if ask.on < unit.since:
        raise Problem.of_field("on", f"is before it joined ({unit.since})")
    row = {**unit._mapping, "until": ask.on}
    await linkage.put_unit(tx, row)
    if unit.until != ask.on:
        tx.tell(UnitLeft(**ask.model_dump(), at=clock()))
    return RingMembership(**row)


@router.subscriber(PostToRing.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def post_to_ring(ask: PostToRing, principal: Principal, tx: Tx, clock: Now) -> PostSent:
    """Warn a ring, or let it know something."""
    now = clock()
    await _ring(tx, ask.ring, day_of(now))
    _check_post(ask, now)
    speakers = await linkage.speakers(tx, ask.ring, day_of(now))
    if principal not in speakers:
        raise Problem.of_field("ring", "only its lead officer and the contacts of its units may post", 403)
    row = {"id": new_id(), **ask.model_dump(), "posted_by": principal, "posted_at": now}
    recipients = sorted(speakers - {principal})
    await linkage.add_post(tx, row, recipients)
    await notices.queue(tx, recipients, "ring_post", BESIDE[ask.kind], now)
    _deliver(tx, row, recipients, now)
    tx.tell(PostPublished.model_validate({**row, "post": row["id"], "recipients": len(recipients), "at": now}))
    return PostSent(post=row["id"], recipients=len(recipients))


@router.subscriber(AcknowledgePost.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def acknowledge_post(ask: AcknowledgePost, principal: Principal, tx: Tx, clock: Now) -> PostAnswered:
    """A recipient has read it."""
    post, now = await _post(tx, ask.post), clock()
    if principal not in {row.member for row in await linkage.receipts(tx, [ask.post])}:
        raise Problem.of_field("post", "you are not one of its recipients", 403)
    if await linkage.acknowledge(tx, ask.post, principal, now):
        tx.tell(PostAcknowledged(ring=post.ring, post=ask.post, member=principal, at=now))
    return await _answered(tx, post)


@router.subscriber(WithdrawPost.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def withdraw_post(ask: WithdrawPost, principal: Principal, tx: Tx, clock: Now) -> PostAnswered:
    """It is no longer so; whoever got it is told."""
    post, now = await _post(tx, ask.post), clock()
    if principal not in (post.posted_by, post.lead_officer):
        raise Problem.of_field("post", "only who posted it, or the lead officer, may withdraw it", 403)
    if post.withdrawn_at is None:
        await linkage.withdraw_post(tx, ask.post, now)
        recipients = [row.member for row in await linkage.receipts(tx, [ask.post])]
        _deliver(tx, post._asdict(), recipients, now, withdrawn=True)
        tx.tell(PostWithdrawn(ring=post.ring, post=ask.post, at=now))
    return await _answered(tx, post)


async def _ring(tx: Transaction, ring: str, today: date) -> Row[Any]:
    """A ring that is not over, held."""
    row = await linkage.lock_ring(tx, ring)
    if row is None:
        raise Problem.of_field("ring", f"{ring} is not known", 404)
    if row.until is not None and row.until < today:
        raise Problem.of_field("ring", f"is over since {row.until}", 409)
    return row


async def _post(tx: Transaction, post: str) -> Row[Any]:
    row = await linkage.lock_post(tx, post)
    if row is None:
        raise Problem.of_field("post", f"{post} is not known", 404)
    return row


async def _check_lead(tx: Transaction, officer: str, today: date) -> None:
    lead = (await people.persons(tx, [officer], today)).get(officer)
    if lead is None:
        raise Problem.of_field("lead_officer", f"{officer} is not known", 404)
    if reasons := may_lead(lead, today):
        raise refusal("lead_officer", officer, reasons)


async def _check_contact(tx: Transaction, contact: str, today: date) -> None:
    row = await people.member(tx, contact)
    if row is None:
        raise Problem.of_field("contact", f"{contact} is not known", 404)
    if row.left_on is not None and row.left_on <= today:
        raise Problem.of_field("contact", f"{contact} has left", 409)


async def _kind(tx: Transaction, organisation: str) -> Any:
    row = await people.organisation(tx, organisation)
    if row is None:
        raise Problem.of_field("organisation", f"{organisation} is not known", 404)
    return row.kind


def _check_post(ask: PostToRing, now: datetime) -> None:
    if number := number_in(ask.text):
        detail = f"has {number} in it; a ring holds no numbers of people and no details of cases: leave it out"
        raise Problem.of_field("text", detail)
    if ask.expires_at is not None and ask.expires_at <= now:
        raise Problem.of_field("expires_at", "is over already")


def _deliver(
    tx: Transaction, row: dict[str, Any], recipients: list[str], now: datetime, *, withdrawn: bool = False
) -> None:
    """To the phone of each recipient."""
    notice = RingNotice.model_validate({**row, "post": row["id"], "at": now, "withdrawn": withdrawn})
    for member in recipients:
        tx.deliver(member, RingNotice.subject(member=member), notice)


async def _answered(tx: Transaction, post: Row[Any]) -> PostAnswered:
    rows = await linkage.receipts(tx, [post.id])
    acknowledged = sum(row.acknowledged_at is not None for row in rows)
    waiting = len(rows) - acknowledged if post.needs_ack else 0
    return PostAnswered(post=post.id, acknowledged=acknowledged, waiting=waiting)
