import gzip
import os
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shouwang.stack.traces import (
    BEFORE_ALL,
    WEEK_S,
    CallRow,
    Fix,
    TraceError,
    read_calls,
    read_units,
    retime,
    span_of,
    wire_token,
)

DATA = Path(os.environ.get("SHOUWANG_DATA", Path(__file__).parents[4] / "shared" / "data"))
SF = ZoneInfo("America/Los_Angeles")


def real(name: str) -> Path:
    if not (DATA / name).exists():
        pytest.skip(f"no real data at {DATA / name} (set SHOUWANG_DATA)")
    return DATA / name


GPX = """<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="27.8" lon="120.7"><time>{0}</time></trkpt><trkpt lat="27.81" lon="120.7"/>
<trkpt lat="91" lon="120.7"><time>{1}</time></trkpt></trkseg></trk></gpx>"""

PLT_HEAD = "Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2,255,My Track,0,0,2,8421376\n0\n"


# -- tables


def test_columns_are_found_by_name_and_others_ignored(tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text("\ufeffoccupied, ts ,lon,lat,unit\n1,100,120.7,27.8,car-1\n0,101.5,120.8,27.9,车 2\n\n")
    assert list(read_units(file)) == [
        Fix("car-1", 100.0, 27.8, 120.7),
        Fix(wire_token("车 2"), 101.5, 27.9, 120.8),
    ]


def test_gz_is_read_lazily(tmp_path: Path) -> None:
    file = tmp_path / "units.csv.gz"
    rows = "".join(f"a,{n},{n % 90},{n * 7919 % 180}\n" for n in range(1, 100_000))
    file.write_bytes(gzip.compress(f"unit,ts,lat,lon\n{rows}".encode())[:100_000])  # cut off in the middle
    fixes = read_units(file)
    assert next(fixes) == Fix("a", 1.0, 1.0, 179.0)
    with pytest.raises(TraceError, match=r"units\.csv\.gz, line \d+: .*end-of-stream"):
        list(fixes)


def test_bad_rows_pass_on_as_written(tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text(
        "unit,ts,lat,lon\nearly,soon,1,2\na,100,91,-120.5\na,later,27.8,nan\na,101,,\n,102,27.8,120.7\na,103,abc\n"
    )
    assert list(read_units(file)) == [
        Fix("early", BEFORE_ALL, 1.0, 2.0, "soon"),
        Fix("a", 100.0, 91.0, -120.5),
        Fix("a", 100.0, 27.8, "nan", "later"),
        Fix("a", 101.0, "", ""),
        Fix("?", 102.0, 27.8, 120.7),
        Fix("a", 103.0, "abc", ""),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("unit,time,lat,lon\na,1,2,3\n", r"units\.csv, line 1: column 'ts' is missing; found: unit, time, lat, lon"),
        ("name,when\n", r"column 'unit', 'ts', 'lat', 'lon' is missing"),
        ("", r"line 1: column"),
        ('unit,ts,lat,lon\na,1,2,3\na,2,"' + "x" * 200_000, r"units\.csv, line 3: field larger than field limit"),
    ],
)
def test_a_file_that_is_no_trace_is_refused_by_name_and_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "units.csv").write_text(text)
    with pytest.raises(TraceError, match=said):
        list(read_units(tmp_path / "units.csv"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for reader in (read_units, read_calls):
        with pytest.raises(TraceError, match=r"nowhere\.csv: No such file"):
            next(iter(reader(tmp_path / "nowhere.csv")))


def test_calls_with_and_without_the_optional_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,ts,lat,lon,category\n1,5,37.7,-122.4,THEFT\n2,?,,,ASSAULT\n")
    (tmp_path / "b.csv").write_text("priority,description,id,ts,lat,lon,category\n3,smoke,9,5,37.7,-122.4,Fire\n")
    assert list(read_calls(tmp_path / "a.csv")) == [
        CallRow("1", 5.0, 37.7, -122.4, "THEFT"),
        CallRow("2", 5.0, "", "", "ASSAULT"),
    ]
    assert list(read_calls(tmp_path / "b.csv")) == [CallRow("9", 5.0, 37.7, -122.4, "Fire", "smoke", "3")]


@pytest.mark.parametrize("name", ["car-1", "A_b-9", "x" * 64])
def test_a_token_stays_what_it_is(name: str) -> None:
    assert wire_token(name) == name


def test_other_names_become_tokens_that_stay_apart() -> None:
    names = ["张三", "李四", "a b", "a.b", "x" * 65, "guard >", "*"]
    tokens = [wire_token(name) for name in names]
    assert len(set(tokens)) == len(names)
    assert all(token == wire_token(token) and 0 < len(token) <= 64 for token in tokens)
    assert tokens == [wire_token(name) for name in names]


# -- single tracks


def test_gpx_points_with_a_time(tmp_path: Path) -> None:
    (tmp_path / "walk one.gpx").write_text(GPX.format("2026-01-01T00:00:00Z", "2026-01-01T08:00:10+08:00"))
    unit = wire_token("walk one")
    assert list(read_units(tmp_path / "walk one.gpx")) == [
        Fix(unit, 1767225600.0, 27.8, 120.7),
        Fix(unit, 1767225610.0, 91.0, 120.7),
    ]


def test_broken_gpx_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.gpx").write_text("<gpx><trk>")
    with pytest.raises(TraceError, match=r"x\.gpx: "):
        list(read_units(tmp_path / "x.gpx"))


def test_plt_takes_the_user_from_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "Data" / "017" / "Trajectory"
    folder.mkdir(parents=True)
    rows = "39.9,116.3,0,492,39744.1,2008-10-23,02:53:04\n39.9,x,0,492,,2008-10-23,02:53:10\n39.9\n"
    for file, unit in ((folder / "a.plt", "017"), (tmp_path / "alone.plt", "alone")):
        file.write_text(PLT_HEAD + rows)
        assert list(read_units(file)) == [
            Fix(unit, 1224730384.0, 39.9, 116.3),
            Fix(unit, 1224730390.0, 39.9, "x"),
            Fix(unit, 1224730390.0, 39.9, "", ""),
        ]


def test_a_folder_is_merged_by_time(tmp_path: Path) -> None:
    for name, first, second in (
        ("b", "00:00:05", "00:00:30"),
        ("a", "00:00:00", "00:00:20"),
        ("c", "00:01:00", "00:02:00"),
    ):
        day = "2026-01-01T"
        (tmp_path / f"{name}.gpx").write_text(GPX.format(f"{day}{first}Z", f"{day}{second}Z"))
    (tmp_path / "d.PLT").write_text(PLT_HEAD + "1,2,0,0,0,2026-01-01,00:00:10\n")
    (tmp_path / "empty.plt").write_text(PLT_HEAD)
    (tmp_path / "notes.txt").write_text("not a trace")
    assert [fix.unit for fix in read_units(tmp_path)] == ["a", "b", "d", "a", "b", "c", "c"]


def test_a_folder_without_traces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"no \.gpx or \.plt file"):
        read_units(tmp_path)


# -- the span, and calls moved into it


def test_a_wild_jump_does_not_set_the_box() -> None:
    fixes = [Fix("a", float(n), 37.0 + n / 100_000, -122.0) for n in range(20_000)]
    fixes[53 * 7 - 1] = Fix("a", 370.0, -33.0, 18.0)
    span = span_of(fixes, "x")
    assert (span.start, span.end, span.rows) == (0.0, 19_999.0, 20_000)
    assert 36.9 < span.box[0] < span.box[2] < 37.3


def test_a_trace_without_any_good_row_is_refused() -> None:
    with pytest.raises(TraceError, match="no row of 1 has a time"):
        span_of([Fix("a", BEFORE_ALL, 1.0, 2.0, "monday")], "x")


def call(ts: float) -> CallRow:
    return CallRow(f"{ts}", ts, 1.0, 2.0, "x")


def test_calls_move_by_the_weeks_that_fit_most() -> None:
    start, end = 1000.0, 1000.0 + 7200
    calls = [call(1500 + 52 * WEEK_S), call(2000 + 52 * WEEK_S), call(1600 + 3 * WEEK_S), call(BEFORE_ALL)]
    moved = retime(calls, start, end)
    assert [row.ts for row in moved.calls] == [1500.0, 2000.0]
    assert (moved.shift_s, moved.left_out) == (-52 * WEEK_S, 2)


def test_the_shift_can_be_given_and_calls_come_in_order() -> None:
    moved = retime([call(700.0), call(500.0), call(9000.0)], 1000.0, 2000.0, shift_s=600.0)
    assert [row.ts for row in moved.calls] == [1100.0, 1300.0]
    assert (moved.shift_s, moved.left_out) == (600.0, 1)


def test_nothing_fits() -> None:
    moved = retime([call(5.0)], 86_400.0, 86_460.0)
    assert (moved.calls, moved.left_out) == ([], 1)


# -- the real files


def test_the_real_cabs() -> None:
    span = span_of(read_units(real("units_sf_cabs_2008-06-06_17-19h.csv.gz")), "cabs")
    assert (span.start, span.end, span.rows) == (1212796800.0, 1212803999.0, 48_785)
    south, west, north, east = span.box
    assert 37.3 < south < 37.7 < north < 37.9
    assert -122.6 < west < -122.4 < east < -122.0


def test_the_real_rejected_calls_all_pass() -> None:
    rows = list(read_calls(real("incidents_sf_sfpd_rejected.csv.gz")))
    assert len(rows) == 609
    assert Counter(row.lat for row in rows).keys() == {"", 90.0}


@pytest.mark.parametrize(
    ("name", "day", "shift_s", "count"),
    [
        ("incidents_sf_sfpd.csv.gz", 1544169600, -331_434_000, 422),  # Fri 2018-12-07
        ("incidents_sf_sffd_calls_8days.csv.gz", 1483689600, -270_954_000, 406),  # Fri 2017-01-06
    ],
)
def test_real_calls_move_as_the_data_says(name: str, day: int, shift_s: int, count: int) -> None:
    """The shifts of the data set's README, which keep the wall clock across summer time."""
    calls = [row for row in read_calls(real(name)) if day <= row.ts < day + 86_400]
    moved = retime(calls, 1212735600, 1212821999, zone=SF)
    assert (moved.shift_s, len(moved.calls), moved.left_out) == (shift_s, count, 0)
