"""A report counts, or is refused by reason and changes nothing; whatever datum it is in, WGS-84 comes out."""

import json
import time
from datetime import datetime
from typing import Any

import pytest

from shouwang.common.geo import distance_m
from shouwang.common.testing import becomes, eventually, hearing, metric
from shouwang.contracts.location import CellFrame

from .conftest import Services
from .town import Town

NAN, INFINITY = float("nan"), float("inf")
REASONS = ("bad_unit", "impossible", "jump", "old", "repeated", "unparsable")
RUIAN = (27.778, 120.650)
"""The test pair of DOMAIN §10.2: this point in WGS-84, and what GCJ-02 and BD-09 make of it."""


class Counters:
    """How far location's counters have gone since a test began."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._before: dict[str, float] = {}

    async def look(self) -> dict[str, float]:
        """Reports by what became of them, without what has not changed."""
        page = await self._services.page("location", "metrics") or ""
        now = {reason: metric(page, "location_reports_rejected_total", reason=reason) for reason in REASONS}
        now["accepted"] = metric(page, "location_reports_accepted_total")
        return {what: n - self._before.get(what, 0) for what, n in now.items() if n != self._before.get(what, 0)}

    async def begin(self) -> None:
        """Count from now on."""
        self._before = {}
        self._before = await self.look()


@pytest.fixture
async def counters(services: Services) -> Counters:
    """Counted from the start of the test."""
    made = Counters(services)
    await made.begin()
    return made


async def known(town: Town, unit: str) -> dict[str, Any] | None:
    """All that location says of a unit, but its age; nothing while it does not know it."""
    answer = await town.ask("location.unit", {"unit": unit})
    return {name: said for name, said in answer.body.items() if name != "age_s"} if answer.status == 200 else None


def body(town: Town, **said: Any) -> bytes:
    """A good report a second after the one before, but for what is said."""
    return json.dumps({**town.at(100), "time": time.time(), **said}).encode()


REFUSED = {
    "old: older than what is known": ("old", {"time": -100}),
    "old: too old to be of use": ("old", {"time": -700}),
    "impossible: latitude 91": ("impossible", {"lat": 91.0}),
    "impossible: latitude -90.1": ("impossible", {"lat": -90.1}),
    "impossible: longitude 181": ("impossible", {"lon": 181}),
    "impossible: latitude NaN": ("impossible", {"lat": NAN}),
    "impossible: longitude Infinity": ("impossible", {"lon": INFINITY}),
    "impossible: NaN in GCJ-02": ("impossible", {"lat": NAN, "datum": "gcj02"}),
    "impossible: an hour in the future": ("impossible", {"time": 3600}),
    "impossible: time NaN": ("impossible", {"time": NAN}),
    "impossible: before 1970": ("impossible", {"time": "1969-12-31T23:59:59Z"}),
    "jump: 50 km in a second": ("jump", {"north_m": 50_000}),
    "unparsable: latitude in words": ("unparsable", {"lat": "27.8 N"}),
    "unparsable: latitude null": ("unparsable", {"lat": None}),
    "unparsable: time without offset": ("unparsable", {"time": "2026-11-24T19:00:00"}),
    "unparsable: time in words": ("unparsable", {"time": "just now"}),
    "unparsable: unknown datum": ("unparsable", {"datum": "cgcs2000"}),
    "unparsable: accuracy in words": ("unparsable", {"accuracy_m": "good"}),
}


@pytest.mark.parametrize(("reason", "said"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_report_that_cannot_be_used_is_counted_by_reason_and_changes_nothing(
    town: Town, counters: Counters, reason: str, said: dict[str, Any]
) -> None:
    unit = town.unit("a")
    await town.connection.publish(f"report.{unit}", body(town, time=time.time() - 5, kind="guard"))
    before = await eventually(lambda: known(town, unit))
    said = dict(said)
    if isinstance(said.get("time"), int):
        said["time"] += time.time()
    if "north_m" in said:
        said |= town.at(said.pop("north_m"))
    await town.connection.publish(f"report.{unit}", body(town, **said))
    await becomes(counters.look, {"accepted": 1, reason: 1})
    assert await known(town, unit) == before


BODIES = {
    "not JSON": b"lat=27.8;lon=120.7",
    "nothing": b"",
    "a list": b"[]",
    "null": b"null",
    "no latitude": b'{"lon": 1, "time": 1}',
    "not UTF-8": b'{"lat": 1, "lon": 1, "time": 1, "kind": "\xff"}',
    "5,000 levels": b'{"lat":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "900 KB": b"[" * 900_000,
    "a number of 1,000 digits": b'{"lat": ' + b"1" * 1000 + b', "lon": 1, "time": 1}',
}


@pytest.mark.parametrize("said", BODIES.values(), ids=BODIES.keys())
async def test_what_is_no_report_at_all_is_counted_as_unparsable(town: Town, counters: Counters, said: bytes) -> None:
    await town.connection.publish(f"report.{town.unit('a')}", said)
    await becomes(counters.look, {"unparsable": 1})
    assert (await town.ask("location.unit", {"unit": town.unit("a")})).status == 404


async def test_the_same_report_twice_counts_once(town: Town, counters: Counters) -> None:
    said = body(town)
    for _ in range(3):
        await town.connection.publish(f"report.{town.unit('a')}", said)
    await becomes(counters.look, {"accepted": 1, "repeated": 2})


@pytest.mark.parametrize("unit", ["x" * 65, "张三", "a*b", "a$b", "a'b", "a@b"])
async def test_a_unit_whose_name_is_no_token_is_not_tracked(town: Town, counters: Counters, unit: str) -> None:
    await town.connection.publish(f"report.{unit}", body(town))
    await becomes(counters.look, {"bad_unit": 1})
    near = await town.ask("location.nearby", {**town.at(100), "k": 1, "max_m": 10})
    assert near.body["units"] == []


async def test_a_jump_that_the_next_report_confirms_is_where_the_unit_is(town: Town, counters: Counters) -> None:
    unit = await town.report("a", 0, age_s=3)
    await town.connection.publish(f"report.{unit}", body(town, **town.at(50_000), time=time.time() - 1))
    await becomes(counters.look, {"accepted": 1, "jump": 1})
    await town.report("a", 50_010)
    now = await known(town, unit)
    assert now
    assert now["lat"] == pytest.approx(town.at(50_010)["lat"])


@pytest.mark.parametrize(
    ("datum", "lat", "lon"),
    [("wgs84", *RUIAN), ("gcj02", 27.774661, 120.653948), ("bd09", 27.780319, 120.660532)],
)
async def test_reports_of_any_datum_come_out_as_wgs84(town: Town, datum: str, lat: float, lon: float) -> None:
    unit = await town.report(datum, lat=lat, lon=lon, datum=datum)
    found = await known(town, unit)
    assert found
    assert distance_m(*RUIAN, found["lat"], found["lon"]) < 1.0


@pytest.mark.parametrize("form", ["{epoch}", "{epoch}.25", '"{local}+08:00"', '"{utc}Z"'])
async def test_time_may_be_epoch_seconds_or_rfc3339_of_any_zone(town: Town, form: str) -> None:
    now = int(time.time()) - 1
    utc, local = (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now + ahead_s)) for ahead_s in (0, 8 * 3600))
    report = json.dumps(town.at(0))[:-1] + f', "time": {form.format(epoch=now, utc=utc, local=local)}}}'
    await town.connection.publish(f"report.{town.unit('a')}", report.encode())
    found = await eventually(lambda: known(town, town.unit("a")))
    assert int(datetime.fromisoformat(found["time"]).timestamp()) == now


async def test_what_a_phone_exaggerates_does_not_break_the_feed(town: Town) -> None:
    """Phones say -1 for "no idea"; frames have to keep to their own contract all the same."""
    async with hearing(town.connection, "location.cell.v1.>") as heard:
        unit = await town.report("a", 0, accuracy_m=-1, battery_pct=-100, speed_mps=-1, heading_deg=-1)
        await eventually(lambda: any(unit.encode() in msg.data for msg in heard))
    for msg in heard:
        CellFrame.model_validate_json(msg.data)
