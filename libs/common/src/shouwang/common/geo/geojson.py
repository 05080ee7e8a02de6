"""GeoJSON areas from outside, checked so that every refusal says what is wrong and where (RFC 7946)."""

from collections.abc import Mapping, Sequence
from typing import Any

import shapely

MAX_POSITIONS = 10_000


class RegionError(ValueError):
    """A region that cannot be used. `path` is the place in the GeoJSON; the message is the place and what is wrong."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


def read_area(obj: object) -> Any:
    """The valid shapely Polygon or MultiPolygon of a GeoJSON geometry of that type. Raises RegionError."""
    if not isinstance(obj, Mapping):
        raise RegionError("region", "is not a GeoJSON object")
    kind, coordinates = obj.get("type"), obj.get("coordinates")
    if kind == "Polygon":
        return _read_polygon(coordinates, "coordinates", MAX_POSITIONS)
    if kind != "MultiPolygon":
        raise RegionError("type", f"{kind!r} is neither Polygon nor MultiPolygon")
    polygons: list[Any] = []
    room = MAX_POSITIONS
    for i, part in enumerate(_items(coordinates, "coordinates", "polygons")):
        polygons.append(_read_polygon(part, f"coordinates[{i}]", room))
        room -= shapely.get_num_coordinates(polygons[-1])
    return _valid(shapely.MultiPolygon(polygons), "coordinates")


def _read_polygon(value: object, path: str, room: int) -> Any:
    rings = []
    for i, ring in enumerate(_items(value, path, "rings")):
        positions = _items(ring, f"{path}[{i}]", "positions")
        room -= len(positions)
        if room < 0:
            raise RegionError(f"{path}[{i}]", f"the region has more than {MAX_POSITIONS} positions")
        rings.append(_read_ring(positions, f"{path}[{i}]"))
    return _valid(shapely.Polygon(rings[0], rings[1:]), path)


def _read_ring(positions: Sequence[Any], path: str) -> list[tuple[float, float]]:
    ring = [_read_position(position, f"{path}[{i}]") for i, position in enumerate(positions)]
    if len(ring) < 4:
        raise RegionError(path, f"ring has {len(ring)} positions, fewer than 4")
    if ring[0] != ring[-1]:
        raise RegionError(path, "ring is not closed")
    if max(ring)[0] - min(ring)[0] > 180:
        hint = "split it at the antimeridian into a MultiPolygon (RFC 7946 section 3.1.9)"
        raise RegionError(path, f"ring spans more than 180 degrees of longitude; {hint}")
    return ring


def _read_position(value: object, path: str) -> tuple[float, float]:
    if not isinstance(value, list | tuple) or len(value) < 2:
        raise RegionError(path, "position is not [longitude, latitude]")
    for name, number, limit in (("longitude", value[0], 180), ("latitude", value[1], 90)):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise RegionError(path, f"{name} is not a number")
        if not -limit <= number <= limit:
            raise RegionError(path, f"{name} {number} is outside -{limit}..{limit}")
    return float(value[0]), float(value[1])


def _items(value: object, path: str, what: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple) or not value:
        raise RegionError(path, f"is not a list of {what}")
    return value


def _valid(geometry: Any, path: str) -> Any:
    if not shapely.is_valid(geometry):
        raise RegionError(path, shapely.is_valid_reason(geometry))
    return geometry
