"""The index keeps its books straight through moves, drops and reuse."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.common.geo import GeoIndex, Position, Region, cell_at, parent

HERE = (31.2304, 121.4737)


def place(units, names, lats, lons, time=0.0):
    lats, lons = np.asarray(lats, dtype=float), np.asarray(lons, dtype=float)
    cells = np.array(
        [cell_at(lat, lon) for lat, lon in zip(lats.tolist(), lons.tolist(), strict=True)], dtype=np.uint64
    )
    return units.place(units.slots_for(names), lats, lons, np.full(len(lats), time), cells)


def assert_consistent(units, expected):
    """`expected` is unit -> (lat, lon, time) of the placed ones."""
    assert len(units) == len(expected)
    for unit, (lat, lon, time) in expected.items():
        assert unit in units
        assert units.position(unit) == Position(unit, lat, lon, time, cell_at(lat, lon))
        assert units.units[units.slots[unit]] == unit
    members = [slot for slots in units.cells.values() for slot in slots]
    assert sorted(members) == sorted(units.slots[unit] for unit in expected)
    assert all(slots and all(units.cell[slot] == cell for slot in slots) for cell, slots in units.cells.items())
    assert np.count_nonzero(units.cell) == len(expected)
    assert len(set(units.slots.values())) == len(units.slots)
    assert sum(unit is not None for unit in units.units) == len(units.slots)
    assert len(units.units) == len(units.lat) == len(units.lon) == len(units.time) == len(units.cell)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32))
def test_invariants_hold_after_random_moves_and_drops(seed):
    rng = np.random.default_rng(seed)
    units, expected = GeoIndex(), {}
    names = [f"u{i}" for i in range(60)]
    for step in range(40):
        chosen = rng.permutation(names)[: rng.integers(0, 20)].tolist()
        if rng.random() < 0.3:
            for name in chosen:
                assert units.drop(name) == (expected.pop(name, None) is not None)
            continue
        if rng.random() < 0.2:
            units.slots_for(chosen)
            continue
        lats, lons = HERE[0] + rng.normal(0, 0.003, len(chosen)), HERE[1] + rng.normal(0, 0.003, len(chosen))
        before = [position and position.cell for position in map(units.position, chosen)]
        changed = place(units, chosen, lats, lons, float(step))
        assert changed.tolist() == [old != units.position(name).cell for old, name in zip(before, chosen, strict=True)]
        expected.update(
            {n: (lat, lon, float(step)) for n, lat, lon in zip(chosen, lats.tolist(), lons.tolist(), strict=True)}
        )
    assert_consistent(units, expected)
    for name in names:
        units.drop(name)
    assert_consistent(units, {})
    assert units.cells == units.slots == {}


def test_slots_grow_and_are_reused():
    units = GeoIndex()
    names = [f"u{i}" for i in range(3_000)]
    place(units, names, np.full(3_000, HERE[0]), np.full(3_000, HERE[1]), 7.0)
    assert units.position("u2999") == Position("u2999", *HERE, 7.0, cell_at(*HERE))
    size = len(units.units)
    for round_ in range(5):
        for name in names:
            units.drop(name)
        names = [f"r{round_}-{i}" for i in range(3_000)]
        place(units, names, np.full(3_000, HERE[0]), np.full(3_000, HERE[1]))
    assert len(units.units) == size
    assert_consistent(units, dict.fromkeys(names, (*HERE, 0.0)))


def test_a_slot_waits_for_its_first_place():
    units = GeoIndex()
    slots = units.slots_for(["a", "b", "a"])
    assert slots.dtype == np.int64
    assert slots[0] == slots[2] != slots[1]
    assert units.time[slots].tolist() == [-math.inf] * 3
    assert units.cell[slots].tolist() == [0, 0, 0]
    assert "a" not in units
    assert len(units) == 0
    assert units.position("a") is units.position("nobody") is None
    assert not units.drop("a")
    assert not units.drop("nobody")
    assert units.slots_for([]).shape == (0,)
    assert place(units, [], [], []).shape == (0,)


def test_a_reused_slot_remembers_nothing():
    units = GeoIndex()
    units.put("a", *HERE, 5.0)
    slot = units.slots["a"]
    assert units.drop("a")
    assert units.slots_for(["b"]).tolist() == [slot]
    assert units.time[slot] == -math.inf
    assert units.cell[slot] == 0
    assert "b" not in units


def test_place_says_who_changed_cell():
    units = GeoIndex()
    far = HERE[0] + 0.1
    assert place(units, ["a", "b"], [HERE[0], HERE[0]], [HERE[1], HERE[1]]).tolist() == [True, True]
    assert place(units, ["b", "a"], [HERE[0] + 1e-9, far], [HERE[1], HERE[1]]).tolist() == [False, True]
    assert units.cells == {cell_at(*HERE): {units.slots["b"]}, cell_at(far, HERE[1]): {units.slots["a"]}}


def test_cell_zero_is_refused_before_anything_changes():
    units = GeoIndex()
    units.put("a", *HERE, 1.0)
    one = np.ones(1)
    with pytest.raises(ValueError, match="cell 0 is no place"):
        units.place(units.slots_for(["a"]), one, one, one, np.zeros(1, dtype=np.uint64))
    assert_consistent(units, {"a": (*HERE, 1.0)})


@pytest.mark.parametrize("res", [0, 5, 7, 9])
def test_counts_by_ancestor(res):
    rng = np.random.default_rng(1)
    lats, lons = HERE[0] + rng.normal(0, 0.05, 500), HERE[1] + rng.normal(0, 0.05, 500)
    units = GeoIndex()
    place(units, [f"u{i}" for i in range(500)], lats, lons)
    box = [[121.45, 31.2], [121.5, 31.2], [121.5, 31.25], [121.45, 31.25], [121.45, 31.2]]
    region = Region.from_geojson({"type": "Polygon", "coordinates": [box]})
    inside = (lats >= 31.2) & (lats <= 31.25) & (lons >= 121.45) & (lons <= 121.5)
    for chosen, counted in [(slice(None), units.counts(res)), (inside, units.counts(res, region))]:
        cells = [parent(cell_at(a, b), res) for a, b in zip(lats[chosen].tolist(), lons[chosen].tolist(), strict=True)]
        assert counted == {cell: cells.count(cell) for cell in set(cells)}
    region.cells()
    assert units.counts(res, region) == counted


@pytest.mark.parametrize("res", [-1, 10])
def test_counts_refuses_other_resolutions(res):
    with pytest.raises(ValueError, match=r"outside 0\.\.9"):
        GeoIndex().counts(res)
