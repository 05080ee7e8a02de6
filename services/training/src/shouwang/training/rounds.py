"""What training does by the clock: ends duties, tells what has run out and which deadlines near, forgets in time."""

import asyncio
from datetime import timedelta

from nats.aio.client import Client

from shouwang.common.clock import Clock
from shouwang.common.database import Database, Transaction
from shouwang.contracts.training.courses import CertificateExpired
from shouwang.contracts.training.funding import DeadlineNeared
from shouwang.training.domain.days import day_of
from shouwang.training.domain.funding import is_near, open_deadline
from shouwang.training.metrics import Metrics
from shouwang.training.settings import Settings
from shouwang.training.standings import end_duty, review
from shouwang.training.store import courses, duty, funding, logistics, people

PORTION = 500


class Rounds:
    """Each method runs for as long as the service runs; several replicas may, since rows are locked."""

    def __init__(self, database: Database, clock: Clock, settings: Settings, metrics: Metrics) -> None:
        self._database, self._clock, self._settings, self._metrics = database, clock, settings, metrics

    async def end_duties(self, _: Client) -> None:
        """A duty that nobody ended is over some minutes after its shift; a shift that nobody came to was missed."""
        while True:
            await self._database.run(self._end)
            async with self._database.reading() as view:
                held = await duty.now_on(view, self._clock())
                self._metrics.on_duty.set(len(await duty.on_duty(view)))
            self._metrics.needed.set(sum(row.minimum for row in held))
            await asyncio.sleep(self._settings.tick_s)

    async def _end(self, tx: Transaction) -> None:
        now = self._clock()
        for current in await duty.lock_duties(tx, await duty.run_out(tx, now)):
            if current.until <= now:
                await end_duty(tx, current, "over", now)
        await duty.missed(tx, now)

    async def tell_expiries(self, _: Client) -> None:
        """Certificates, policies and agreements end with a day; who is no longer cleared is suspended."""
        while True:
            now = self._clock()
            while await self._database.run(self._expire):
                pass
            async with self._database.reading() as view:
                due = await people.standings_to_review(view, day_of(now))
            for start in range(0, len(due), PORTION):
                part = due[start : start + PORTION]
                await self._database.run(lambda tx, part=part: review(tx, part, self._clock()))  # type: ignore[misc]
            await asyncio.sleep(self._settings.daily_s)

    async def _expire(self, tx: Transaction) -> bool:
        now = self._clock()
        expired = await courses.expire(tx, day_of(now))
        for row in expired:
            tx.tell(CertificateExpired(certificate=row.id, member=row.member, kind=row.kind, at=now))
        return bool(expired)

    async def tell_deadlines(self, _: Client) -> None:
        """Contracts and their copies that are due soon, or were; what the kitchen no longer needs is forgotten."""
        while True:
            await self._database.run(self._near)
            await self._database.run(self._forget)
            await asyncio.sleep(self._settings.daily_s)

    async def _near(self, tx: Transaction) -> None:
        now, tables = self._clock(), await funding.year_tables(tx)
        for row in await funding.lock_waiting(tx):
            deadline = open_deadline(funding.as_tender(row), tables)
            if deadline is not None and is_near(deadline, day_of(now), self._settings.deadline_days):
                about = {"tender": row.tender, "what": deadline.what, "due": deadline.due, "at": now}
                tx.tell(DeadlineNeared.model_validate(about))
                await funding.set_tender(tx, row.tender, **{f"{deadline.what}_told": True})

    async def _forget(self, tx: Transaction) -> None:
        await logistics.forget_allergies(tx, day_of(self._clock()) - timedelta(days=self._settings.health_days))
