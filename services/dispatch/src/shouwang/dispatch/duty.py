"""Who is cleared and on duty: heard from training and kept here, so that dispatch decides while training is away.

It is kept whether or not it counts (`SHOUWANG_DUTY`): training says these things once, and streams forget in a month.
"""

from datetime import datetime
from typing import Annotated

from faststream.nats import NatsRouter

from shouwang.common.broker import heard
from shouwang.common.clock import Clock
from shouwang.common.database import Transaction
from shouwang.common.doors import Given, Tx, listeners
from shouwang.contracts.training.duty import DutyEnded, DutyStarted
from shouwang.contracts.training.people import MemberCleared, MemberSuspended
from shouwang.dispatch import store
from shouwang.dispatch.domain.eligibility import Member, why_not
from shouwang.dispatch.domain.progress import Task
from shouwang.dispatch.offers import Offers
from shouwang.dispatch.steps import step

facts: NatsRouter = listeners()
BATCH = 4
"""Of each kind at a time: an organiser who imports a thousand people must not take all connections to the database."""

Hands = Annotated[Offers, Given("offers")]
Now = Annotated[Clock, Given("clock")]


@facts.subscriber(MemberCleared.pattern(), **heard("TRAINING", "dispatch-cleared", batch=BATCH))  # type: ignore[untyped-decorator]
async def member_cleared(fact: MemberCleared, tx: Tx, hands: Hands, clock: Now) -> None:
    """Nothing forbids the member to be on patrol."""
    was = await store.lock_member(tx, fact.member)
    await _follow(tx, fact.member, was, was.cleared(fact.kind, fact.until, fact.at), hands, clock())


@facts.subscriber(MemberSuspended.pattern(), **heard("TRAINING", "dispatch-suspended", batch=BATCH))  # type: ignore[untyped-decorator]
async def member_suspended(fact: MemberSuspended, tx: Tx, hands: Hands, clock: Now) -> None:
    """Something forbids the member to be on patrol."""
    was = await store.lock_member(tx, fact.member)
    await _follow(tx, fact.member, was, was.suspended(fact.kind, fact.reason, fact.at), hands, clock())


@facts.subscriber(DutyStarted.pattern(), **heard("TRAINING", "dispatch-on-duty", batch=BATCH))  # type: ignore[untyped-decorator]
async def duty_started(fact: DutyStarted, tx: Tx, hands: Hands, clock: Now) -> None:
    """The member may be sent until its duty ends."""
    was = await store.lock_member(tx, fact.member)
    is_now = was.started(fact.kind, fact.shift, fact.duty, fact.until, fact.at)
    await _follow(tx, fact.member, was, is_now, hands, clock())


@facts.subscriber(DutyEnded.pattern(), **heard("TRAINING", "dispatch-off-duty", batch=BATCH))  # type: ignore[untyped-decorator]
async def duty_ended(fact: DutyEnded, tx: Tx, hands: Hands, clock: Now) -> None:
    """The member is not sent any more."""
    was = await store.lock_member(tx, fact.member)
    await _follow(tx, fact.member, was, was.ended(fact.shift, fact.duty, fact.at), hands, clock())


async def _follow(tx: Transaction, unit: str, was: Member, is_now: Member, hands: Offers, now: datetime) -> None:
    """Keep what is new; where duty counts, a hand more or less follows from it."""
    if is_now == was:
        return  # said before, or older than what is known
    await store.set_member(tx, unit, is_now)
    if not hands.enforced:
        return
    reason = why_not(is_now, now)
    if reason is not None:
        await _take_back(tx, unit, reason, hands, now)
    elif why_not(was, now) is not None:
        await store.wake_short(tx, now)


async def _take_back(tx: Transaction, unit: str, reason: str, hands: Offers, now: datetime) -> None:
    """An offer that was not answered yet goes on to the next, at once.

    A task that was accepted stays: nobody who is on the way to somebody in need is called back by the clock. The unit
    answers for it to the end, the duty room sees it and can take it back (`cancel_task`).

    An offer that is decided in this very moment, from before the fact, is not seen here; it runs out by itself.
    """
    offered = await store.offered_to(tx, unit)
    if offered is None:
        return
    call = await store.lock_incident(tx, offered.incident)
    task = await store.task(tx, offered.id)  # as it is now that nobody else can change it
    if call is not None and task is not None and task.status == Task.OFFERED:
        await step(tx, task, Task.CANCELLED, now, note=reason)
        await hands.fill(tx, call)
