"""Sends notices: reminders to the phone app, and everything to the channels that members chose, by apprise.

A notice is taken with a short transaction, sent outside of any, and marked with another. Taking it counts as a try
and puts it off until the next one is due, so that a sender which dies midway has failed that try and no more. So each
is sent at least once, and twice where the other side took it without our knowing; a reminder does no harm twice.

Each channel has a loop and threads of its own: one that does not answer holds up nobody who uses another. Addresses
are the operator's alone. Members choose names of channels, never addresses, which would let them send us anywhere.
"""

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
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
from shouwang.training.metrics import Metrics
from shouwang.training.settings import Settings
from shouwang.training.store import notices

PORTION = 8
TITLE = "守望"
for _chatty in ("apprise", "urllib3"):  # they log addresses, and a phone number may be a part of one
    logging.getLogger(_chatty).setLevel(logging.CRITICAL)


class Channel:
    """One way out.

    Args:
        template: an apprise URL; `{phone}` and `{member}` stand for whom it goes to.

    Raises: ValueError if apprise does not understand it. The template is a secret and not repeated.
    """

    def __init__(self, name: str, template: str, limit_s: float) -> None:
        self.name, self._template, self._limit_s = name, template, limit_s
        self._threads = ThreadPoolExecutor(PORTION, thread_name_prefix=f"notices-{name}")
        if Apprise.instantiate(self._url("nobody", "13800000000")) is None:
            raise ValueError(f"notice_channels: {name} is not a URL that apprise understands")

    async def send(self, member: str, phone: str | None, text: str) -> str | None:
        """Send one notice; what went wrong, in a word or two, without anything personal."""
        if phone is None and "{phone}" in self._template:
            return "no_phone"
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._send, self._url(member, phone), text)
        try:
            taken = await asyncio.wait_for(work, self._limit_s)
        except TimeoutError:  # its thread goes on for as long as the sockets' own limits let it
            return "timed_out"
        except Exception as error:  # noqa: BLE001 - whatever a channel does, the others go on
            return type(error).__name__
        return None if taken else "refused"

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _url(self, member: str, phone: str | None) -> str:
        return self._template.replace("{member}", member).replace("{phone}", quote(phone or "", safe=""))

    def _send(self, url: str, text: str) -> bool:
        way = Apprise.instantiate(url)
        if way is None:
            return False
        way.socket_connect_timeout = way.socket_read_timeout = self._limit_s
        sender = Apprise()
        sender.add(way)
        return bool(sender.notify(body=text, title=TITLE, body_format=NotifyFormat.TEXT))


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
            now = self._clock()
            for before, after in self._spans:
                await self._database.run(
                    lambda tx, b=before, a=after: notices.queue_reminders(tx, now, b, a)  # type: ignore[misc]  # noqa: B023
                )
            await asyncio.sleep(self._settings.tick_s)

    async def forget(self, _: Client) -> None:
        """What is over is kept for as long as published facts are."""
        while True:
            before = self._clock() - timedelta(days=self._settings.keep_days)
            await self._database.run(lambda tx, before=before: notices.forget(tx, before))  # type: ignore[misc]
            await asyncio.sleep(self._settings.daily_s)

    async def send(self, _: Client) -> None:
        """A loop for each channel, and one for the phone app."""
        try:
            async with asyncio.TaskGroup() as loops:
                loops.create_task(self._over_and_over(None))
                for channel in self._channels:
                    loops.create_task(self._over_and_over(channel))
        finally:
            ...

    async def _over_and_over(self, channel: Channel | None) -> None:
        while True:
            if not await self._portion(channel):
                await asyncio.sleep(self._settings.tick_s)

    async def _portion(self, channel: Channel | None) -> bool:
        """A few notices that are due; whether there were any."""
        ...
