"""The fast door for reports: held together with the contract, proof against hostile bytes, right about datums.

Deliberate differences from `shouwang.contracts.location.Report`:

- stricter about JSON types (`STRICTER`): a number is a number. pydantic also takes "27.7" and true; and as a time
  whatever its own parser reads, the door RFC 3339 only. No phone is known that sends these.
- milder about what stands beside the place (`MILDER`): a strange speed, heading, battery or kind never costs the
  position.
- milder about JSON itself (`MILDER_JSON`): what Python's `json` reads (NaN, other encodings) is read, to be refused by
  reason or to be used; `judge` refuses what is no place or no time.
- a fraction of more than six digits is rounded to the microsecond, where pydantic cuts it off.
"""

import asyncio
import json
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nats.js.api import DeliverPolicy
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from shouwang.common.geo import distance_m
from shouwang.contracts.location import Report as Contract
from shouwang.location import reports as reports_module
from shouwang.location.domain.fixes import Fixes, Limits, possible
from shouwang.location.domain.presence import Patience
from shouwang.location.domain.roll import Posting
from shouwang.location.domain.whereabouts import Report, Whereabouts
from shouwang.location.feed import Feed
from shouwang.location.metrics import Metrics
from shouwang.location.reports import MAX_BATCH, Reports, understand

NOW = 1_700_000_000.0
BASE = {"lat": 27.7, "lon": 120.6, "time": NOW}


def body(**fields: object) -> bytes:
    return json.dumps({**BASE, **fields}).encode()


def by_contract(raw: bytes) -> Report | None:
    """What the contract makes of a body, in the door's words; None if it refuses."""
    try:
        said = Contract.model_validate_json(raw)
    except ValidationError:
        return None
    moment = said.time if isinstance(said.time, float) else said.time.timestamp()
    accuracy, battery = (math.nan if value is None else value for value in (said.accuracy_m, said.battery_pct))
    return Report("u", said.lat, said.lon, moment, accuracy, battery, said.kind)


def by_door(raw: bytes) -> Report | None:
    try:
        return understand("u", raw)
    except (ValueError, OverflowError, RecursionError):
        return None


def is_possible(report: Report) -> bool:
    row = Fixes(np.array([report.lat]), np.array([report.lon]), np.array([report.time]))
    return bool(possible(row, NOW, Limits())[0])


def same(one: Report | None, other: Report | None) -> bool:
    if one is None or other is None:
        return one is other
    numbers = [(a, b) for a, b in zip(one[1:6], other[1:6], strict=True) if not (math.isnan(a) and math.isnan(b))]
    close = all(a == b or abs(a - b) <= 1e-6 for a, b in numbers)
    return close and (one.unit, one.kind) == (other.unit, other.kind)


# -- parity with the contract ----------------------------------------------------------------------------------------

SAME = [
    {},
    {"time": 1_700_000_000},
    {"time": 1_700_000_000.25},
    {"time": "2026-11-24T19:00:00Z"},
    {"time": "2026-11-24t19:00:00z"},
    {"time": "2026-11-24 19:00:00Z"},
    {"time": "2026-11-24T19:00:00+08:00"},
    {"time": "2026-11-24T19:00:00-09:30"},
    {"time": "2026-11-24T19:00:00-00:00"},
    {"time": "2026-11-24T19:00:00+23:59"},
    {"time": "2026-11-24T19:00:00.5+08:00"},
    {"time": "2026-11-24T19:00:00.123456Z"},
    {"time": "2026-11-24T19:00:00.123456789+08:00"},
    {"time": "2026-11-24T19:00:00.9999999Z"},
    {"time": "1970-01-01T00:00:00Z"},
    {"time": "2026-11-24T19:00:00"},  # without an offset: refused
    {"time": "2026-11-24"},
    {"time": "2016-12-31T23:59:60Z"},
    {"time": "2026-11-24T24:00:00Z"},
    {"time": "2026-02-30T00:00:00Z"},
    {"time": "2026-11-24T19:00:00+24:00"},
    {"time": ""},
    {"time": "yesterday"},
    {"time": None},
    {"time": []},
    {"time": {}},
    {"lat": 27},
    {"lat": 90},
    {"lat": -90, "lon": -180},
    {"lat": -0.0},
    {"lat": None},
    {"lat": []},
    {"lat": "north"},
    {"lon": 180},
    {"accuracy_m": 0},
    {"accuracy_m": 4.5, "speed_mps": 1.2, "heading_deg": 360, "battery_pct": 100},
    {"accuracy_m": None, "speed_mps": None, "heading_deg": None, "battery_pct": None, "kind": None},
    {"battery_pct": "full"},
    {"kind": "guard"},
    {"kind": "x" * 64},
    {"kind": 5},
    {"datum": "WGS84"},
    {"datum": None},
    {"altitude_m": 12, "vendor": {"any": ["thing"]}},
]


@pytest.mark.parametrize("fields", SAME, ids=str)
def test_the_door_understands_what_the_contract_says(fields: dict[str, object]) -> None:
    assert same(by_door(body(**fields)), by_contract(body(**fields)))


STRICTER = [
    {"lat": "27.7"},
    {"lat": True},
    {"accuracy_m": "4"},
    {"speed_mps": True},
    {"time": "1700000000"},
    {"time": "1700000000000"},
    {"time": True},
    {"time": "2026-11-24T19:00Z"},
    {"time": "2026-11-24_19:00:00Z"},
    {"time": "2026-11-24T19:00:00,5Z"},
]


@pytest.mark.parametrize("fields", STRICTER, ids=str)
def test_the_door_is_stricter_on_purpose(fields: dict[str, object]) -> None:
    assert by_contract(body(**fields)) is not None
    assert by_door(body(**fields)) is None


MILDER = [
    {"accuracy_m": -1},  # iOS: not valid
    {"accuracy_m": -90},
    {"speed_mps": -1},
    {"heading_deg": -1},
    {"heading_deg": 361},
    {"battery_pct": -1},
    {"battery_pct": 101},
    {"kind": ""},
    {"kind": "a.b"},
    {"kind": "a>"},
    {"kind": "guard\n"},
    {"kind": "值班"},
    {"kind": "x" * 65},
]


@pytest.mark.parametrize("fields", MILDER, ids=str)
def test_what_stands_beside_the_place_never_costs_the_position(fields: dict[str, object]) -> None:
    assert by_contract(body(**fields)) is None
    said = by_door(body(**fields))
    assert said is not None
    assert said[:4] == ("u", 27.7, 120.6, NOW)
    assert math.isnan(said.accuracy_m)  # else the frame of the whole cell breaks its contract
    assert math.isnan(said.battery_pct)
    assert said.kind is None


MILDER_JSON = [
    b'{"lat":27.7,"lon":120.6,"time":1700000000,"accuracy_m":NaN}',
    b'{"lat":27.7,"lon":120.6,"time":1700000000,"accuracy_m":Infinity,"battery_pct":Infinity}',
    b'{"lat":27.7,"lon":120.6,"time":1700000000,"altitude_m":-Infinity}',
    b'\xef\xbb\xbf{"lat":27.7,"lon":120.6,"time":1700000000}',
    '{"lat":27.7,"lon":120.6,"time":1700000000}'.encode("utf-16"),
    b'{"lat":27.7,"lon":120.6,"time":1700000000,"kind":"\\ud800"}',
]


@pytest.mark.parametrize("raw", MILDER_JSON)
def test_the_door_reads_more_json_on_purpose(raw: bytes) -> None:
    said = by_door(raw)
    assert said is not None
    assert same(said, Report("u", 27.7, 120.6, NOW, math.nan, math.nan, None))


@pytest.mark.parametrize(
    "fields",
    [
        {"lat": 90.001},
        {"lat": -1e300},
        {"lon": 180.001},
        {"lat": math.nan},
        {"lon": math.inf},
        {"time": math.nan},
        {"time": math.inf},
        {"time": -1},
        {"time": NOW * 1000},  # milliseconds
        {"time": "0001-01-01T00:00:00+14:00"},
        {"time": "9999-12-31T23:59:59-14:00"},
    ],
    ids=str,
)
def test_what_the_door_lets_pass_is_refused_by_the_judge(fields: dict[str, object]) -> None:
    said = by_door(body(**fields))
    assert said is not None
    assert not is_possible(said)


def moments() -> st.SearchStrategy[str]:
    offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    first, last = datetime(1971, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
    aware = st.datetimes(first, last, timezones=offsets)
    return aware.map(datetime.isoformat) | aware.map(lambda t: t.astimezone(UTC).isoformat().replace("+00:00", "Z"))


FINITE = st.floats(allow_nan=False, allow_infinity=False)
ACCEPTABLE = st.fixed_dictionaries(
    {"lat": st.floats(-90, 90) | st.integers(-90, 90), "lon": st.floats(-180, 180) | st.integers(-180, 180)}
    | {"time": moments() | FINITE | st.integers(-(2**60), 2**60)},
    optional={
        "accuracy_m": st.none() | st.floats(0, 1e9) | st.integers(0, 10**30),
        "speed_mps": st.none() | st.floats(0, 1e9),
        "heading_deg": st.none() | st.floats(0, 360),
        "battery_pct": st.none() | st.floats(0, 100),
        "kind": st.none() | st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
        "datum": st.just("wgs84"),
        "extra": st.recursive(st.none() | st.text(), st.lists, max_leaves=5),
    },
)


@given(ACCEPTABLE)
@settings(max_examples=150, deadline=None)
def test_whatever_the_contract_accepts_is_understood_to_the_same_values(fields: dict[str, object]) -> None:
    raw = json.dumps(fields).encode()
    wanted = by_contract(raw)
    assert wanted is not None
    assert same(by_door(raw), wanted)


ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.floats(), max_size=2)
NEARLY = st.fixed_dictionaries({"lat": ANY, "lon": st.floats() | ANY, "time": FINITE | moments() | ANY})


@given(NEARLY)
@settings(max_examples=150, deadline=None)
def test_what_the_contract_refuses_is_refused_here_or_by_the_judge(fields: dict[str, object]) -> None:
    raw = json.dumps(fields).encode()
    said = by_door(raw)
    if by_contract(raw) is None:
        assert said is None or not is_possible(said)


# -- datums ----------------------------------------------------------------------------------------------------------

RUIAN = (27.778, 120.650)  # DOMAIN §10.2


@pytest.mark.parametrize(
    ("datum", "lat", "lon", "off_m"),
    [
        ("wgs84", 27.778, 120.650, 0.0),
        ("gcj02", 27.774661, 120.653948, 537.3),
        ("bd09", 27.780319, 120.660532, 1068.0),
    ],
)
def test_datums(datum: str, lat: float, lon: float, off_m: float) -> None:
    assert distance_m(*RUIAN, lat, lon) == pytest.approx(off_m, abs=1.0)  # the pair is what DOMAIN says it is
    said = understand("u", body(lat=lat, lon=lon, datum=datum))
    assert distance_m(*RUIAN, said.lat, said.lon) < 0.1  # its six decimals are worth 0.1 m


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
@pytest.mark.parametrize(("lat", "lon"), [(48.0, 2.0), (-27.7, 120.6), (0.8, 100.0), (56.0, 100.0), (30.0, 138.0)])
def test_outside_china_there_is_no_shift_to_undo_and_nothing_to_warn_of(datum: str, lat: float, lon: float) -> None:
    said = understand("u", body(lat=lat, lon=lon, datum=datum))
    assert (said.lat, said.lon) == (lat, lon)


# -- hostile bytes ---------------------------------------------------------------------------------------------------

JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*BASE, "kind", "datum"]), inner),
    max_leaves=10,
)
REPORTISH = st.fixed_dictionaries(
    {"lat": ANY | st.floats(-90, 90), "lon": ANY | st.floats(-180, 180), "time": ANY | st.just(NOW)},
    optional={"datum": st.sampled_from(["wgs84", "gcj02", "bd09", "x"]), "kind": ANY, "accuracy_m": ANY},
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A report, nearly: a piece missing, doubled or replaced."""
    raw = json.dumps(draw(REPORTISH | JSONISH)).encode()
    start = draw(st.integers(0, len(raw)))
    end = draw(st.integers(start, len(raw)))
    return raw[:start] + draw(st.binary(max_size=4)) + raw[draw(st.sampled_from([start, end])) :]


HOSTILE = st.binary(max_size=200) | JSONISH.map(lambda x: json.dumps(x).encode()) | damaged()


def reports(
    registry: CollectorRegistry | None = None, batch_s: float = 0.02, on_duty: dict[str, Posting] | None = None
) -> Reports:
    where, metrics = Whereabouts(Limits(), Patience(), "patroller"), Metrics(registry or CollectorRegistry())
    return Reports(where, Feed(where, metrics), metrics, batch_s, on_duty)


@given(HOSTILE)
@example(b"")
@example(b"[" * 100_000)
@example(b'{"lat":1,"lon":1,"time":1,"x":' + b"[" * 100_000)
@example(b'{"lat":NaN,"lon":1,"time":1,"x":' + b"[" * 100_000)
@example(b'{"lat":NaN,"lon":' + b"9" * 5000 + b',"time":1}')
@example(b'{"lat":NaN,"lon":' + b"9" * 400 + b',"time":1}')
@example(b'{"lat":NaN,"lon":1,"time":"\\ud800"}')
@example(b'{"lat":NaN,"lon":1,"time":1,"datum":"\\ud800"}')
@example(b'{"lat":NaN,"lon":1,"time":1,"datum":"gcj02"}')
@example(b'{"lat":1e308,"lon":1e308,"time":1,"datum":"bd09"}')
@example(b'{"lat":1,"lon":1,"time":1e999}')
@settings(max_examples=300, deadline=None)
def test_hostile_bytes_are_refused_in_words_that_the_batch_knows(raw: bytes) -> None:
    try:
        said = understand("u", raw)
    except (ValueError, OverflowError, RecursionError):
        return
    assert said.kind is None or said.kind.isascii()
    assert all(isinstance(number, float) for number in said[1:6])


SUBJECTS = st.sampled_from(
    ["report.a", "report.b", "report.", "report.*", "report.a.b", "report.值", "report." + "x" * 65]
)


@given(st.lists(st.tuples(SUBJECTS, HOSTILE | st.just(body())), max_size=12))
@settings(max_examples=80, deadline=None)
def test_applying_never_raises_and_accounts_for_every_message(messages: list[tuple[str, bytes]]) -> None:
    refused = reports().apply(messages, NOW)
    assert all(reason in {"bad_unit", "unparsable", "impossible", "old", "repeated", "jump"} for reason in refused)
    assert 0 <= refused.total() <= len(messages)


def test_one_bad_message_costs_nothing_but_itself() -> None:
    messages = [
        ("report.a", body(lat=27.7)),
        ("report.b", b"\x00\xff"),
        ("report.c", body(lat=math.nan)),
        ("report.d.e", body()),
        ("report.f", body(time=NOW - 601)),
        ("report.a", body(lat=27.7001)),
        ("report.g", body()),
    ]
    door = reports()
    assert door.apply(messages, NOW) == Counter(unparsable=1, impossible=1, bad_unit=1, old=1, repeated=1)
    assert door._whereabouts.index.slots.keys() == {"a", "g"}


def test_a_wide_batch_is_applied_whole() -> None:
    door = reports()
    door.apply([(f"report.u{i}", body(lat=27 + i / 100_000)) for i in range(MAX_BATCH)], NOW)
    assert len(door._whereabouts.index) == MAX_BATCH


# -- only those on duty ----------------------------------------------------------------------------------------------

ON_DUTY = {"a": Posting(NOW - 60, NOW + 60, "guard"), "b": Posting(NOW - 60, NOW + 60, None)}


def test_where_somebody_off_duty_is_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def understand_and_note(unit: str, *said: Any) -> Report:
        read.append(unit)
        return understand(unit, *said)

    monkeypatch.setattr(reports_module, "understand", understand_and_note)
    door = reports(on_duty=dict(ON_DUTY))
    messages = [
        ("report.a", body()),
        ("report.stranger", body()),
        ("report.stranger", b"?"),
        ("report.a.b", body()),
        ("report.值", body()),
        ("report.b", b"?"),
    ]
    assert door.apply(messages, NOW) == Counter(off_duty=2, bad_unit=2, unparsable=1)
    assert read == ["a", "b"]
    assert door._whereabouts.index.slots.keys() == {"a"}


@pytest.mark.parametrize(
    ("moment", "refused"),
    [
        (NOW - 60, Counter()),
        (NOW - 60.001, Counter(off_duty=1)),  # a phone that sends later where it was at home
        (NOW + 1, Counter()),
        (math.nan, Counter(impossible=1)),
        ("2023-11-14T22:12:00Z", Counter(off_duty=1)),
    ],
)
def test_a_fix_from_before_duty_does_not_count(moment: object, refused: Counter[str]) -> None:
    door = reports(on_duty=dict(ON_DUTY))
    assert door.apply([("report.a", body(time=moment))], NOW) == refused
    assert ("a" in door._whereabouts.index) == (not refused)


def test_on_duty_the_kind_is_the_one_that_training_knows() -> None:
    door = reports(on_duty=dict(ON_DUTY))
    door.apply([("report.a", body(kind="police_officer")), ("report.b", body(kind="militia"))], NOW)
    assert [door._whereabouts.kind_of(unit) for unit in "ab"] == ["guard", "militia"]


def test_going_on_and_off_duty_counts_from_the_next_report_on() -> None:
    on_duty: dict[str, Posting] = {}
    door = reports(on_duty=on_duty)
    assert door.apply([("report.a", body())], NOW) == Counter(off_duty=1)
    on_duty["a"] = ON_DUTY["a"]
    assert door.apply([("report.a", body())], NOW) == Counter()
    del on_duty["a"]
    assert door.apply([("report.a", body(time=NOW + 1))], NOW + 1) == Counter(off_duty=1)


@given(st.lists(st.tuples(SUBJECTS, HOSTILE | st.just(body())), max_size=12))
@settings(max_examples=80, deadline=None)
def test_on_duty_too_applying_never_raises_and_accounts_for_every_message(messages: list[tuple[str, bytes]]) -> None:
    door = reports(on_duty={"a": Posting(0.0, NOW + 60, None)})
    refused = door.apply(messages, NOW)
    assert 0 <= refused.total() <= len(messages)
    assert door._whereabouts.index.slots.keys() <= {"a"}


async def test_the_refused_are_counted_by_reason() -> None:
    registry, now = CollectorRegistry(), time.time()
    door = reports(registry, on_duty={"a": Posting(now, now + 60, None)})
    work = asyncio.create_task(door.run(SimpleNamespace()))
    for subject, moment in (("report.a", now + 1), ("report.a", now - 1), ("report.b", now), ("report.c", now)):
        await door._collect(SimpleNamespace(subject=subject, data=body(time=moment)))
    await until(lambda: registry.get_sample_value("location_reports_accepted_total") == 1)
    assert registry.get_sample_value("location_reports_rejected_total", {"reason": "off_duty"}) == 3
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_catching_up_takes_only_what_counts() -> None:
    now = time.time()
    door = reports(on_duty={"a": Posting(now - 9, now + 60, None), "b": Posting(now + 1, now + 60, None)})
    kept = Kept(kept_reports("abc", now), 1, [])
    broker: Any = SimpleNamespace(jetstream=lambda: kept)
    assert await door.catch_up(broker) == 3
    assert door._whereabouts.index.slots.keys() == {"a"}


# -- the loop --------------------------------------------------------------------------------------------------------


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("not within five seconds")


async def test_what_comes_in_is_collected_and_applied_together() -> None:
    door, now = reports(), time.time()
    work = asyncio.create_task(door.run(SimpleNamespace()))
    for i in range(100):
        await door._collect(SimpleNamespace(subject=f"report.u{i}", data=body(lat=27 + i / 1000, time=now)))
    await door._collect(SimpleNamespace(subject="report.bad", data=b"?"))
    assert len(door._whereabouts.index) == 0
    await until(lambda: len(door._whereabouts.index) == 100)
    assert door._waiting == []
    await door._collect(SimpleNamespace(subject="report.last", data=body(time=now)))
    await until(lambda: "last" in door._whereabouts.index)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_report_to_visible_is_measured_from_the_oldest_report_of_the_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reports_module, "MAX_BATCH", 1)
    registry = CollectorRegistry()
    door = reports(registry, batch_s=0.05)
    apply = door.apply

    def apply_while_another_comes(part: Any, now: float) -> Any:
        asyncio.get_running_loop().create_task(door._collect(SimpleNamespace(subject="report.late", data=b"{}")))
        return apply(part, now)

    monkeypatch.setattr(door, "apply", apply_while_another_comes)
    work = asyncio.create_task(door.run(SimpleNamespace()))
    for unit in "ab":
        await door._collect(SimpleNamespace(subject=f"report.{unit}", data=b"{}"))
    await until(lambda: bool(registry.get_sample_value("location_report_to_visible_seconds_count")))
    waited = registry.get_sample_value("location_report_to_visible_seconds_sum")
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert waited is not None
    assert waited >= 0.05  # the batch was collected for so long


# -- catching up -----------------------------------------------------------------------------------------------------


class Kept:
    """The consumer of REPORTS: so many of its messages are delivered before it is asked how many are left.

    `later` are reports that come in live meanwhile: the broker delivers them here too.
    """

    def __init__(self, messages: list[SimpleNamespace], delivered: int, later: list[SimpleNamespace]) -> None:
        self._messages, self._delivered, self._later = messages, delivered, later
        self.asked: dict[str, Any] = {}
        self.is_open = False

    async def subscribe(self, subject: str, *, cb: Callable[[Any], Awaitable[None]], **asked: Any) -> "Kept":
        self.asked, self.is_open = {"subject": subject, **asked}, True
        for message in self._messages[: self._delivered]:
            await cb(message)
        self._work = asyncio.create_task(self._deliver(cb))
        return self

    async def _deliver(self, cb: Callable[[Any], Awaitable[None]]) -> None:
        self._asked = asyncio.Event()
        await self._asked.wait()
        for message in [*self._messages[self._delivered :], *self._later]:
            await asyncio.sleep(0)
            await cb(message)

    async def consumer_info(self) -> SimpleNamespace:
        await asyncio.sleep(0)
        self._asked.set()
        sequence = SimpleNamespace(consumer_seq=self._delivered, stream_seq=self._delivered)
        return SimpleNamespace(num_pending=len(self._messages) - self._delivered, delivered=sequence)

    async def unsubscribe(self) -> None:
        self.is_open = False
        await self._work


def kept_reports(units: str, now: float) -> list[SimpleNamespace]:
    return [SimpleNamespace(subject=f"report.{unit}", data=body(time=now)) for unit in units]


@pytest.mark.parametrize("delivered", [0, 1, 3, 5])
@pytest.mark.parametrize("at_once", [1, 2, 5, 8192])
async def test_catching_up_takes_all_that_was_kept(
    monkeypatch: pytest.MonkeyPatch, delivered: int, at_once: int
) -> None:
    monkeypatch.setattr(reports_module, "MAX_BATCH", at_once)
    door, now = reports(), time.time()
    batches: list[int] = []
    apply = door.apply

    def counting(messages: Any, now: float) -> Any:
        batches.append(len(messages))
        return apply(messages, now)

    monkeypatch.setattr(door, "apply", counting)
    kept = Kept(kept_reports("abcde", now), delivered, [])
    broker: Any = SimpleNamespace(jetstream=lambda: kept)
    assert await door.catch_up(broker) == 5
    assert door._whereabouts.index.slots.keys() == set("abcde")
    assert (sum(batches), max(batches)) == (5, min(5, at_once))
    assert not kept.is_open


@pytest.mark.parametrize("delivered", [0, 2])
async def test_catching_up_does_not_wait_for_what_comes_in_meanwhile(delivered: int) -> None:
    door, now = reports(), time.time()
    kept = Kept(kept_reports("ab", now), delivered, kept_reports("xyz", now))
    broker: Any = SimpleNamespace(jetstream=lambda: kept)
    assert await door.catch_up(broker) == 2  # the rest comes by the subscription of `listen()`
    assert door._whereabouts.index.slots.keys() == set("ab")


async def test_catching_up_asks_for_the_last_report_of_each_unit_only() -> None:
    kept = Kept([], 0, [])
    broker: Any = SimpleNamespace(jetstream=lambda: kept)
    await reports().catch_up(broker)
    assert (kept.asked["subject"], kept.asked["stream"]) == ("report.*", "REPORTS")
    assert kept.asked["config"].deliver_policy is DeliverPolicy.LAST_PER_SUBJECT


async def test_a_kept_report_that_cannot_be_used_costs_only_itself() -> None:
    now = time.time()
    messages = kept_reports("abc", now)
    messages[1].data = b"?"
    kept = Kept(messages, 1, [])
    broker: Any = SimpleNamespace(jetstream=lambda: kept)
    door = reports()
    assert await door.catch_up(broker) == 3
    assert door._whereabouts.index.slots.keys() == set("ac")


async def test_catching_up_with_nothing_kept() -> None:
    kept = Kept([], 0, [])
    broker: Any = SimpleNamespace(jetstream=lambda: kept)
    assert await reports().catch_up(broker) == 0
    assert not kept.is_open
