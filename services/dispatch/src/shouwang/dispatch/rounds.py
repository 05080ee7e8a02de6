"""What dispatch does by the clock: offers that nobody answered go on, incidents that lack hands are tried again."""

import asyncio
from collections.abc import Awaitable, Callable

from nats.aio.client import Client

from shouwang.common.clock import Clock
from shouwang.common.database import Database, Transaction
from shouwang.common.telemetry import log
from shouwang.dispatch import store
from shouwang.dispatch.domain.progress import Task
from shouwang.dispatch.feed import Follower
from shouwang.dispatch.metrics import Metrics
from shouwang.dispatch.offers import Offers
from shouwang.dispatch.settings import Settings
from shouwang.dispatch.steps import tell_step


class Rounds:
    """Each method runs for as long as the service runs; several replicas may, since rows are locked."""

    def __init__(
        self, offers: Offers, feed: Follower, database: Database, clock: Clock, settings: Settings, metrics: Metrics
    ) -> None:
        self._offers, self._feed, self._database, self._clock = offers, feed, database, clock
        self._settings, self._metrics = settings, metrics

    async def expire_offers(self, _: Client) -> None:
        """An offer that was not answered in time ends, and its incident goes to the next nearest."""
        while True:
            async with self._database.reading() as view:
                due = await store.incidents_with_expired(view, self._clock())
            for incident in due:
                await self._alone(incident, self._expire)
            self._metrics.units.set(len(self._feed.index))
            await asyncio.sleep(self._settings.tick_s)

    async def _alone(self, incident: str, work: Callable[[Transaction, str], Awaitable[None]]) -> None:
        """One incident that cannot be decided must not hold up the others; it is tried again in the next round."""
        try:
            await self._database.run(lambda tx: work(tx, incident))
        except Exception as error:  # noqa: BLE001 - whatever it was, it is this incident's alone
            log.error("an incident could not be passed on", incident=incident, exc_info=error)

    async def _expire(self, tx: Transaction, incident: str) -> None:
        call, now = await store.lock_incident(tx, incident), self._clock()
        expired = await store.expire(tx, incident, now)
        for task in expired:
            tell_step(tx, task, Task.EXPIRED, now)
        if call is not None and expired:
            await self._offers.fill(tx, call)

    async def retry_short(self, _: Client) -> None:
        """Incidents that lack hands and whose turn it is: the most urgent first, then the oldest."""
        while True:
            await asyncio.sleep(self._settings.retry_short_s)
            async with self._database.reading() as view:
                in_turn = await store.short_in_turn(view, self._clock())
            for incident in in_turn:
                await self._alone(incident, self._retry)

    async def _retry(self, tx: Transaction, incident: str) -> None:
        call = await store.lock_short(tx, incident)
        if call is not None:
            await self._offers.fill(tx, call)
