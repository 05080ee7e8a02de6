"""The walk and the k nearest are exactly what looking at everybody gives, anywhere on earth."""

import csv
import gzip
import math
from itertools import combinations, islice
from pathlib import Path

import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.common.geo import EARTH_RADIUS_M, GeoIndex, cell_at, distance_m, distances_m, index

CABS = Path(__file__).resolve().parents[4] / "shared/data/units_sf_cabs_2008-06-06_17-19h.csv.gz"


def to_vector(lat, lon):
    lat, lon = math.radians(lat), math.radians(lon)
    return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])


def to_degrees(vector):
    x, y, z = (float(part) for part in vector)
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))


PENTAGONS = [h3.cell_to_latlng(cell) for cell in h3.get_pentagons(9)]
CORNERS = [to_vector(*place) for place in PENTAGONS]  # of the icosahedron
EDGES = [(a, b) for a, b in combinations(CORNERS, 2) if a @ b > 0.4]
FACE_CENTRES = [to_degrees(a + b + c) for a, b, c in combinations(CORNERS, 3) if min(a @ b, a @ c, b @ c) > 0.4]
POLES = [(90.0, 0.0), (-90.0, 0.0)]
ANTIMERIDIAN = [(-16.8, 180.0), (-16.8, -179.9999), (71.0, 179.999)]
CITY = [(31.2304, 121.4737), (23.1291, 113.2644)]


def scatter(rng, place, metres, n):
    """Points around a place, also around a pole: shape (n, 2)."""
    steps = rng.normal(size=(n, 3)) * metres / EARTH_RADIUS_M
    return np.array([to_degrees(to_vector(*place) + step) for step in steps])


def build(points, names=None):
    units = GeoIndex()
    for i, (lat, lon) in enumerate(np.asarray(points).tolist()):
        units.put(names[i] if names else f"u{i:05}", lat, lon, float(i))
    return units


def brute(units, lat, lon, max_m=math.inf):
    slots = np.flatnonzero(units.cell)
    metres = distances_m(lat, lon, units.lat[slots], units.lon[slots]).tolist()
    ranked = sorted((metre, units.units[slot]) for metre, slot in zip(metres, slots.tolist(), strict=True))
    return [(unit, metre) for metre, unit in ranked if metre <= max_m]


def pairs(found):
    return [(near.unit, near.distance_m) for near in found]


def assert_exact(units, lat, lon, k=20):
    expected = brute(units, lat, lon)
    assert pairs(units.nearest(lat, lon, k)) == expected[:k]
    middle = expected[len(expected) // 2][1]
    assert pairs(units.nearest(lat, lon, k, max_m=middle)) == brute(units, lat, lon, middle)[:k]
    assert pairs(units.walk(lat, lon)) == expected


@pytest.fixture(params=[1, 64, 10**9], ids=["rings", "mixed", "everybody"])
def strategy(request, monkeypatch):
    monkeypatch.setattr(index, "UNITS_PER_CELL", request.param)


@pytest.mark.usefixtures("strategy")
@pytest.mark.parametrize("spread_m", [150, 1_000, 30_000])
@pytest.mark.parametrize(
    "place",
    [*CITY, *POLES, *ANTIMERIDIAN, FACE_CENTRES[0]],
    ids=lambda place: ",".join(f"{angle:.3f}" for angle in place),
)
def test_nearest_is_exact_everywhere(place, spread_m):
    rng = np.random.default_rng(spread_m)
    units = build(scatter(rng, place, spread_m, 400))
    for lat, lon in [place, *scatter(rng, place, spread_m, 2).tolist(), *scatter(rng, place, 3 * spread_m, 2).tolist()]:
        assert_exact(units, lat, lon)


@pytest.mark.usefixtures("strategy")
@pytest.mark.parametrize("place", PENTAGONS)
def test_nearest_is_exact_around_every_pentagon(place):
    rng = np.random.default_rng(5)
    units = build(scatter(rng, place, 700, 300))
    for lat, lon in [place, *scatter(rng, place, 700, 3).tolist()]:
        assert_exact(units, lat, lon)


@pytest.mark.usefixtures("strategy")
@pytest.mark.parametrize("place", [CITY[0], PENTAGONS[3], to_degrees(sum(EDGES[4])), ANTIMERIDIAN[0]])
def test_nearest_is_exact_on_cell_borders(place):
    points = []
    for cell in h3.grid_disk(cell_at(*place), 4):
        corners = np.array(h3.cell_to_boundary(cell))
        corners[:, 1] = np.where(np.abs(corners[:, 1] - place[1]) > 180, -180, corners[:, 1])
        points += [*corners, *(corners + np.roll(corners, 1, axis=0)) / 2]
    units = build(points)
    for lat, lon in points[:: len(points) // 5]:
        assert_exact(units, float(lat), float(lon))


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32),
    st.sampled_from([*CITY, *POLES, *ANTIMERIDIAN, *PENTAGONS, *FACE_CENTRES[:3]]),
    st.sampled_from([100.0, 1_000.0, 2e4, 5e6]),
    st.integers(1, 600),
    st.sampled_from([1, 8, 64]),
)
def test_nearest_is_exact_on_random_data(seed, place, spread_m, n, units_per_cell):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "UNITS_PER_CELL", units_per_cell)
        rng = np.random.default_rng(seed)
        units = build(scatter(rng, place, spread_m, n))
        assert_exact(units, *scatter(rng, place, spread_m * 2, 1)[0].tolist(), k=8)


def test_the_first_of_many_come_without_looking_at_everybody(monkeypatch):
    rng = np.random.default_rng(2)
    units = build(scatter(rng, CITY[0], 2_000, 8_000))
    monkeypatch.setattr(GeoIndex, "_walk_rest", None)
    for lat, lon in scatter(rng, CITY[0], 1_000, 20).tolist():
        assert pairs(units.nearest(lat, lon, 30)) == brute(units, lat, lon)[:30]


@pytest.mark.usefixtures("strategy")
def test_few_none_and_zero():
    empty = GeoIndex()
    assert empty.nearest(*CITY[0], 5) == []
    units = build([CITY[0], CITY[1], (-33.0, -70.0)])
    assert [near.unit for near in units.nearest(*CITY[0], 8)] == ["u00000", "u00001", "u00002"]
    assert units.nearest(*CITY[0], 0) == []
    assert list(units.walk(40.0, -100.0, max_m=1_000.0)) == []
    with pytest.raises(ValueError, match="islice"):
        units.nearest(*CITY[0], -1)
    near = units.nearest(*CITY[0], 1)[0]
    assert near == ("u00000", *CITY[0], 0.0, cell_at(*CITY[0]), 0.0)


@pytest.mark.usefixtures("strategy")
def test_equal_distances_come_by_name():
    names = [f"u{(i * 37) % 500:03}" for i in range(500)]
    here, there = CITY[0], (CITY[0][0], CITY[0][1] + 0.001)
    units = build([here if i % 2 else there for i in range(500)], names)
    found = units.nearest(*here, 500)
    assert pairs(found) == brute(units, *here)
    for side in (0, 250):
        assert [near.unit for near in found[side : side + 250]] == sorted(
            near.unit for near in found[side : side + 250]
        )


@pytest.mark.usefixtures("strategy")
def test_max_m_is_inclusive_and_where_chooses():
    rng = np.random.default_rng(3)
    units = build(scatter(rng, CITY[0], 800, 500))
    everybody = brute(units, *CITY[0])
    limit = everybody[100][1]
    assert pairs(units.walk(*CITY[0], max_m=limit)) == everybody[:101]
    even = units.nearest(*CITY[0], 7, where=lambda near: int(near.unit[1:]) % 2 == 0)
    assert pairs(even) == [row for row in everybody if int(row[0][1:]) % 2 == 0][:7]
    assert units.nearest(*CITY[0], 7, where=lambda near: False) == []


def test_a_reserved_slot_is_nowhere():
    units = build([CITY[0]])
    units.slots_for(["later"])
    assert [near.unit for near in units.walk(*CITY[0])] == ["u00000"]


def test_no_point_of_an_index_cell_is_farther_than_r_max_from_its_centre():
    rng = np.random.default_rng(4)
    places = [*FACE_CENTRES, *(to_degrees(vector) for vector in rng.normal(size=(2_000, 3)))]
    places += [to_degrees(a * t + b * (1 - t)) for a, b in EDGES for t in rng.random(40)]
    cells = {near for place in places for near in h3.grid_disk(cell_at(*place), 1)}
    cells.update(near for place in PENTAGONS for near in h3.grid_disk(cell_at(*place), 5))
    centres = {cell: h3.cell_to_latlng(cell) for cell in cells}
    farthest = max(distance_m(*centres[cell], *corner) for cell in cells for corner in h3.cell_to_boundary(cell))
    assert 221.1 < farthest < index.R_MAX_M - 0.5
    for lat, lon in scatter(rng, FACE_CENTRES[7], 600, 2_000).tolist():
        assert distance_m(lat, lon, *h3.cell_to_latlng(cell_at(lat, lon))) < index.R_MAX_M - 0.5


def test_rings_are_the_difference_of_disks_at_pentagons_and_across_them():
    for pentagon in h3.get_pentagons(9):
        for start in [*h3.grid_disk(pentagon, 1), h3.grid_ring(pentagon, 9)[0]]:
            seen = {start}
            for radius in range(1, 13):
                disk = set(h3.grid_disk(start, radius))
                assert sorted(h3.grid_ring(start, radius)) == sorted(disk - seen)
                seen = disk


def test_a_short_step_leads_to_the_same_or_a_neighbouring_cell():
    rng = np.random.default_rng(6)
    places = [*PENTAGONS, *FACE_CENTRES, *(to_degrees(a * t + b * (1 - t)) for a, b in EDGES for t in rng.random(3))]
    for place in places:
        for start in scatter(rng, place, 300, 15).tolist():
            step = scatter(rng, start, 10, 1)[0].tolist()
            assert cell_at(*step) in h3.grid_disk(cell_at(*start), 1)


def test_nearest_is_exact_on_real_traces():
    if not CABS.exists():
        pytest.skip(f"real traces are not here: {CABS}")
    with gzip.open(CABS, "rt") as lines:
        points = [(float(row["lat"]), float(row["lon"])) for row in csv.DictReader(lines)]
    rows = np.array(points)
    units = GeoIndex()
    cells = np.array([cell_at(lat, lon) for lat, lon in points], dtype=np.uint64)
    names = [f"p{i}" for i in range(len(points))]
    assert units.place(units.slots_for(names), rows[:, 0], rows[:, 1], np.zeros(len(rows)), cells).all()
    rng = np.random.default_rng(7)
    for lat, lon in rng.choice(rows, 8).tolist():
        assert pairs(units.nearest(lat, lon, 50)) == brute(units, lat, lon)[:50]
    lat, lon = 37.0, -122.9  # out at sea
    assert pairs(islice(units.walk(lat, lon), 300)) == brute(units, lat, lon)[:300]
