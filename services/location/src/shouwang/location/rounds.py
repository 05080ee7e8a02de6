"""What location does by the clock: sends the feed, looks who has fallen silent, saves what it knows."""

import asyncio
import time

from nats.aio.client import Client

from shouwang.common.clock import from_epoch
from shouwang.common.database import Database, Transaction
from shouwang.contracts.location import UnitOffline, UnitOnline, UnitSilent
from shouwang.contracts.shapes import Fact
from shouwang.location import store
from shouwang.location.domain.presence import Presence
from shouwang.location.domain.whereabouts import Known, Whereabouts
from shouwang.location.feed import Feed
from shouwang.location.metrics import Metrics
from shouwang.location.settings import Settings


class Rounds:
    """Each method runs for as long as the service runs."""

    def __init__(
        self, where: Whereabouts, feed: Feed, database: Database, settings: Settings, metrics: Metrics
    ) -> None:
        self._where, self._feed, self._database = where, feed, database
        self._settings, self._metrics = settings, metrics

    async def send_feed(self, broker: Client) -> None:
        """What has changed, a few times a second; everything, once in a while, for whoever missed something."""
        every = self._settings.frame_ms / 1000
        whole_at = 0.0
        while True:
            now = time.time()
            await self._feed.send(broker, self._feed.frames(now))
            if now >= whole_at:
                whole_at = now + self._settings.full_frame_s
                await self._feed.send(broker, self._feed.full_frames(now) + self._feed.counts(now, everywhere=True))
            await asyncio.sleep(every)

    async def sweep(self, broker: Client) -> None:
        """Say whose presence has changed, and how many units are where."""
        while True:
            now = time.time()
            changes = self._where.changes_of_presence(now)
            if changes:
                async with self._database.transaction() as tx:
                    await self._say(tx, changes, now)
                self._where.said(changes)
                given_up = [c.unit for c in changes if c.unit not in self._where.index]
                frames = [frame for unit in given_up if (frame := self._feed.gone(unit, now))]
                await self._feed.send(broker, frames)
            await self._feed.send(broker, self._feed.counts(now))
            self._metrics.tracked.set(len(self._where.index))
            await asyncio.sleep(self._settings.sweep_s)

    async def save(self, _: Client) -> None:
        """Keep the positions that have changed since they were saved last."""
        while True:
            await asyncio.sleep(self._settings.save_s)
            await self.save_now()

    async def save_now(self) -> None:
        """Save once; at a stop too."""
        unsaved = self._where.unsaved()
        if unsaved:
            async with self._database.transaction() as tx:
                await store.save(tx, unsaved)
            self._where.saved(unsaved)

    async def _say(self, tx: Transaction, changes: list[Known], now: float) -> None:
        await store.save(tx, changes)
        for change in changes:
            tx.tell(fact_of(change, now))


_FACTS: dict[Presence, type[UnitOnline | UnitSilent | UnitOffline]] = {
    Presence.ONLINE: UnitOnline,
    Presence.SILENT: UnitSilent,
    Presence.OFFLINE: UnitOffline,
}


def fact_of(change: Known, now: float) -> Fact:
    """The fact that a unit's presence is now this."""
    fact = _FACTS[change.presence]
    return fact(unit=change.unit, kind=change.kind, at=from_epoch(now), fix_at=from_epoch(change.time))
