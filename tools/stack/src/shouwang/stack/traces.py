"""Real traces from files, as lazy iterators in the order of the file: fixes of units, calls of citizens.

A row that is wrong (blank, not a number, latitude 91) is not judged here: it passes on as it was written, so that
the real service refuses and counts it. Only a file that is no trace at all is refused, by name and line.
"""

import csv
import gzip
import heapq
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TextIO
from zoneinfo import ZoneInfo

import gpxpy
import gpxpy.gpx

WEEK_S = 7 * 86_400
BEFORE_ALL = -math.inf
"""The time of rows that come before the first readable time: they are due at once."""

Number = float | str
"""A number; or, where the file holds none, its own text."""


class TraceError(Exception):
    """A file that cannot be read as a trace: names the file, the line where there is one, and the reason."""


class Fix(NamedTuple):
    """One position of one unit. `ts` (epoch s) says when it is due; a bad time keeps its text in `bad_time`."""

    unit: str
    ts: float
    lat: Number
    lon: Number
    bad_time: str | None = None


class CallRow(NamedTuple):
    """One call from a file of incidents. `ts` is epoch seconds; of a row with a bad time, that of the row before."""

    id: str
    ts: float
    lat: Number
    lon: Number
    category: str
    description: str = ""
    priority: str = ""


# -- words -----------------------------------------------------------------------------------------------------------


def wire_token(name: str) -> str:
    """The name as a part of a NATS subject, `[A-Za-z0-9_-]{1,64}`.

    A name that has to be changed gets a checksum of the original behind it, or 张三 and 李四 would become one unit.
    A blank name becomes `?`, which is no token: the service is to refuse it.
    """
    name = name.strip()
    if not name:
        return "?"
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        return name
    kept = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:55]
    return f"{kept}-{zlib.crc32(name.encode()):08x}".lstrip("-")


def number(text: str) -> Number:
    """The finite number that is written here, or else the text itself."""
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text


# -- tables ----------------------------------------------------------------------------------------------------------


def _opened(path: Path) -> TextIO:
    try:
        if path.suffix == ".gz":
            return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
        return path.open(encoding="utf-8-sig", errors="replace", newline="")
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from error


def _table(path: Path, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """Rows with the values of `required + optional` in this order; what a row lacks is blank."""
    with _opened(path) as file:
        rows = csv.reader(file)
        try:
            header = [name.strip() for name in next(rows, [])]
            if missing := [name for name in required if name not in header]:
                raise TraceError(
                    f"{path}, line 1: column {', '.join(map(repr, missing))} is missing; found: {', '.join(header)}"
                )
            places = [header.index(name) if name in header else len(header) for name in required + optional]
            for row in rows:
                if row:  # a line without any character is no row
                    padded = row + [""] * (len(header) + 1 - len(row))
                    yield [padded[place] for place in places]
        except (csv.Error, EOFError, OSError, zlib.error) as error:
            raise TraceError(f"{path}, line {rows.line_num}: {error}") from error


def _csv_fixes(path: Path) -> Iterator[Fix]:
    last, tokens = BEFORE_ALL, dict[str, str]()
    for unit, ts, lat, lon in _table(path, ("unit", "ts", "lat", "lon")):
        if unit not in tokens:
            tokens[unit] = wire_token(unit)
        due = number(ts)
        if isinstance(due, float):
            last = due
            yield Fix(tokens[unit], due, number(lat), number(lon))
        else:
            yield Fix(tokens[unit], last, number(lat), number(lon), ts)


def read_calls(path: Path) -> Iterator[CallRow]:
    """Calls from CSV or CSV.gz with `id,ts,lat,lon,category` and perhaps `description,priority`."""
    last = BEFORE_ALL
    columns = _table(path, ("id", "ts", "lat", "lon", "category"), ("description", "priority"))
    for id_, ts, lat, lon, category, description, priority in columns:
        due = number(ts)
        last = due if isinstance(due, float) else last
        yield CallRow(id_, last, number(lat), number(lon), category, description, priority)


# -- single tracks ---------------------------------------------------------------------------------------------------


def _gpx_fixes(path: Path) -> Iterator[Fix]:
    """The points with a time of all tracks of a GPX file; the unit is the file's name."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            tracks = gpxpy.parse(file).tracks
    except (OSError, UnicodeDecodeError, gpxpy.gpx.GPXException) as error:
        raise TraceError(f"{path}: {error}") from error
    unit = wire_token(path.stem)
    for track in tracks:
        for segment in track.segments:
            for point in segment.points:
                if point.time is not None:
                    yield Fix(unit, point.time.timestamp(), point.latitude, point.longitude)


PLT_HEADER_LINES = 6


def _plt_fixes(path: Path) -> Iterator[Fix]:
    """A GeoLife trajectory: six lines of header, then `lat,lon,0,altitude_ft,days,date,time` in GMT."""
    in_user_folder = path.parent.name == "Trajectory"  # .../NNN/Trajectory/x.plt
    unit = wire_token(path.parent.parent.name if in_user_folder else path.stem)
    last = BEFORE_ALL
    with _opened(path) as file:
        for line_number, line in enumerate(file):
            if line_number < PLT_HEADER_LINES or not line.strip():
                continue
            lat, lon, _, _, _, date, time = [*line.strip().split(","), *[""] * 7][:7]
            try:
                last = datetime.fromisoformat(f"{date} {time}").replace(tzinfo=UTC).timestamp()
                yield Fix(unit, last, number(lat), number(lon))
            except ValueError:
                yield Fix(unit, last, number(lat), number(lon), f"{date} {time}".strip())


def _merged(paths: Iterable[Path]) -> Iterator[Fix]:
    """All files in order of time. A file is opened when its first fix is due: GeoLife has more files than a
    process may hold open."""
    waiting = [(first.ts, n, path) for n, path in enumerate(paths) if (first := next(read_units(path), None))]
    heapq.heapify(waiting)
    running: list[tuple[float, int, Fix, Iterator[Fix]]] = []
    while waiting or running:
        if waiting and (not running or waiting[0][0] <= running[0][0]):
            _, n, path = heapq.heappop(waiting)
            rest = read_units(path)
        else:
            _, n, fix, rest = heapq.heappop(running)
            yield fix
        if following := next(rest, None):
            heapq.heappush(running, (following.ts, n, following, rest))


def read_units(path: Path) -> Iterator[Fix]:
    """Fixes of units from CSV or CSV.gz (`unit,ts,lat,lon`), GPX, GeoLife PLT, or a folder of GPX and PLT files."""
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in {".gpx", ".plt"})
        if not found:
            raise TraceError(f"{path}: no .gpx or .plt file in this folder")
        return _merged(found)
    readers = {".gpx": _gpx_fixes, ".plt": _plt_fixes}
    return readers.get(path.suffix.lower(), _csv_fixes)(path)


# -- the span of a trace, and calls moved into it ---------------------------------------------------------------------


class Span(NamedTuple):
    """From when to when a trace runs (epoch s), how many rows it has, and the box that holds 98 % of its fixes."""

    start: float
    end: float
    rows: int
    box: tuple[float, float, float, float]
    """south, west, north, east"""


BOX_SAMPLE_EVERY = 53  # a prime, so that a fleet polled in rounds is not always met at the same cab


def _middle(values: list[float]) -> tuple[float, float]:
    """The values at 1 % and at 99 %: a GPS jump to another continent shall not set the scale."""
    values.sort()
    return values[len(values) // 100], values[-1 - len(values) // 100]


def span_of(fixes: Iterable[Fix], name: str) -> Span:
    """Reads the fixes to the end. Raises TraceError when none has both a time and a place."""
    start, end, rows = math.inf, -math.inf, 0
    lats, lons = list[float](), list[float]()
    for rows, fix in enumerate(fixes, 1):
        if fix.bad_time is None:
            start, end = min(start, fix.ts), max(end, fix.ts)
        wanted = rows % BOX_SAMPLE_EVERY == 0 or not lats
        if wanted and isinstance(fix.lat, float) and isinstance(fix.lon, float):
            lats.append(fix.lat)
            lons.append(fix.lon)
    if not lats or start > end:
        raise TraceError(f"{name}: no row of {rows} has a time (epoch seconds) and a place (degrees)")
    (south, north), (west, east) = _middle(lats), _middle(lons)
    return Span(start, end, rows, (south, west, north, east))


@dataclass(frozen=True)
class Retimed:
    """Calls moved onto a trace, and how many of the file fall outside of it."""

    calls: list[CallRow]
    shift_s: float
    left_out: int


def _moved(ts: float, weeks: int, zone: ZoneInfo | None) -> float:
    """The same weekday and hour, `weeks` later; with a zone, the hour of its wall clock (summer time included)."""
    if zone is None or not math.isfinite(ts):
        return ts + weeks * WEEK_S
    return (datetime.fromtimestamp(ts, zone) + timedelta(weeks=weeks)).timestamp()


def _best_weeks(calls: list[CallRow], start: float, end: float, zone: ZoneInfo | None) -> int:
    found: Counter[int] = Counter()
    for call in calls:
        if math.isfinite(call.ts):
            first, last = math.floor((start - call.ts) / WEEK_S), math.ceil((end - call.ts) / WEEK_S)
            found.update(week for week in range(first, last + 1) if start <= _moved(call.ts, week, zone) <= end)
    return max(found, key=lambda week: (found[week], -abs(week)), default=0)


def retime(
    calls: Iterable[CallRow], start: float, end: float, *, shift_s: float | None = None, zone: ZoneInfo | None = None
) -> Retimed:
    """Moves calls into the span of a trace, by whole weeks so that weekday and hour stay what they were.

    Takes the number of weeks that puts the most calls into the span; `shift_s` overrides. Without a zone the hour of
    UTC is kept, which is one off where summer time lies between.
    """
    rows = list(calls)
    if shift_s is None:
        weeks = _best_weeks(rows, start, end, zone)
        moved = [row._replace(ts=_moved(row.ts, weeks, zone)) for row in rows]
    else:
        moved = [row._replace(ts=row.ts + shift_s) for row in rows]
    pairs = sorted(zip(moved, rows, strict=True), key=lambda pair: pair[0].ts)
    inside = [(new, old) for new, old in pairs if start <= new.ts <= end]
    shift = inside[0][0].ts - inside[0][1].ts if inside else shift_s or 0.0
    return Retimed([new for new, _ in inside], shift, len(rows) - len(inside))
