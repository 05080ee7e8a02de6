"""H3 cells as plain integers, and the three resolutions the suite agrees on (DESIGN §4)."""

import re

import h3.api.basic_int as h3

INDEX_RES = 9  # about 200 m edge: the cells the index is kept by
FEED_RES = 7  # about 1.4 km edge: one feed frame a cell
AREA_RES = 5  # about 9.9 km edge: what somebody may be allowed to see


def cell_at(lat: float, lon: float, res: int = INDEX_RES) -> int:
    """The cell of a resolution (0..15) that holds a point in degrees. Raises ValueError if a number is not finite."""
    cell: int = h3.latlng_to_cell(lat, lon, res)
    return cell


def parent(cell: int, res: int) -> int:
    """The index ancestor of a cell. Raises ValueError if `res` is finer than the cell or out of range."""
    ancestor: int = h3.cell_to_parent(cell, res)
    return ancestor


def token(cell: int) -> str:
    """The cell as H3 writes it: 15 lower-case hex digits, so a valid subject token."""
    text: str = h3.int_to_str(cell)
    return text


def cell_of(token: str) -> int:
    """The cell a token names. Raises ValueError if it is not just what `token` gives for some cell."""
    cell = int(token, 16) if re.fullmatch("[0-9a-f]{15}", token) else 0
    if not h3.is_valid_cell(cell):
        raise ValueError(f"{token!r} is not an H3 cell")
    return cell
