"""Sends notices: reminders to the phone app, and everything to the channels that members chose, by apprise.

A notice is taken with a short transaction, sent outside of any, and marked with another. Taking it counts as a try
and puts it off until the next one is due, so that a sender which dies midway has failed that try and no more. So each
is sent at least once, and twice where the other side took it without our knowing; a reminder does no harm twice.

Each channel has a loop and threads of its own: one that does not answer holds up nobody who uses another. Addresses
are the operator's alone. Members choose names of channels, never addresses, which would let them send us anywhere.
"""

import asyncio
import logging
import warnings
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from apprise import Apprise, NotifyFormat
from nats.aio.client import Client
from sqlalchemy import Row

from shouwang.common.clock import Clock
from shouwang.common.database import Database, Transaction
from shouwang.common.telemetry import log
from shouwang.contracts.training.duty import Notice
from shouwang.training.domain import reminders
from shouwang.training.domain.quiet import Quiet, send_at
from shouwang.training.domain.reminders import MOST_TRIES, next_try
from shouwang.training.metrics import Metrics
from shouwang.training.settings import Settings
from shouwang.training.store import notices
from shouwang.training.store.notices import PHONE

PORTION = 8
"""Notices of one channel that are sent side by side."""
TITLE = "守望"
NO_PHONE = "no_phone"
Sorted = defaultdict[str, list[Row[Any]]]
"""Notices that are due by what is to become of them: `ready` to be sent, `early`, `overtaken`, `given_up`."""
for _chatty in ("apprise", "urllib3"):  # they log addresses, and a phone number may be a part of one
    logging.getLogger(_chatty).setLevel(logging.CRITICAL)


class Channel:
    """One way out.

    Args:
        template: an apprise URL; `{phone}` and `{member}` stand for whom it goes to.

    Raises: ValueError if apprise does not understand it, without repeating it: there are keys in it.
    """

    def __init__(self, name: str, template: str, limit_s: float) -> None:
        self.name, self._template, self._limit_s = name, template, limit_s
        self._threads = ThreadPoolExecutor(PORTION, thread_name_prefix=f"notices-{name}")
        if name == PHONE:
            raise ValueError(f"notice_channels: {PHONE} is the phone app itself; name the channel otherwise")
        with warnings.catch_warnings():  # at its first use apprise loads all its plugins, some with old imports
            warnings.simplefilter("ignore", DeprecationWarning)
            understood = Apprise.instantiate(self._url("nobody", "13800000000")) is not None
        if not understood:
            raise ValueError(f"notice_channels: {name} is not a URL that apprise understands")

    async def send(self, member: str, phone: str | None, text: str) -> str | None:
        """Send one notice; what went wrong, in a word or two, without anything personal."""
        if phone is None and "{phone}" in self._template:
            return NO_PHONE
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._send, self._url(member, phone), text)
        try:
            taken = await asyncio.wait_for(work, self._limit_s)
        except TimeoutError:  # its thread goes on for as long as the sockets' own limits let it
            return "timed_out"
        except Exception as error:  # noqa: BLE001 - whatever a channel does, the others go on
            return type(error).__name__
        return None if taken else "refused"

    def _url(self, member: str, phone: str | None) -> str:
        return self._template.replace("{member}", member).replace("{phone}", quote(phone or "", safe=""))

    def _send(self, url: str, text: str) -> bool:
        way = Apprise.instantiate(url)
        if way is None:
            return False
        way.socket_connect_timeout = way.socket_read_timeout = self._limit_s
        # Not by an `Apprise` object: all of them share a few threads, and a dead channel would take them all.
        return bool(way.notify(body=text, title=TITLE, body_format=NotifyFormat.TEXT))


class Notices:
    """Each method runs for as long as the service runs; several replicas may, since each takes other rows."""

    def __init__(self, database: Database, clock: Clock, settings: Settings, metrics: Metrics) -> None:
        self._database, self._clock, self._settings, self._metrics = database, clock, settings, metrics
        self._spans = reminders.spans(settings.remind_before_h)
        self._channels = [
            Channel(name, template.get_secret_value(), settings.notice_limit_s)
            for name, template in settings.notice_channels.items()
        ]

    async def remind(self, _: Client) -> None:
        """Queue reminders when they are due."""
        while True:
            await self._database.run(self._remind)
            await asyncio.sleep(self._settings.tick_s)

    async def forget(self, _: Client) -> None:
        """What is over is kept for as long as published facts are."""
        while True:
            await self._database.run(self._forget)
            await asyncio.sleep(self._settings.daily_s)

    async def send(self, _: Client) -> None:
        """A loop for the phone app, and one for each channel."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._repeat(self._to_phones))
            for channel in self._channels:
                loops.create_task(self._repeat(partial(self._to_channel, channel)))

    async def _repeat(self, portion: Callable[[], Awaitable[bool]]) -> None:
        while True:
            if not await portion():
                await asyncio.sleep(self._settings.tick_s)

    async def _remind(self, tx: Transaction) -> None:
        for before, after in self._spans:
            await notices.queue_reminders(tx, self._clock(), before, after)

    async def _forget(self, tx: Transaction) -> None:
        await notices.forget(tx, self._clock() - timedelta(days=self._settings.keep_days))

    async def _to_phones(self) -> bool:
        """Reminders to the phone app, which leave with the transaction; whether any were due."""
        found = await self._database.run(self._deliver)
        self._count(PHONE, found, {"sent": len(found["ready"])})
        return any(found.values())

    async def _deliver(self, tx: Transaction) -> Sorted:
        now = self._clock()
        found = await self._take(tx, PHONE, now)
        for row in found["ready"]:
            about = {"about": row.about, "shift": row.shift, "starts_at": row.starts_at}
            notice = Notice.model_validate({**about, "text": _words(row, now), "at": now})
            tx.deliver(row.member, Notice.subject(member=row.member), notice)
        await notices.sent(tx, [row.id for row in found["ready"]], now)
        return found

    async def _to_channel(self, channel: Channel) -> bool:
        """A few notices through a channel, side by side; whether any were due."""
        found = await self._database.run(lambda tx: self._begin(tx, channel.name))
        ready, now = found["ready"], self._clock()
        errors = await asyncio.gather(*(channel.send(row.member, row.phone, _words(row, now)) for row in ready))
        outcomes = list(zip(ready, errors, strict=True))
        await self._database.run(lambda tx: self._mark(tx, outcomes))
        for row, error in outcomes:
            if error is not None:
                last = _is_last(row, error)
                log.warning("a notice could not be sent", channel=channel.name, about=row.about, error=error, last=last)
        became = Counter(_became(row, error) for row, error in outcomes)
        self._count(channel.name, found, became)
        return any(found.values())

    async def _begin(self, tx: Transaction, channel: str) -> Sorted:
        """What is due; a try of each that is ready begins with this transaction."""
        now = self._clock()
        found = await self._take(tx, channel, now)
        rows = [(row.id, row.tries + 1, next_try(now, row.tries + 1)) for row in found["ready"]]
        await notices.put_off(tx, rows)
        return found

    async def _take(self, tx: Transaction, channel: str, now: datetime) -> Sorted:
        """What is due, held and sorted by what is to become of it; all but what is `ready` is dealt with."""
        found: Sorted = defaultdict(list)
        for row in await notices.take(tx, channel, now, PORTION):
            found[self._verdict(row, now)].append(row)
        await notices.drop(tx, [row.id for row in found["overtaken"]])
        await notices.put_off(tx, [(row.id, row.tries, self._when(row, now)) for row in found["early"]])
        for row in found["given_up"]:  # nobody came back from the last try
            await notices.failed(tx, row.id, "lost", now)
        return found

    def _verdict(self, row: Row[Any], now: datetime) -> str:
        unwanted = row.channel != PHONE and row.channel not in (row.channels or ())
        if unwanted or reminders.is_moot(row.about, row.place, now, self._until(row)):
            return "overtaken"
        if row.tries >= MOST_TRIES:
            return "given_up"
        return "early" if self._when(row, now) > now else "ready"

    def _until(self, row: Row[Any]) -> datetime | None:
        """How long a reminder is good for: until the next one is due."""
        if row.before_min is None:
            return None
        return row.starts_at - dict(self._spans).get(timedelta(minutes=row.before_min), timedelta(0))  # type: ignore[no-any-return]

    def _when(self, row: Row[Any], now: datetime) -> datetime:
        since, until = row.quiet_from or self._settings.quiet_from, row.quiet_until or self._settings.quiet_until
        return send_at(now, Quiet(since, until), row.about, row.starts_at)

    async def _mark(self, tx: Transaction, outcomes: Sequence[tuple[Row[Any], str | None]]) -> None:
        now = self._clock()
        await notices.sent(tx, [row.id for row, error in outcomes if error is None], now)
        for row, error in outcomes:
            if error is not None:
                await notices.failed(tx, row.id, error, now if _is_last(row, error) else None)

    def _count(self, channel: str, found: Sorted, became: Mapping[str, int]) -> None:
        for outcome, many in (*became.items(), *((name, len(found[name])) for name in ("overtaken", "given_up"))):
            self._metrics.notices.labels(channel, outcome).inc(many)


def _is_last(row: Row[Any], error: str) -> bool:
    return row.tries + 1 >= MOST_TRIES or error == NO_PHONE


def _became(row: Row[Any], error: str | None) -> str:
    if error is None:
        return "sent"
    return "given_up" if _is_last(row, error) else "failed"


def _words(row: Row[Any], now: datetime) -> str:
    if row.about == reminders.REMINDER:
        return reminders.reminder(now, row.starts_at, row.ends_at, row.kind, row.area)
    return reminders.beside(row.about, row.text, now, row.starts_at)
