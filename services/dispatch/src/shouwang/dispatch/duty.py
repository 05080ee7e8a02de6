"""Who is cleared and on duty, heard from training and kept here, so that dispatch decides while training is away.

Facts may come late, twice and out of order: the time of each decides, and an end beats a beginning of the same moment.
"""

from typing import Annotated

from faststream.nats import NatsRouter

from shouwang.common.broker import heard
from shouwang.common.clock import Clock
from shouwang.common.database import Transaction
from shouwang.common.doors import Given, Tx, listeners
from shouwang.contracts.training.duty import DutyEnded, DutyStarted
from shouwang.contracts.training.people import MemberCleared, MemberSuspended
from shouwang.dispatch import store
from shouwang.dispatch.domain.progress import Task
from shouwang.dispatch.offers import Offers
from shouwang.dispatch.settings import Settings
from shouwang.dispatch.steps import step

facts: NatsRouter = listeners()
Hands = Annotated[Offers, Given("offers")]
Now = Annotated[Clock, Given("clock")]
Rules = Annotated[Settings, Given("settings")]


@facts.subscriber(MemberCleared.pattern(), **heard("TRAINING", "dispatch-cleared"))  # type: ignore[untyped-decorator]
async def member_cleared(fact: MemberCleared, tx: Tx, clock: Now) -> None:
    """Nothing forbids the member to be on patrol."""
    standing = {"cleared": True, "cleared_until": fact.until, "suspended_for": None}
    await store.note_standing(tx, fact.member, fact.at, kind=fact.kind, **standing)
    await store.wake_short(tx, clock())


@facts.subscriber(MemberSuspended.pattern(), **heard("TRAINING", "dispatch-suspended"))  # type: ignore[untyped-decorator]
async def member_suspended(fact: MemberSuspended, tx: Tx, hands: Hands, clock: Now, settings: Rules) -> None:
    """Something forbids the member to be on patrol."""
    standing = {"cleared": False, "cleared_until": None, "suspended_for": fact.reason}
    if await store.note_standing(tx, fact.member, fact.at, kind=fact.kind, **standing) and settings.duty == "enforced":
        await _take_back(tx, fact.member, hands, clock)


@facts.subscriber(DutyStarted.pattern(), **heard("TRAINING", "dispatch-on-duty"))  # type: ignore[untyped-decorator]
async def duty_started(fact: DutyStarted, tx: Tx, clock: Now) -> None:
    """The member may be sent until its duty ends; whoever waits for hands may get it."""
    if await store.note_duty(tx, fact.member, fact.at, on_duty=True, until=fact.until):
        await store.wake_short(tx, clock())


@facts.subscriber(DutyEnded.pattern(), **heard("TRAINING", "dispatch-off-duty"))  # type: ignore[untyped-decorator]
async def duty_ended(fact: DutyEnded, tx: Tx, hands: Hands, clock: Now, settings: Rules) -> None:
    """The member is not sent any more."""
    if await store.note_duty(tx, fact.member, fact.at, on_duty=False, until=None) and settings.duty == "enforced":
        await _take_back(tx, fact.member, hands, clock)


async def _take_back(tx: Transaction, member: str, hands: Offers, clock: Clock) -> None:
    """An offer that was not answered goes on to the next at once.

    A task that was accepted stays: nobody who is on the way to somebody in need is called back by a clock.
    """
    offered = await store.offered_to(tx, member)
    call = await store.lock_incident(tx, offered.incident) if offered else None
    task = await store.task(tx, offered.id) if offered else None  # as it is now that nobody else can change it
    if call is not None and task is not None and Task(task.status) is Task.OFFERED:
        await step(tx, task, Task.CANCELLED, clock(), note="off duty")
        await hands.fill(tx, call)
