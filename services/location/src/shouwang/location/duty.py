"""Who is on duty, as training says. With `SHOUWANG_DUTY=enforced` nobody else is located (个人信息保护法 art. 28)."""

from typing import Annotated

from faststream.nats import NatsBroker, NatsRouter

from shouwang.common.broker import heard
from shouwang.common.doors import Given, Tx, listeners
from shouwang.contracts.training.duty import DutyEnded, DutyStarted
from shouwang.location import store
from shouwang.location.domain.roll import Roll, Span
from shouwang.location.rounds import Rounds

facts: NatsRouter = listeners()


@facts.subscriber(DutyStarted.pattern(), **heard("TRAINING", "location-on-duty"))  # type: ignore[untyped-decorator]
async def duty_started(fact: DutyStarted, tx: Tx, roll: Annotated[Roll, Given()]) -> None:
    """From now on its reports count. Memory goes ahead of the table: a fact that is lost on the way comes again."""
    span = Span(fact.at.timestamp(), fact.until.timestamp(), ended=False, at=fact.at.timestamp())
    if roll.note(fact.member, span):
        await store.note_duty(tx, fact.member, span)


@facts.subscriber(DutyEnded.pattern(), **heard("TRAINING", "location-off-duty"))  # type: ignore[untyped-decorator]
async def duty_ended(
    fact: DutyEnded,
    tx: Tx,
    roll: Annotated[Roll, Given()],
    rounds: Annotated[Rounds, Given()],
    broker: Annotated[NatsBroker, Given()],
) -> None:
    """At once nobody sees it any more; that it is offline is told by the next sweep."""
    span = Span(fact.at.timestamp(), fact.at.timestamp(), ended=True, at=fact.at.timestamp())
    if roll.note(fact.member, span):
        await rounds.take_off(await broker.connect(), [fact.member])  # before anything else is waited for
        await store.note_duty(tx, fact.member, span)
