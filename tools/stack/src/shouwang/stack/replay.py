"""Demo and replay: a scenario, a drive, and somebody to watch. The command line calls `run_demo` and `run_replay`."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import nats
from rich.console import Console

from shouwang.stack.drive import Behaviour, Call, Dot, Drive, Endpoints, Scenario, Turn, calling_s
from shouwang.stack.drive.meters import OUTBOX_S, Meters
from shouwang.stack.organiser import Organiser, Tonight
from shouwang.stack.summary import summarise
from shouwang.stack.tangxia import POST, POST_RADIUS_M, TangxiaNight
from shouwang.stack.traces import (
    CallRow,
    Fix,
    Retimed,
    Span,
    TraceError,
    read_calls,
    read_units,
    retime,
    span_of,
    wire_token,
)
from shouwang.stack.view import closing, line, show

__all__ = ["Endpoints", "TraceError", "TraceScenario", "run_demo", "run_replay"]

Say = Callable[[str], None]
PROGRESS_S = 5.0
LEAD_S = 2.0
"""Calls wait so long at the start: the units of a trace have been there before, the suite has yet to hear of them."""
TOLD_S = 60.0
TAIL_S = 8.0
"""How long a replay goes on after the last row of its trace."""

VEHICLE_MPS = 8.0
"""Units of public traces are mostly vehicles; their way to a call is not in the trace, so it is this long."""
HANDLE_S = 600.0

KIND_WORDS = (
    ("fire", ("fire", "smoke", "gas leak", "explosion", "alarms", "hazmat")),
    ("traffic", ("traffic", "collision", "vehicle accident", "hit and run", "driving")),
    ("property", ("theft", "larceny", "burglary", "robbery", "stolen", "vandal", "mischief", "fraud", "forgery",
                  "embezzlement", "trespass", "shoplift", "arson", "recovered vehicle")),
    ("public_order", ("assault", "disorderly", "weapon", "drunk", "drug", "liquor", "prostitution", "sex offense",
                      "offences against", "kidnapping", "homicide")),
    ("dispute", ("dispute", "domestic", "family", "civil")),
    ("help", ("medical", "missing", "lost", "suicide", "assist", "rescue", "courtesy", "aided", "elevator")),
    ("tip", ("suspicious", "warrant")),
)  # fmt: skip
"""Words of public datasets for our own kinds (DOMAIN §6); the first that fits."""


def kind_of(category: str) -> str:
    """Our kind for a dataset's category."""
    said = category.lower()
    return next((kind for kind, words in KIND_WORDS if any(word in said for word in words)), "other")


def priority_of(written: str) -> str:
    """Our priority for a dataset's; San Francisco's fire calls have 3 (emergency) and 2."""
    said = written.strip().lower()
    return said if said in {"low", "normal", "high", "urgent"} else {"3": "urgent"}.get(said, "normal")


def call_of(row: CallRow, number: int) -> Call:
    """A row of a file as a call. A place that is no number goes on as it is written."""
    category = row.category.strip() or "call"
    said = f"{category}: {row.description.strip()}" if row.description.strip() else category
    return Call(
        ref=wire_token(row.id) if row.id.strip() else f"row-{number}",
        kind=kind_of(category),
        lat=row.lat,
        lon=row.lon,
        summary=said[:2000],
        label=category[:24],
        priority=priority_of(row.priority),
    )


class TraceScenario:
    """Real traces and calls, `speed` times faster than they were."""

    outline: Sequence[tuple[float, float]] = ()
    landmarks: Sequence[tuple[str, float, float]] = ()

    def __init__(
        self,
        title: str,
        fixes: Iterator[Fix],
        calls: Sequence[CallRow],
        *,
        span: Span,
        speed: float,
        zone: ZoneInfo | None = None,
        lead_s: float = LEAD_S,
    ) -> None:
        self.title, self.box = title, span.box
        handle_s = max(0.5, HANDLE_S / speed)
        self.behaviour = Behaviour(handle_s=(handle_s, 2 * handle_s))
        self._fixes, self._next = fixes, next(fixes, None)
        self._start, self._speed, self._lead_s = span.start, speed, lead_s
        self._calls, self._next_call = calls, 0
        self._zone = zone or UTC
        self._at: dict[str, tuple[float, float]] = {}

    def reports(self, elapsed_s: float, wall0_s: float) -> Iterator[tuple[str, bytes]]:
        due = self._start + elapsed_s * self._speed
        while (fix := self._next) is not None and fix.ts <= due:
            self._next = next(self._fixes, None)
            if isinstance(fix.lat, float) and isinstance(fix.lon, float):
                self._at[fix.unit] = (fix.lat, fix.lon)
            at = fix.bad_time if fix.bad_time is not None else wall0_s + (fix.ts - self._start) / self._speed
            yield fix.unit, msgspec.json.encode({"lat": fix.lat, "lon": fix.lon, "time": at})

    def calls(self, elapsed_s: float) -> Iterator[Call]:
        if elapsed_s < self._lead_s:
            return
        due = self._start + elapsed_s * self._speed
        while self._next_call < len(self._calls) and self._calls[self._next_call].ts <= due:
            self._next_call += 1
            yield call_of(self._calls[self._next_call - 1], self._next_call)

    def turns(self, elapsed_s: float) -> Iterator[Turn]:
        """None: the units of a trace are on no roster."""
        return iter(())

    def turned(self, unit: str, *, on: bool) -> None:
        """Nobody turns."""

    def owns(self, unit: str) -> bool:
        return unit in self._at

    def go(self, unit: str, lat: float, lon: float, distance_m: float, elapsed_s: float) -> float:
        return max(0.2, distance_m / VEHICLE_MPS / self._speed)

    def release(self, unit: str, elapsed_s: float) -> None:
        """The trace goes where it goes."""

    def clock(self, elapsed_s: float) -> str:
        return f"{datetime.fromtimestamp(self._start + elapsed_s * self._speed, self._zone):%H:%M}"

    def dots(self, elapsed_s: float) -> list[Dot]:
        return [Dot(unit, "", *place) for unit, place in self._at.items()]


def aloud(text: str) -> None:
    """The default voice: stderr, so that the summary stays alone on stdout."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


async def _progress(drive: Drive, say: Say) -> None:
    while True:
        await asyncio.sleep(PROGRESS_S)
        say(line(drive.snapshot()))


async def play(
    endpoints: Endpoints, scenario: Scenario, seconds: float, *, json_mode: bool, seed: int, say: Say
) -> dict[str, Any]:
    """Drives a scenario and shows it: live on a terminal, in lines otherwise, by `say` when stdout is for JSON."""
    drive, console = Drive(endpoints, scenario, seconds, seed=seed), Console()
    showing = asyncio.create_task(_progress(drive, say) if json_mode else show(drive, console))
    try:
        await drive.run()
    finally:
        showing.cancel()
        outcome = (await asyncio.gather(showing, return_exceptions=True))[0]
    if isinstance(outcome, Exception):  # the drive does not die of a view, but nobody should wonder where it went
        say(f"the view failed: {outcome!r}")
    summary = summarise(drive)
    if not json_mode:
        console.print(closing(summary, scenario.title))
    return summary


async def run_demo(
    endpoints: Endpoints, seconds: float = 60.0, json_mode: bool = False, seed: int = 7, say: Say = aloud
) -> dict[str, Any]:
    """Plays the Tangxia night in so many seconds and returns the summary.

    Raises:
        ValueError: `seconds` is not above 0.
    """
    if not seconds > 0:
        raise ValueError(f"a night needs more than {seconds:g} seconds")
    tonight = await _organise(endpoints, seed, say) if "training" in endpoints.metrics else Tonight()
    night = TangxiaNight(seconds, seed, tonight.on_shift)
    summary = await play(endpoints, night, seconds, json_mode=json_mode, seed=seed, say=say)
    about = {"people": tonight.people, "import_s": tonight.import_s, "places": tonight.places}
    return {**summary, "roster": {**about, "on_shift": len(tonight.on_shift), "declined": tonight.declined}}


async def _organise(endpoints: Endpoints, seed: int, say: Say) -> Tonight:
    """The people of the programme, and tonight's roster."""
    broker = await nats.connect(endpoints.nats, name="shouwang-organiser")
    try:
        tonight = await Organiser(broker, say).prepare(POST, POST_RADIUS_M, seed)
    finally:
        await broker.close()
    meters = Meters(endpoints.metrics)
    end = asyncio.get_running_loop().time() + TOLD_S
    await meters.poll()
    while meters.now("training", OUTBOX_S) and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.2)  # what an office does in weeks is told in seconds: let it be heard first
        await meters.poll()
    return tonight


def _load(units: Path, incidents: Path | None, shift_s: float | None, zone: ZoneInfo | None) -> tuple[Span, Retimed]:
    span = span_of(read_units(units), str(units))
    calls = read_calls(incidents) if incidents else ()
    return span, retime(calls, span.start, span.end, shift_s=shift_s, zone=zone)


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, OSError) as error:
        raise ValueError(f"no time zone {name!r}") from error


async def run_replay(
    endpoints: Endpoints,
    units_path: Path,
    incidents_path: Path | None = None,
    speed: float = 1.0,
    seconds: float | None = None,
    *,
    shift_s: float | None = None,
    tz: str | None = None,
    json_mode: bool = False,
    seed: int = 7,
    say: Say = aloud,
) -> dict[str, Any]:
    """Plays files into the suite and returns the summary.

    Ends after `seconds`, or soon after the end of the trace. `tz` (such as America/Los_Angeles) is the local time of
    the files: the clock that is shown, and the wall clock that calls keep when they are moved onto the trace.

    Raises:
        TraceError: a file is missing or is no trace, before anything is sent.
        ValueError: `speed` is not above 0, or `tz` is no time zone.
    """
    if not speed > 0:
        raise ValueError(f"speed must be above 0, not {speed:g}")
    zone = _zone(tz)
    say(f"reading {units_path} ...")
    span, calls = await asyncio.to_thread(_load, units_path, incidents_path, shift_s, zone)
    whole_s = (span.end - span.start) / speed + TAIL_S
    seconds = min(seconds or whole_s, whole_s)
    say(told(span, calls, speed, seconds))
    scenario = TraceScenario(
        f"{units_path.name} × {speed:g}", read_units(units_path), calls.calls,
        span=span, speed=speed, zone=zone, lead_s=min(LEAD_S, calling_s(seconds) / 2),
    )  # fmt: skip
    return await play(endpoints, scenario, seconds, json_mode=json_mode, seed=seed, say=say)


def told(span: Span, calls: Retimed, speed: float, seconds: float) -> str:
    """What is about to be played, in words."""
    last = span.start + calling_s(seconds) * speed
    reached = sum(call.ts <= last for call in calls.calls)
    reports = f"{span.rows:,} reports over {(span.end - span.start) / 3600:.1f} h"
    moved = (
        f"; {len(calls.calls):,} calls moved by {calls.shift_s:+,.0f} s lie within, {calls.left_out:,} outside are "
        f"left out; {reached:,} of them come in time"
    )
    any_calls = calls.calls or calls.left_out
    return f"{reports}{moved if any_calls else ''}; playing {seconds:.0f} s at {speed:g} times the speed"
