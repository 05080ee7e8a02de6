"""The hot path: reports come in one by one, are collected for some milliseconds and applied together.

A framework handler costs about ten times what a bare subscription costs, so reports do not pass through one.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import prcoords
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from shouwang.common import hearing
from shouwang.common.doors import TOKEN
from shouwang.common.telemetry import log
from shouwang.location.domain.roll import Posting
from shouwang.location.domain.whereabouts import Report, Whereabouts
from shouwang.location.feed import Feed
from shouwang.location.metrics import Metrics

NAN, INFINITY = float("nan"), float("inf")
QUIET_S = 2.0
MAX_BATCH = 8192
"""Larger batches are split, so that questions are answered in between."""


class Said(msgspec.Struct, gc=False):
    """The body of `report.<unit>` (contract `Report`), decoded the fast way; a test holds the two together."""

    lat: float
    lon: float
    time: float | Annotated[datetime, msgspec.Meta(tz=True)]
    accuracy_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    battery_pct: float | None = None
    datum: Literal["wgs84", "gcj02", "bd09"] = "wgs84"
    kind: str | None = None


_decode = msgspec.json.Decoder(Said).decode
_TO_WGS84 = {"gcj02": prcoords.gcj_wgs_bored, "bd09": prcoords.bd_wgs_bored}


def understand(unit: str, body: bytes, known_kind: str | None = None) -> Report:
    """A report from the wire, in WGS-84.

    Args:
        known_kind: the unit's kind where training has told it; then its own word does not count.

    Raises: ValueError if it cannot be read (`msgspec.ValidationError` is one).
    """
    try:
        said = _decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # Python, PHP and others write NaN and Infinity, which JSON does not have: read them, to refuse them by reason.
        said = msgspec.convert(json.loads(body), Said)
    moment = said.time if isinstance(said.time, float) else said.time.timestamp()
    kind = known_kind or (said.kind if said.kind and TOKEN.fullmatch(said.kind) else None)
    lat, lon = said.lat, said.lon
    if said.datum != "wgs84" and prcoords.sanity_in_china_p(place := prcoords.Coords(lat, lon)):
        lat, lon = _TO_WGS84[said.datum](place, check_china=False)  # outside China there is no shift to undo
    # Phones say -1 for "not known": what cannot be is as good as not said, and no reason to lose the position.
    accuracy = said.accuracy_m if said.accuracy_m is not None and 0 <= said.accuracy_m < INFINITY else NAN
    battery = said.battery_pct if said.battery_pct is not None and 0 <= said.battery_pct <= 100 else NAN
    return Report(unit, lat, lon, moment, accuracy, battery, kind)


class Reports:
    """Takes `report.<unit>` from the broker's own connection and applies it batch by batch.

    Args:
        on_duty: whose reports count; all if not given. It is looked at for each report, and changes.
    """

    def __init__(
        self,
        whereabouts: Whereabouts,
        feed: Feed,
        metrics: Metrics,
        batch_s: float,
        on_duty: Mapping[str, Posting] | None = None,
    ) -> None:
        self._whereabouts, self._feed, self._metrics = whereabouts, feed, metrics
        self._on_duty = on_duty
        self._batch_s = batch_s
        self._waiting: list[Msg] = []
        self._first_at = 0.0
        self._arrived = asyncio.Event()

    async def listen(self, broker: Client) -> Any:
        """Subscribe; the client subscribes again by itself when the broker was away."""
        return await broker.subscribe(
            "report.*", cb=self._collect, pending_msgs_limit=1_000_000, pending_bytes_limit=512 * 1024 * 1024
        )

    async def run(self, _: Client) -> None:
        """Apply what has come in, every `batch_s` while anything comes."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(self._batch_s)
            self._arrived.clear()
            batch, self._waiting = self._waiting, []
            oldest = self._first_at
            for start in range(0, len(batch), MAX_BATCH):
                part = [(msg.subject, msg.data) for msg in batch[start : start + MAX_BATCH]]
                self._count(len(part), self.apply(part, time.time()))
                await asyncio.sleep(0)
            self._metrics.visible.observe(time.monotonic() - oldest)

    async def _collect(self, msg: Msg) -> None:
        if not self._waiting:
            self._first_at = time.monotonic()
            self._arrived.set()
        self._waiting.append(msg)

    async def catch_up(self, broker: Client) -> int:
        """Apply the last report of each unit that stream REPORTS has kept; how many it was.

        Called after `listen()`, so that nothing falls between what is kept and what is live: a report that comes both
        ways is older than, or the same as, what is known by then.
        """
        arrived: asyncio.Queue[Msg] = asyncio.Queue()
        kept = await broker.jetstream().subscribe(
            "report.*",
            stream="REPORTS",
            # Not an ordered consumer: that begins anew at every message which the client cannot read, for ever.
            config=ConsumerConfig(deliver_policy=DeliverPolicy.LAST_PER_SUBJECT, ack_policy=AckPolicy.NONE),
            cb=arrived.put,
        )
        asked = await kept.consumer_info()
        on_its_way = asked.delivered.consumer_seq if asked.delivered else 0  # no longer pending, not here yet
        total = (asked.num_pending or 0) + on_its_way
        batch: list[tuple[str, bytes]] = []
        dropped = hearing.dropped
        while len(batch) + hearing.dropped - dropped < total:
            try:
                async with asyncio.timeout(QUIET_S):
                    msg = await arrived.get()
            except TimeoutError:  # what the client takes for something else (a status line in the headers) never comes
                log.warning("some of the reports that were kept did not come", came=len(batch), expected=total)
                break
            batch.append((msg.subject, msg.data))
        await kept.unsubscribe()
        for start in range(0, len(batch), MAX_BATCH):
            self.apply(batch[start : start + MAX_BATCH], time.time())
        return len(batch)

    def apply(self, messages: list[tuple[str, bytes]], now: float) -> Counter[str]:
        """Judge and apply messages `(subject, body)`; how many could not be used, by reason."""
        refused: Counter[str] = Counter()
        if self._on_duty is None:
            understood = _of_all(messages, refused)
        else:
            understood = _of_those(messages, self._on_duty, refused)
        if understood:
            applied = self._whereabouts.apply(understood, now)
            refused.update(applied.refused)
            self._feed.changed(applied.slots)
        return refused

    def _count(self, messages: int, refused: Counter[str]) -> None:
        self._metrics.accepted.inc(messages - refused.total())
        for reason, count in refused.items():
            self._metrics.rejected.labels(reason).inc(count)


def _of_all(messages: Sequence[tuple[str, bytes]], refused: Counter[str]) -> list[Report]:
    """What can be read of messages, whoever sent them."""
    understood = []
    for subject, body in messages:
        unit = subject[7:]  # after "report."
        try:
            if not TOKEN.fullmatch(unit):
                refused["bad_unit"] += 1
            else:
                understood.append(understand(unit, body))
        except (ValueError, OverflowError, RecursionError):
            refused["unparsable"] += 1
    return understood


def _of_those(
    messages: Sequence[tuple[str, bytes]], on_duty: Mapping[str, Posting], refused: Counter[str]
) -> list[Report]:
    """The same of those on duty. Where anybody else is, is not even read; nor does a fix from before duty count."""
    understood = []
    for subject, body in messages:
        unit = subject[7:]
        posting = on_duty.get(unit)
        if posting is None:
            refused["off_duty" if TOKEN.fullmatch(unit) else "bad_unit"] += 1
            continue
        try:
            report = understand(unit, body, posting.kind)
        except (ValueError, OverflowError, RecursionError):
            refused["unparsable"] += 1
            continue
        if report.time < posting.since:  # not so for NaN, which is refused for what it is
            refused["off_duty"] += 1
        else:
            understood.append(report)
    return understood
