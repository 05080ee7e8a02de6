"""Regions: who is inside, which cells they need, and what is said about bad ones."""

import math

import h3.api.basic_int as h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.common.geo import MAX_CELLS, GeoIndex, Region, RegionError, cell_at, distance_m, parent, region

HERE = (31.2304, 121.4737)
SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]
HOLE = [[0.2, 0.2], [0.2, 0.4], [0.4, 0.4], [0.2, 0.2]]
WORLD = shapely.box(-180, -90, 180, 90)


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def multi(*polygons):
    return {"type": "MultiPolygon", "coordinates": list(polygons)}


def star(rng, lat, lon, degrees, corners=7):
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    radii = degrees * rng.uniform(0.4, 1, corners)
    x = lon + radii * np.cos(angles) / math.cos(math.radians(min(abs(lat), 88)))
    return shapely.Polygon(np.column_stack([x, lat + radii * np.sin(angles)]))


def random_area(rng, lat, lon, degrees):
    """A star, often with holes and islands, some far smaller than a cell."""
    area = star(rng, lat, lon, degrees)
    for _ in range(rng.integers(0, 4)):
        area = area.difference(star(rng, *(rng.normal([lat, lon], degrees / 2)), degrees * 10 ** rng.uniform(-2, -0.3)))
    for _ in range(rng.integers(0, 3)):
        area = area.union(star(rng, *(rng.normal([lat, lon], degrees)), degrees * 10 ** rng.uniform(-2, -0.3)))
    return area.intersection(WORLD)


def probes(rng, area, n):
    """Points in and around an area, many of them on its outline or just beside: lats, lons."""
    west, south, east, north = area.bounds
    wide, high = (east - west) / 5, (north - south) / 5
    corners = shapely.get_coordinates(area)
    on_line = shapely.get_coordinates(shapely.line_interpolate_point(area.boundary, rng.random(n), normalized=True))
    beside = corners[rng.integers(len(corners), size=n)] + rng.normal(size=(n, 2)) * rng.choice(
        [1e-9, wide / 50], (n, 1)
    )
    spread = np.column_stack([rng.uniform(west - wide, east + wide, n), rng.uniform(south - high, north + high, n)])
    points = np.concatenate([on_line, beside, spread])
    points = points[(np.abs(points[:, 0]) <= 180) & (np.abs(points[:, 1]) <= 90)]
    return points[:, 1], points[:, 0]


def assert_cells_are_safe(area, res, lats, lons):
    inner, border = area.cells(res)
    assert not inner & border
    inside = area.contains(lats, lons).tolist()
    for lat, lon, is_inside in zip(lats.tolist(), lons.tolist(), inside, strict=True):
        cell = cell_at(lat, lon, res)
        assert is_inside or cell not in inner
        assert not is_inside or cell in inner or cell in border


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from([0.0005, 0.005, 0.03]))
def test_inside_is_the_plain_test_of_every_unit(seed, degrees):
    rng = np.random.default_rng(seed)
    area = random_area(rng, *HERE, degrees)
    lats, lons = probes(rng, area, 60)
    units = GeoIndex()
    for i, (lat, lon) in enumerate(zip(lats.tolist(), lons.tolist(), strict=True)):
        units.put(f"u{i}", lat, lon, 0.0)
    asked = Region.from_geojson(shapely.geometry.mapping(area))
    expected = {f"u{i}" for i in range(len(lats)) if shapely.intersects(area, shapely.Point(lons[i], lats[i]))}
    assert {position.unit for position in units.inside(asked)} == expected
    assert not asked.has_cells
    asked.cells()
    assert asked.has_cells
    found = units.inside(asked)
    assert {position.unit for position in found} == expected
    assert len(found) == len(expected) == sum(units.counts(7, asked).values())


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32),
    st.sampled_from([HERE, (-16.8, 179.99), (-16.8, -179.99), (64.1, -21.9), (84.9, 10), (-89.99, 0), (39.1, 122.3)]),
    st.sampled_from([0, 1, 3, 5, 7, 9]),
)
def test_cells_are_safe_everywhere(seed, place, res):
    rng = np.random.default_rng(seed)
    degrees = min(20, h3.average_hexagon_edge_length(res, "km") / 111 * 10 ** rng.uniform(-0.5, 0.7))
    area = random_area(rng, *place, degrees)
    assert_cells_are_safe(Region(area), res, *probes(rng, area, 60))


@pytest.mark.parametrize("pentagon", h3.get_pentagons(9)[::3])
@pytest.mark.parametrize("size", [0.1, 0.4, 0.8])
def test_a_hole_within_one_cell_does_not_lose_the_cell(pentagon, size):
    lat, lon = h3.cell_to_latlng(pentagon)
    rng = np.random.default_rng(8)
    area = shapely.difference(star(rng, lat, lon, 0.02), star(rng, lat, lon, 0.0018 * size))
    assert pentagon in Region(area).cells()[1]
    assert_cells_are_safe(Region(area), 9, *probes(rng, area, 200))


def test_cells_of_a_city_are_mostly_inner_and_border_ones_touch_the_outline():
    rng = np.random.default_rng(9)
    area = star(rng, *HERE, 0.1, corners=40)
    inner, border = Region(area).cells()
    assert len(inner) > 3 * len(border) / 2
    for cell in border:
        outline = shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)])
        assert outline.distance(area.boundary) < 1e-7
    assert len(Region(area).cells(5)[0] | Region(area).cells(5)[1]) <= 20


def test_cells_across_the_antimeridian():
    west = [[179, -17], [180, -17], [180, -16], [179, -16], [179, -17]]
    east = [[-180, -17], [-179, -17], [-179, -16], [-180, -16], [-180, -17]]
    fiji = Region.from_geojson(multi([west], [east]))
    inner, border = fiji.cells(7)
    for lon in (179.5, -179.5):
        assert cell_at(-16.5, lon, 7) in inner
    assert cell_at(-16.5, 180, 7) in border
    assert cell_at(-16.5, 0, 7) not in inner | border
    assert fiji.contains(np.full(4, -16.5), np.array([180, -180, 179.2, 178.9])).tolist() == [True, True, True, False]


def test_the_outline_belongs_to_the_region_and_so_does_that_of_a_hole():
    area = Region.from_geojson(polygon(SQUARE, HOLE))
    lats, lons = np.array([0, 0.5, 1, 0.3, 0.3, 0.3]), np.array([0, 1, 1, 0.2, 0.25, 0.9])
    assert area.contains(lats, lons).tolist() == [True, True, True, True, False, True]
    assert area.contains(np.empty(0), np.empty(0)).shape == (0,)


def test_winding_and_altitude_do_not_matter():
    turned = [[*position, 12.5] for position in reversed(SQUARE)]
    assert Region.from_geojson(polygon(turned)).geometry.equals(shapely.box(0, 0, 1, 1))


def test_cells_are_made_once_and_too_many_are_refused():
    area = Region.from_geojson(polygon(SQUARE))
    assert area.cells(7) is area.cells(7)
    with pytest.raises(RegionError, match=rf"coordinates: more than {MAX_CELLS} cells of resolution 9"):
        area.cells()
    assert not area.has_cells
    units = GeoIndex()
    units.put("in", 0.5, 0.5, 0.0)
    units.put("out", 0.5, 1.5, 0.0)
    assert [position.unit for position in units.inside(area)] == ["in"]
    assert units.counts(0, area) == {cell_at(0.5, 0.5, 0): 1}


def test_no_descendant_is_out_of_reach():
    rng = np.random.default_rng(10)
    z, lon = rng.uniform(-1, 1, 3_000), rng.uniform(-180, 180, 3_000)
    points = list(zip(np.degrees(np.arcsin(z)).tolist(), lon.tolist(), strict=True))
    for pentagon in h3.get_pentagons(9):
        points += [h3.cell_to_latlng(cell) for cell in h3.grid_disk(pentagon, 5)]
    for res in range(10):
        edge_m = h3.average_hexagon_edge_length(res, "m")
        centres = [h3.cell_to_latlng(parent(cell_at(*point, 12), res)) for point in points]
        farthest = max(distance_m(*point, *centre) for point, centre in zip(points, centres, strict=True))
        assert farthest < 0.98 * region.REACH * edge_m


@pytest.mark.parametrize(
    ("obj", "path", "message"),
    [
        ([], "region", "is not a GeoJSON object"),
        ({}, "type", "None is neither Polygon nor MultiPolygon"),
        ({"type": "Point", "coordinates": [0, 0]}, "type", "'Point' is neither Polygon nor MultiPolygon"),
        ({"type": "Polygon"}, "coordinates", "is not a list of rings"),
        (polygon(), "coordinates", "is not a list of rings"),
        (multi(), "coordinates", "is not a list of polygons"),
        (multi([SQUARE], "no"), "coordinates[1]", "is not a list of rings"),
        (polygon(SQUARE, 5), "coordinates[1]", "is not a list of positions"),
        (polygon(SQUARE[:-1]), "coordinates[0]", "ring is not closed"),
        (polygon([[0, 0], [1, 1], [0, 0]]), "coordinates[0]", "ring has 3 positions, fewer than 4"),
        (polygon([*SQUARE[:3], [0, 91], [0, 0]]), "coordinates[0][3]", "latitude 91 is outside -90..90"),
        (polygon([[-181.5, 0], *SQUARE[1:]]), "coordinates[0][0]", "longitude -181.5 is outside -180..180"),
        (polygon([[0, math.nan], *SQUARE[1:]]), "coordinates[0][0]", "latitude nan is outside -90..90"),
        (polygon([[10**400, 0], *SQUARE[1:]]), "coordinates[0][0]", f"longitude {10**400} is outside -180..180"),
        (polygon([*SQUARE[:2], ["1", 1]]), "coordinates[0][2]", "longitude is not a number"),
        (polygon([*SQUARE[:2], [1, True]]), "coordinates[0][2]", "latitude is not a number"),
        (polygon([*SQUARE[:2], [1]]), "coordinates[0][2]", "position is not [longitude, latitude]"),
        (polygon([*SQUARE[:2], None]), "coordinates[0][2]", "position is not [longitude, latitude]"),
        (polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]), "coordinates", "Self-intersection[0.5 0.5]"),
        (polygon([[0, 0], [1, 1], [2, 2], [0, 0]]), "coordinates", "Self-intersection[1 1]"),
        (polygon(HOLE, SQUARE), "coordinates", "Hole lies outside shell[0 0]"),
        (multi([SQUARE], [[[5, 5], [6, 6], [6, 5], [5, 6], [5, 5]]]), "coordinates[1]", "Self-intersection[5.5 5.5]"),
        (multi([SQUARE], [HOLE]), "coordinates", "Nested shells[0.2 0.2]"),
        (
            polygon([[-170, 0], [170, 0], [170, 1], [-170, 1], [-170, 0]]),
            "coordinates[0]",
            "ring spans more than 180 degrees of longitude; "
            "split it at the antimeridian into a MultiPolygon (RFC 7946 section 3.1.9)",
        ),
        (polygon([[0, 0]] * 10_001), "coordinates[0]", "the region has more than 10000 positions"),
        (multi(*[[SQUARE]] * 2_001), "coordinates[2000][0]", "the region has more than 10000 positions"),
    ],
)
def test_a_bad_region_says_what_is_wrong_and_where(obj, path, message):
    with pytest.raises(RegionError) as caught:
        Region.from_geojson(obj)
    assert caught.value.path == path
    assert str(caught.value) == f"{path}: {message}"
