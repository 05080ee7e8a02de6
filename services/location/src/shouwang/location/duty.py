"""Who is on duty, as training tells it. With `SHOUWANG_DUTY=enforced` nobody else is located (个人信息保护法 art. 28).

It is kept whether or not it counts, so that it is known from the first moment when it does.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Annotated

from faststream.nats import NatsRouter

from shouwang.common.broker import heard
from shouwang.common.doors import Given, Tx, listeners
from shouwang.contracts.training.duty import DutyEnded, DutyStarted
from shouwang.location import store
from shouwang.location.domain.roll import Duty, Posting, Roll
from shouwang.location.domain.whereabouts import Whereabouts
from shouwang.location.feed import Feed

facts: NatsRouter = listeners()
BATCH = 4
"""Of each kind at a time, so that a backlog leaves connections to the database for the rest."""


class Watch:
    """The roll, and what is done at once when somebody leaves it: whoever is off duty is on no map.

    Args:
        enforced: whether only members on duty are located; otherwise nothing is done here.
    """

    def __init__(self, where: Whereabouts, feed: Feed, *, enforced: bool) -> None:
        self.enforced = enforced
        self.roll = Roll()
        self._where, self._feed = where, feed
        self._stirred = asyncio.Event()

    def hear(self, told: Duty, now: float) -> None:
        """Take what is news by the table.

        Called before the table is committed. That is right, because a fact is true whether or not we have written it
        down: a commit that fails brings it again, and until then memory is ahead of the table, never behind it. Facts
        about one unit come here in the order of its row's lock, which is the order in which they are committed.
        """
        if not self.enforced:
            return
        if told.until is not None and told.until > now:
            self.roll.enter(told.unit, Posting(told.at, told.until, told.kind))
        else:
            self.see_off([told.unit], now)

    def look(self, now: float) -> None:
        """Duty that nobody ended is over by the clock."""
        self.see_off(self.roll.over(now), now)

    def see_off(self, units: Iterable[str], now: float) -> None:
        """From this moment nobody sees them; `Rounds.see_off` writes the farewell."""
        for unit in units:
            self.roll.leave(unit)
            self._where.take_away(unit)
            self._feed.take_away(unit, now)
            self._stirred.set()

    def may_show(self, unit: str, time: float) -> bool:
        """Whether a stored fix of this unit, of this time, may be shown."""
        return not self.enforced or self.roll.covers(unit, time)

    async def stir(self, within_s: float) -> None:
        """Wait until somebody has left, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._stirred.wait()
        self._stirred.clear()


OnWatch = Annotated[Watch, Given("watch")]


@facts.subscriber(DutyStarted.pattern(), **heard("TRAINING", "location-on-duty", batch=BATCH))  # type: ignore[untyped-decorator]
async def duty_started(fact: DutyStarted, tx: Tx, watch: OnWatch) -> None:
    """From now on the member's reports count; not if it has not agreed to be located: then its duty is over for us."""
    until = fact.until if fact.located else fact.at
    told = Duty(fact.member, fact.duty, fact.at.timestamp(), until.timestamp(), fact.kind)
    if await store.note_duty(tx, told):
        watch.hear(told, time.time())


@facts.subscriber(DutyEnded.pattern(), **heard("TRAINING", "location-off-duty", batch=BATCH))  # type: ignore[untyped-decorator]
async def duty_ended(fact: DutyEnded, tx: Tx, watch: OnWatch) -> None:
    """At once nobody sees the member any more."""
    told = Duty(fact.member, fact.duty, fact.at.timestamp(), None, None)
    if await store.note_duty(tx, told):
        watch.hear(told, time.time())
