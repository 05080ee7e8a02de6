"""Where everybody is: position reports, presence, fences, the feed by cell, and the questions about it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shouwang.contracts.geojson import Region
from shouwang.contracts.shapes import Fact, Live, Reply, Request
from shouwang.contracts.words import Cell, Lat, Lon, Metres, Seconds, Time, Token

Presence = Literal["online", "silent", "offline"]
"""online: fixes arrive; silent: still tracked but no fix for a while; offline: given up until the next fix."""

Kind = Token
"""What sort of unit it is (guard, militia, shop_volunteer ...): the unit's own word until training's facts say it."""


# -- reports ---------------------------------------------------------------------------------------------------------


class Report(Live, address="report.{unit}"):
    """One position of a tracked unit, from its phone."""

    lat: Lat
    lon: Lon
    time: Time | float = Field(description="time of the fix: RFC 3339, or epoch seconds")
    accuracy_m: Metres | None = None
    speed_mps: Annotated[float, Field(ge=0)] | None = None
    heading_deg: Annotated[float, Field(ge=0, le=360)] | None = None
    battery_pct: Annotated[float, Field(ge=0, le=100)] | None = None
    datum: Literal["wgs84", "gcj02", "bd09"] = "wgs84"
    kind: Kind | None = None


# -- the feed --------------------------------------------------------------------------------------------------------


class UnitInCell(BaseModel):
    """A unit as the feed shows it."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)
    unit: Token
    kind: Kind
    lat: Lat
    lon: Lon
    time: float = Field(description="epoch seconds of the fix")
    accuracy_m: Metres | None = None
    battery_pct: float | None = None


class CellFrame(Live, address="location.cell.v1.{r5}.{r7}"):
    """All units of one feed cell that changed since its last frame; a `full` frame names everybody in the cell."""

    cell: Cell
    at: float = Field(description="epoch seconds when the frame was made")
    full: bool = False
    units: list[UnitInCell]
    left: list[Token] = Field(default=[], description="units that are no longer in this cell")


class CellCount(Live, address="location.count.v1.{r5}.{r7}"):
    """How many units are in one feed cell, by kind, without saying who."""

    cell: Cell
    at: float = Field(description="epoch seconds")
    count: Annotated[int, Field(ge=0)]
    by_kind: dict[Kind, int]


# -- questions -------------------------------------------------------------------------------------------------------


class NearUnit(Reply):
    """A unit and how far away it is."""

    unit: Token
    lat: Lat
    lon: Lon
    distance_m: Metres
    age_s: Seconds
    cell: Cell


class NearbyUnits(Reply):
    """Nearest first."""

    units: list[NearUnit]


class Nearby(Request, name="location.nearby.v1", reply=NearbyUnits):
    """The k nearest units to a point."""

    lat: Lat
    lon: Lon
    k: Annotated[int, Field(ge=1, le=1000)]
    max_m: Metres | None = None
    fresh_s: Seconds | None = Field(default=None, description="only fixes not older than this")
    kinds: list[Kind] | None = None


class UnitInRegion(Reply):
    """A unit that is inside the region asked for."""

    unit: Token
    lat: Lat
    lon: Lon
    age_s: Seconds
    cell: Cell


class UnitsInRegion(Reply):
    """Everybody inside the region, ordered by name."""

    count: int
    units: list[UnitInRegion]


class InRegion(Request, name="location.in_region.v1", reply=UnitsInRegion):
    """Who is inside a drawn region (its boundary counts as inside)."""

    region: Region
    fresh_s: Seconds | None = None


class CountInCell(Reply):
    """A cell and how many units are in it."""

    cell: Cell
    count: int


class CountsByCell(Reply):
    """Only cells with somebody in them."""

    total: int
    cells: list[CountInCell]


class Counts(Request, name="location.counts.v1", reply=CountsByCell):
    """How many units there are, by H3 cell of a resolution."""

    resolution: Annotated[int, Field(ge=0, le=9)]
    region: Region | None = None


class UnitNow(Reply):
    """The last known position of one unit, and how old it is."""

    unit: Token
    kind: Kind
    lat: Lat
    lon: Lon
    cell: Cell
    time: Time
    age_s: Seconds
    presence: Presence


class Unit(Request, name="location.unit.v1", reply=UnitNow):
    """Where is this unit, and is it online."""

    unit: Token


class TrackPoint(Reply):
    """One past position."""

    lat: Lat
    lon: Lon
    time: Time


class TrackOfUnit(Reply):
    """Oldest first."""

    points: list[TrackPoint]


class Track(Request, name="location.track.v1", reply=TrackOfUnit):
    """Where a unit has been."""

    unit: Token
    since: Time
    until: Time
    limit: Annotated[int, Field(ge=1, le=100_000)] | None = None


class FencePut(Reply):
    """The fence as kept."""

    fence: Token


class PutFence(Request, name="location.put_fence.v1", reply=FencePut):
    """Watch a region: units that enter or leave it become facts."""

    fence: Token
    name: Annotated[str, Field(min_length=1, max_length=200)]
    region: Region
    dwell_s: Seconds | None = None


class FeedRefreshed(Reply):
    """How many frames were sent."""

    frames: int


class RefreshFeed(Request, name="location.refresh_feed.v1", reply=FeedRefreshed):
    """Send a full frame of every feed cell now, on the feed itself: for a subscriber that has just (re)started."""


# -- facts -----------------------------------------------------------------------------------------------------------


class UnitPresence(BaseModel):
    """What every fact of presence says."""

    unit: Token
    kind: Kind
    at: Time
    fix_at: Time


class UnitOnline(UnitPresence, Fact, name="location.unit.online.v1", keys=("unit",)):
    """A unit's fixes arrive (again)."""


class UnitSilent(UnitPresence, Fact, name="location.unit.silent.v1", keys=("unit",)):
    """No fix for longer than the limit for silence."""


class UnitOffline(UnitPresence, Fact, name="location.unit.offline.v1", keys=("unit",)):
    """No fix for so long that the unit is no longer shown."""


class FenceEntered(Fact, name="location.fence.entered.v1", keys=("fence", "unit")):
    """A unit is inside a fence and stayed for its dwell time."""

    fence: Token
    unit: Token
    at: Time


class FenceLeft(Fact, name="location.fence.left.v1", keys=("fence", "unit")):
    """A unit is no longer inside a fence."""

    fence: Token
    unit: Token
    at: Time
