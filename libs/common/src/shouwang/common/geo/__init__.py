"""One in-memory index of where tracked units are: exact nearest walk, region query, counts by cell."""

from .cells import AREA_RES, FEED_RES, INDEX_RES, cell_at, cell_of, parent, token
from .geojson import MAX_POSITIONS, RegionError
from .index import GeoIndex, Near, Position
from .region import MAX_CELLS, Region
from .sphere import EARTH_RADIUS_M, distance_m, distances_m

__all__ = [
    "AREA_RES",
    "EARTH_RADIUS_M",
    "FEED_RES",
    "INDEX_RES",
    "MAX_CELLS",
    "MAX_POSITIONS",
    "GeoIndex",
    "Near",
    "Position",
    "Region",
    "RegionError",
    "cell_at",
    "cell_of",
    "distance_m",
    "distances_m",
    "parent",
    "token",
]
