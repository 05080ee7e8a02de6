"""Questions about where units are, answered from memory."""

import time
from collections.abc import Callable
from typing import Annotated

from faststream.nats import NatsRouter

from shouwang.common.clock import from_epoch
from shouwang.common.database import Database
from shouwang.common.doors import Given, questions
from shouwang.common.geo import Near, Position, Region, RegionError, cell_at, token
from shouwang.common.problems import Problem
from shouwang.contracts import geojson
from shouwang.contracts.location import (
    CountInCell,
    Counts,
    CountsByCell,
    InRegion,
    Nearby,
    NearbyUnits,
    NearUnit,
    Presence,
    Unit,
    UnitInRegion,
    UnitNow,
    UnitsInRegion,
)
from shouwang.location import SERVICE, store
from shouwang.location.domain import presence as domain
from shouwang.location.domain.presence import Patience, presence
from shouwang.location.domain.whereabouts import Whereabouts
from shouwang.location.duty import OnWatch

router: NatsRouter = questions()
MOST_UNITS = 8000
"""Units in one answer: about 120 bytes each, and a message holds 1 MiB."""

_PRESENCE: dict[domain.Presence, Presence] = {
    domain.Presence.ONLINE: "online",
    domain.Presence.SILENT: "silent",
    domain.Presence.OFFLINE: "offline",
}
Where = Annotated[Whereabouts, Given("whereabouts")]


@router.subscriber(Nearby.subject("{principal}"), SERVICE)
async def nearby(ask: Nearby, where: Where) -> NearbyUnits:
    """The k nearest units to a point."""
    now = time.time()
    wanted = _wanted(where, now, ask.fresh_s, ask.kinds)
    found = where.index.nearest(ask.lat, ask.lon, ask.k, float("inf") if ask.max_m is None else ask.max_m, wanted)
    return NearbyUnits(
        units=[
            NearUnit(unit=n.unit, lat=n.lat, lon=n.lon, distance_m=n.distance_m, age_s=_age(n, now), cell=token(n.cell))
            for n in found
        ]
    )


@router.subscriber(InRegion.subject("{principal}"), SERVICE)
async def in_region(ask: InRegion, where: Where) -> UnitsInRegion:
    """Who is inside a drawn region."""
    now = time.time()
    inside = sorted(where.index.inside(_region(ask.region)))
    if len(inside) > MOST_UNITS:
        raise Problem.of_field(
            "region", f"{len(inside):,} units are inside, too many for an answer; draw it smaller", 413
        )
    units = [
        UnitInRegion(unit=p.unit, lat=p.lat, lon=p.lon, age_s=_age(p, now), cell=token(p.cell))
        for p in inside
        if ask.fresh_s is None or _age(p, now) <= ask.fresh_s
    ]
    return UnitsInRegion(count=len(units), units=units)


@router.subscriber(Counts.subject("{principal}"), SERVICE)
async def counts(ask: Counts, where: Where) -> CountsByCell:
    """How many units there are, by cell."""
    cells = where.index.counts(ask.resolution, _region(ask.region) if ask.region else None)
    return CountsByCell(
        total=sum(cells.values()),
        cells=[CountInCell(cell=token(cell), count=count) for cell, count in sorted(cells.items())],
    )


@router.subscriber(Unit.subject("{principal}"), SERVICE, max_workers=4)
async def unit(
    ask: Unit,
    where: Where,
    watch: OnWatch,
    patience: Annotated[Patience, Given()],
    database: Annotated[Database, Given()],
) -> UnitNow:
    """The last known position of one unit; who is offline is looked up in the database."""
    slot = where.index.slots.get(ask.unit)
    if slot is not None:
        known = where.known(slot)
    else:
        async with database.reading() as view:
            kept = await store.unit(view, ask.unit)
        if kept is None or not watch.may_show(ask.unit, kept.time):
            raise Problem.of_field("unit", f"{ask.unit} is not known", 404)
        known = kept
    age_s = max(0.0, time.time() - known.time)
    return UnitNow(
        unit=known.unit, kind=known.kind, lat=known.lat, lon=known.lon, cell=token(cell_at(known.lat, known.lon)),
        time=from_epoch(known.time), age_s=age_s, presence=_PRESENCE[presence(age_s, patience)],
    )  # fmt: skip


def _region(shape: geojson.Region) -> Region:
    """A region from its contract; the geo index says what is wrong with one."""
    try:
        return Region.from_geojson(shape.model_dump())
    except RegionError as error:
        raise Problem.of_field(f"region.{error.path}", str(error)) from None


def _wanted(
    where: Whereabouts, now: float, fresh_s: float | None, kinds: list[str] | None
) -> Callable[[Near], bool] | None:
    if fresh_s is None and kinds is None:
        return None
    oldest = now - fresh_s if fresh_s is not None else float("-inf")
    return lambda near: near.time >= oldest and (kinds is None or where.kind_of(near.unit) in kinds)


def _age(position: Near | Position, now: float) -> float:
    """Seconds since the fix; a phone's clock that runs ahead counts as now."""
    return max(0.0, now - position.time)
