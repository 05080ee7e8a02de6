"""What location does by the clock: sends the feed, looks who has fallen silent, saves what it knows.

Long work goes in portions, so that reports and questions are served in between.
"""

import asyncio
import time
from collections.abc import Sequence

from nats.aio.client import Client

from shouwang.common.clock import from_epoch
from shouwang.common.database import Database
from shouwang.contracts.location import UnitOffline, UnitOnline, UnitSilent
from shouwang.contracts.shapes import Fact
from shouwang.location import store
from shouwang.location.domain.presence import Presence
from shouwang.location.domain.whereabouts import Known, Whereabouts
from shouwang.location.duty import Watch
from shouwang.location.feed import Feed
from shouwang.location.metrics import Metrics
from shouwang.location.settings import Settings

PORTION = 1000
"""Units that are told or saved in one transaction: some tens of milliseconds."""


class Rounds:
    """Each method runs for as long as the service runs."""

    def __init__(
        self, where: Whereabouts, feed: Feed, watch: Watch, database: Database, settings: Settings, metrics: Metrics
    ) -> None:
        self._where, self._feed, self._watch, self._database = where, feed, watch, database
        self._settings, self._metrics = settings, metrics
        self._hearing_from: float | None = None
        self._writing = asyncio.Lock()  # what is saved must not be older than the presence that was told meanwhile

    async def send_feed(self, broker: Client) -> None:
        """What has changed, a few times a second; everything, once in a while, for whoever missed something."""
        every = self._settings.frame_ms / 1000
        whole_at = 0.0
        while True:
            now = time.time()
            await self._feed.send(broker, self._feed.frames(now))
            if now >= whole_at:
                whole_at = now + self._settings.full_frame_s
                await self._feed.send(broker, self._feed.full_frames(now))
                await self._feed.send(broker, self._feed.counts(now, everywhere=True))
            await asyncio.sleep(every)

    async def sweep(self, broker: Client) -> None:
        """Say whose presence has changed, and how many units are where."""
        while True:
            now = time.time()
            hearing = self._is_hearing(broker, now)
            while await self._tell_presence(broker, now, hearing=hearing):
                pass
            if broker.is_connected:
                await self._feed.send(broker, self._feed.counts(now))
            self._metrics.tracked.set(len(self._where.index))
            await asyncio.sleep(self._settings.sweep_s)

    def _is_hearing(self, broker: Client, now: float) -> bool:
        """Whether a unit's silence is its own: not while the broker is away, nor until reports had time to come.

        At the first look too: the whole machine may have been away.
        """
        if self._hearing_from is None or not broker.is_connected:
            self._hearing_from = now + self._settings.settle_s
        return broker.is_connected and now >= self._hearing_from

    async def call_the_roll(self) -> None:
        """At a start, before any report is taken: learn who is on duty; nobody else is shown or kept."""
        now = time.time()
        async with self._database.reading() as view:
            self._watch.see_off(await store.strangers(view, now), now)
            for told in await store.on_duty(view, now):
                self._watch.hear(told, now)
        await self.see_off_now()

    async def see_off(self, _: Client) -> None:
        """Whoever is off duty, by a fact or by the clock, is seen by nobody any more: that is written as well."""
        while True:
            self._watch.look(time.time())
            await self.see_off_now()
            self._metrics.on_duty.set(len(self._watch.roll.postings))
            await self._watch.stir(self._settings.sweep_s)

    async def see_off_now(self) -> None:
        """Say that those who have left are offline, and keep nothing of where they were."""
        while units := self._watch.roll.leaving(PORTION):
            async with self._writing, self._database.transaction() as tx:  # what is being saved is there to be deleted
                for known in await store.forget(tx, units):
                    if known.presence in (Presence.ONLINE, Presence.SILENT):
                        tx.tell(fact_of(known._replace(presence=Presence.OFFLINE), time.time()))
            self._watch.roll.has_left(units)

    async def save(self, _: Client) -> None:
        """Keep the positions that have changed since they were saved last."""
        while True:
            await asyncio.sleep(self._settings.save_s)
            await self.save_now()

    async def save_now(self) -> None:
        """Save once; at a stop too."""
        while await self._save_portion():
            pass

    async def _tell_presence(self, broker: Client, now: float, *, hearing: bool) -> bool:
        async with self._writing:
            changes = self._where.changes_of_presence(now, PORTION, hearing=hearing)
            if not changes:
                return False
            async with self._database.transaction() as tx:
                await store.save(tx, changes)
                for change in changes:
                    tx.tell(fact_of(change, now))
            self._where.said(changes)
        await self._take_away(broker, changes, now)
        return len(changes) == PORTION

    async def _take_away(self, broker: Client, changes: Sequence[Known], now: float) -> None:
        """Tell the feed who is no longer shown."""
        gone = [change.unit for change in changes if change.unit not in self._where.index]
        await self._feed.send(broker, [frame for unit in gone if (frame := self._feed.gone(unit, now))])

    async def _save_portion(self) -> bool:
        async with self._writing:
            unsaved = self._where.unsaved(PORTION)
            if unsaved:
                async with self._database.transaction() as tx:
                    await store.save(tx, unsaved)
                self._where.saved(unsaved)
        return len(unsaved) == PORTION


_FACTS: dict[Presence, type[UnitOnline | UnitSilent | UnitOffline]] = {
    Presence.ONLINE: UnitOnline,
    Presence.SILENT: UnitSilent,
    Presence.OFFLINE: UnitOffline,
}


def fact_of(change: Known, now: float) -> Fact:
    """The fact that a unit's presence is now this."""
    fact = _FACTS[change.presence]
    return fact(unit=change.unit, kind=change.kind, at=from_epoch(now), fix_at=from_epoch(change.time))
