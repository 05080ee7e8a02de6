"""Great-circle distance on the mean sphere, all angles in degrees.

The haversine says how far two points are from being the same, its twin how far they are from being antipodes:
`a = sin²(Δφ/2) + cos φ₁ cos φ₂ sin²(Δλ/2)` and `1 - a = sin²((φ₁+φ₂)/2) + cos φ₁ cos φ₂ cos²(Δλ/2)`. Both are sums of
positive terms, so nothing cancels and `atan2(√a, √(1-a))` is exact to nanometres from here to the antipodes.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_M = 6_371_008.8  # mean radius R₁ of GRS 80, adopted by the IUGG (Moritz 2000)

_HALF = math.pi / 360  # half a degree in radians: every angle above is a half


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Metres between two points."""
    a, b, c = lat1 * _HALF, lat2 * _HALF, (lon2 - lon1) * _HALF
    both = math.cos(2 * a) * math.cos(2 * b)
    same = math.sin(b - a) ** 2 + both * math.sin(c) ** 2
    opposite = math.sin(b + a) ** 2 + both * math.cos(c) ** 2
    return 2 * EARTH_RADIUS_M * math.atan2(math.sqrt(same), math.sqrt(opposite))


def distances_m(lat: ArrayLike, lon: ArrayLike, lats: ArrayLike, lons: ArrayLike) -> NDArray[np.float64]:
    """Metres from one point to many, or row by row; `lats`, `lons` and the result have the same shape."""
    a, b, c = np.asarray(lat) * _HALF, np.asarray(lats) * _HALF, (np.asarray(lons) - lon) * _HALF
    both = np.cos(2 * a) * np.cos(2 * b)
    same = np.sin(b - a) ** 2 + both * np.sin(c) ** 2
    opposite = np.sin(b + a) ** 2 + both * np.cos(c) ** 2
    metres: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arctan2(np.sqrt(same), np.sqrt(opposite))
    return metres
