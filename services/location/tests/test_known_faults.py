"""Each test here shows a fault that is still there. When one passes, move it to where it belongs."""

import asyncio
import json
import math
import time
import warnings
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from shouwang.common.geo import GeoIndex
from shouwang.contracts.location import CellFrame
from shouwang.dispatch.feed import Feed as Follower
from shouwang.dispatch.feed import Frame
from shouwang.location import reports as reports_module
from shouwang.location.domain.fixes import Limits
from shouwang.location.domain.presence import Patience
from shouwang.location.domain.whereabouts import Report, Whereabouts
from shouwang.location.feed import Feed
from shouwang.location.metrics import Metrics
from shouwang.location.reports import Reports, understand

NOW = 1_700_000_000.0
NAN = math.nan


def body(**fields: object) -> bytes:
    return json.dumps({"lat": 27.7, "lon": 120.6, "time": NOW, **fields}).encode()


def made() -> tuple[Whereabouts, Feed, Reports, CollectorRegistry]:
    registry = CollectorRegistry()
    where, metrics = Whereabouts(Limits(), Patience(), "patroller"), Metrics(registry)
    feed = Feed(where, metrics)
    return where, feed, Reports(where, feed, metrics, 0.05), registry


class Kept:
    """A consumer of REPORTS of which the server has delivered everything before it is asked how much is left."""

    def __init__(self, messages: list[SimpleNamespace]) -> None:
        self._messages = messages

    async def subscribe(self, *_: Any, cb: Any = None, **__: Any) -> "Kept":
        for message in self._messages if cb else ():
            await cb(message)
        return self

    async def consumer_info(self) -> SimpleNamespace:
        count = len(self._messages)
        return SimpleNamespace(num_pending=0, delivered=SimpleNamespace(consumer_seq=count, stream_seq=count))

    async def next_msg(self, timeout: float = 1.0) -> SimpleNamespace:  # noqa: ASYNC109 - the client's own signature
        return self._messages.pop(0)

    async def unsubscribe(self) -> None:
        pass


async def test_catching_up_takes_what_was_delivered_before_it_asked_how_much_there_is() -> None:
    """`num_pending` no longer counts what is on its way: with a real server 5-30 % of restarts take nothing at all."""
    where, _, reports, _ = made()
    now = time.time()
    kept = Kept(
        [
            SimpleNamespace(subject=f"report.{unit}", data=body(time=now), metadata=SimpleNamespace(num_pending=left))
            for unit, left in (("a", 1), ("b", 0))
        ]
    )
    broker: Any = SimpleNamespace(jetstream=lambda: kept)
    assert await reports.catch_up(broker, SimpleNamespace()) == 2
    assert where.index.slots.keys() == {"a", "b"}


def test_full_frames_mend_a_lost_farewell_of_the_last_unit_in_a_cell() -> None:
    """An emptied cell has no full frame, so who missed that it was left keeps a ghost for ever."""
    where, feed, _, _ = made()
    follower = Follower(GeoIndex())

    def send(messages: list[tuple[str, bytes]]) -> None:
        for _, raw in messages:
            follower.apply(msgspec.json.decode(raw, type=Frame))

    feed.changed(where.apply([Report("a", 27.7, 120.6, NOW, NAN, NAN, None)], NOW).slots)
    send(feed.frames(NOW))
    where.said(where.changes_of_presence(NOW + 700))
    assert feed.gone("a", NOW + 700) is not None  # lost: the broker was away
    for minute in range(3):
        send(feed.full_frames(NOW + 700 + 60 * minute))
    assert np.count_nonzero(follower.index.cell) == len(where.index) == 0


def test_a_negative_accuracy_does_not_make_the_frame_of_the_cell_unreadable() -> None:
    """iOS says -1 for "not valid". The contract of the frame refuses it, and with it everybody else in the cell."""
    _, feed, reports, _ = made()
    reports.apply([("report.a", body(accuracy_m=-1)), ("report.b", body())], NOW)
    for _, raw in feed.frames(NOW):
        assert len(CellFrame.model_validate_json(raw).units) == 2


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_a_place_outside_china_in_a_chinese_datum_is_no_warning(datum: str) -> None:
    """Each such place is a new text in `prcoords.__warningregistry__` and on stderr: anybody can fill both."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        for step in range(3):
            understand("u", body(lat=48 + step, lon=2, datum=datum))
    assert heard == []


async def test_report_to_visible_is_measured_from_the_oldest_report_of_the_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A report that comes while the batch is applied in parts sets the clock of that batch back to itself."""
    monkeypatch.setattr(reports_module, "MAX_BATCH", 1)
    _, _, reports, registry = made()
    work = asyncio.create_task(reports.run(SimpleNamespace()))
    apply = reports.apply

    def apply_while_another_comes(part: Any, now: float) -> Any:
        asyncio.get_running_loop().create_task(reports._collect(SimpleNamespace(subject="report.late", data=b"{}")))
        return apply(part, now)

    monkeypatch.setattr(reports, "apply", apply_while_another_comes)
    for unit in "ab":
        await reports._collect(SimpleNamespace(subject=f"report.{unit}", data=b"{}"))
    for _ in range(5000):
        if registry.get_sample_value("location_report_to_visible_seconds_count"):
            break
        await asyncio.sleep(0.001)
    waited = registry.get_sample_value("location_report_to_visible_seconds_sum")
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert waited is not None
    assert waited >= 0.05  # the batch was collected for so long
