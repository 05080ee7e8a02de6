"""Great-circle distance: right from millimetres to the antipodes, and the same however a batch is cut."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.common.geo import EARTH_RADIUS_M, cell_at, cell_of, distance_m, distances_m, parent, token

HALF_WAY_M = math.pi * EARTH_RADIUS_M
LAT = st.floats(-90, 90)
LON = st.floats(-180, 180)


def opposite(lat: float, lon: float) -> tuple[float, float]:
    return -lat, lon - 180 if lon > 0 else lon + 180


@pytest.mark.parametrize(
    ("points", "metres"),
    [
        ((0, 0, 0, 0), 0),
        ((0, 0, 90, 0), HALF_WAY_M / 2),
        ((0, 0, 0, 1), HALF_WAY_M / 180),
        ((90, 12, 90, -77), 0),
        ((31.2, 180, 31.2, -180), 0),
        ((90, 0, -90, 0), HALF_WAY_M),
        ((37.5, 20, -37.5, -160), HALF_WAY_M),
    ],
)
def test_known_distances(points, metres):
    assert distance_m(*points) == pytest.approx(metres, abs=1e-8)


@settings(deadline=None, max_examples=200)
@given(LAT, LON, LAT, LON)
def test_the_way_through_a_point_to_the_antipode_is_half_way_round(lat1, lon1, lat2, lon2):
    there = distance_m(lat1, lon1, lat2, lon2)
    assert there == distance_m(lat2, lon2, lat1, lon1)
    assert there + distance_m(lat2, lon2, *opposite(lat1, lon1)) == pytest.approx(HALF_WAY_M, abs=1e-6)


def test_agrees_with_the_angle_between_vectors():
    rng = np.random.default_rng(0)
    here, there = rng.normal(size=(2, 300, 3))
    angles = np.arctan2(np.linalg.norm(np.cross(here, there), axis=1), (here * there).sum(axis=1))
    lats, lons = (
        np.degrees([np.arctan2(v[:, 2], np.hypot(v[:, 0], v[:, 1])) for v in (here, there)]),
        np.degrees([np.arctan2(v[:, 1], v[:, 0]) for v in (here, there)]),
    )
    metres = [distance_m(*row) for row in np.column_stack([lats[0], lons[0], lats[1], lons[1]]).tolist()]
    np.testing.assert_allclose(metres, angles * EARTH_RADIUS_M, rtol=0, atol=1e-6)


@pytest.mark.parametrize("millimetres", [0.01, 1, 100])
def test_near_and_nearly_opposite_points_keep_their_precision(millimetres):
    degrees = math.degrees(millimetres / 1000 / EARTH_RADIUS_M)
    assert distance_m(0, 0, 0, degrees) == pytest.approx(millimetres / 1000, rel=1e-6)
    assert HALF_WAY_M - distance_m(0, 0, degrees, 180) == pytest.approx(millimetres / 1000, abs=1e-8)


def test_vectorised_is_the_same_and_does_not_depend_on_the_batch():
    rng = np.random.default_rng(1)
    lats, lons = rng.uniform(-90, 90, 500), rng.uniform(-180, 180, 500)
    metres = distances_m(31.2, 121.4, lats, lons)
    assert metres.shape == (500,)
    one_by_one = [distance_m(31.2, 121.4, lat, lon) for lat, lon in zip(lats.tolist(), lons.tolist(), strict=True)]
    np.testing.assert_allclose(metres, one_by_one, rtol=0, atol=1e-7)
    for size in (1, 3, 8, 250):  # the walk compares distances from different batches: they must agree to the bit
        parts = [distances_m(31.2, 121.4, lats[i : i + size], lons[i : i + size]) for i in range(0, 500, size)]
        np.testing.assert_array_equal(np.concatenate(parts), metres)
    assert distances_m(0, 0, [[0.0, 0.0]], [[1.0, 2.0]]).shape == (1, 2)
    assert distances_m(0, 0, [], []).shape == (0,)


def test_cells_nest_and_their_tokens_come_back():
    cell = cell_at(31.2304, 121.4737)
    assert token(cell) == f"{cell:x}"
    assert cell_of(token(cell)) == cell
    assert parent(cell, 5) == parent(parent(cell, 7), 5) == cell_of(token(parent(cell, 5)))
    with pytest.raises(ValueError, match="resolution"):
        parent(parent(cell, 5), 7)
    with pytest.raises(ValueError):  # noqa: PT011 - h3 gives no message
        cell_at(math.nan, 0)


@pytest.mark.parametrize(
    "text", ["", "zz", "0", "f" * 15, "f" * 40, "89309959A27FFFF", "0x89309959a27ffff", "89309959a27fff_f"]
)
def test_a_token_that_is_no_cell_is_refused(text):
    with pytest.raises(ValueError, match="is not an H3 cell"):
        cell_of(text)
