"""Areas on the map: exact point tests and the H3 cells that make most of them needless."""

import math
from collections.abc import Mapping
from functools import cached_property
from itertools import chain, compress
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from .cells import INDEX_RES
from .geojson import RegionError, read_area
from .sphere import EARTH_RADIUS_M

MAX_CELLS = 50_000

# No descendant of a cell, of any resolution, reaches farther from the cell's centre than this many average edges of its
# resolution: children stick out of their parent, but the steps shrink by √7. Measured with h3 4.5: 1.145 at most.
REACH = 1.2

_Floats = NDArray[np.float64]


class Region:
    """A polygon or several, with holes. Edges are straight in longitude and latitude (RFC 7946 §3.1.1)."""

    def __init__(self, geometry: Any) -> None:
        """`geometry` is a valid shapely Polygon or MultiPolygon in degrees, x = longitude; that is not checked here."""
        shapely.prepare(geometry)
        self.geometry = geometry
        self._cells: dict[int, tuple[set[int], set[int]]] = {}

    @classmethod
    def from_geojson(cls, obj: Mapping[str, Any]) -> "Region":
        """A region from a GeoJSON Polygon or MultiPolygon. Raises RegionError, which says what is wrong and where."""
        return cls(read_area(obj))

    def contains(self, lats: _Floats, lons: _Floats) -> NDArray[np.bool_]:
        """Which points (degrees, shape (n,)) lie in the region; its outline belongs to it."""
        west, south, east, north = self.geometry.bounds
        inside: NDArray[np.bool_] = (lats >= south) & (lats <= north) & (lons >= west) & (lons <= east)
        inside[inside] = shapely.intersects_xy(self.geometry, lons[inside], lats[inside])
        return inside

    @property
    def has_cells(self) -> bool:
        """Whether `cells()` has been called, so that the index cells cost nothing any more."""
        return INDEX_RES in self._cells

    @cached_property
    def _outline(self) -> Any:
        outline = shapely.boundary(self.geometry)
        shapely.prepare(outline)
        return outline

    def cells(self, res: int = INDEX_RES) -> tuple[set[int], set[int]]:
        """The cells of a resolution (0..15) the region touches: (inner, border). Made once and kept: not to be changed.

        Every point of an inner cell is in the region; a point of a border cell may be, `contains` says; a point of any
        other cell is not. Raises RegionError if there are more than MAX_CELLS: `contains` and coarser cells still work.
        """
        if res not in self._cells:
            self._cells[res] = self._cover(res)
        return self._cells[res]

    def _cover(self, res: int) -> tuple[set[int], set[int]]:
        # Top down: cells whose descendants all keep clear of the outline are decided by their centre, others are split.
        # (h3's own polygon_to_cells_experimental does not stop at a limit, draws the edges of cells straight on the map
        # and, in 4.5, overlooks a cell whose centre lies in a hole that the cell surrounds.)
        inner: set[int] = set()
        border: list[int] = h3.get_res0_cells()
        for level in range(res + 1):
            if level:
                border = list(chain.from_iterable(map(h3.cell_to_children, border)))
            centres = np.array([h3.cell_to_latlng(cell) for cell in border])
            near = self._near_outline(centres, level)
            clear = list(compress(border, (~near).tolist()))
            whole = list(compress(clear, self.contains(*centres[~near].T).tolist()))
            border = list(compress(border, near.tolist()))
            if len(inner) + len(whole) * 7 ** (res - level) + len(border) > MAX_CELLS:
                raise RegionError("coordinates", f"more than {MAX_CELLS} cells of resolution {res}")
            inner.update(chain.from_iterable(h3.cell_to_children(cell, res) for cell in whole))
        crossed, covered = self._crossing(border, res)
        return inner | covered, crossed

    def _near_outline(self, centres: _Floats, level: int) -> NDArray[np.bool_]:
        # A path of `reach` degrees stays below latitude `top`, where a degree of longitude is cos(top) times as long as
        # one of latitude: that bounds how far it leads on the flat map. Round a pole it may lead anywhere.
        lats, lons = centres.T
        reach = math.degrees(REACH * _edge_rad(level))
        top = np.abs(lats) + reach
        radius = np.where(top < 89, reach / np.cos(np.radians(np.minimum(top, 89))), 360)
        _, south, _, north = self.geometry.bounds
        near = np.zeros(len(lats), dtype=np.bool_)
        for shift in (-360, 0, 360):  # the map ends at the antimeridian, cells do not
            meets = (lats + reach >= south) & (lats - reach <= north) & (np.abs(lons + shift) <= 180 + radius)
            points = shapely.points(lons[meets] + shift, lats[meets])
            near[meets] |= shapely.dwithin(self._outline, points, radius[meets])
        return near

    def _crossing(self, cells: list[int], res: int) -> tuple[set[int], set[int]]:
        # Cells that the outline may cross, and of the others those inside. Drawn straight on the map a cell's edges are
        # off by edge² tan φ / 8R, for great circles bow out, so cells are drawn larger by more than that. Where that is
        # not little, or the map ends, a cell counts as crossed.
        shapes = [h3.cell_to_boundary(cell) for cell in cells]
        owner = np.repeat(np.arange(len(cells)), [len(shape) for shape in shapes])
        centres = np.array([h3.cell_to_latlng(cell) for cell in cells])
        offsets = np.array(list(chain.from_iterable(shapes))) - centres[owner]
        offsets[:, 1] = (offsets[:, 1] + 180) % 360 - 180
        bow = _edge_rad(res) * np.tan(np.radians(np.abs(centres[:, 0])))
        corners = centres[owner] + offsets * (1 + 1e-6 + bow)[owner, np.newaxis]
        drawn = shapely.polygons(shapely.linearrings(corners[:, ::-1], indices=owner))
        crossed = shapely.intersects(self._outline, drawn) | (bow > 0.1)
        crossed[owner[np.abs(corners[:, 1]) > 180]] = True
        covered = ~crossed & self.contains(*centres.T)
        return set(compress(cells, crossed.tolist())), set(compress(cells, covered.tolist()))


def _edge_rad(res: int) -> float:
    edge: float = h3.average_hexagon_edge_length(res, "m") / EARTH_RADIUS_M
    return edge
