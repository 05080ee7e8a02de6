"""From a wish for hands to offers: look, choose, write, and look again if somebody else was faster."""

import math
import time
from collections import ChainMap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np

from shouwang.common.clock import Clock
from shouwang.common.database import Transaction
from shouwang.common.geo import Near, distances_m
from shouwang.common.ids import new_id
from shouwang.contracts.dispatch import ShortfallDeclared, TaskDelivery, TaskOffered
from shouwang.dispatch import store
from shouwang.dispatch.domain.choosing import Choice, Reason, Rules, Standing, choose, is_settled, soonest
from shouwang.dispatch.domain.progress import Incident, Task, incident_status, missing
from shouwang.dispatch.feed import Follower
from shouwang.dispatch.metrics import Metrics

FIRST_LOOK = 8
"""So many units are looked at first, beside twice those needed; four times as many each time that they do not do."""

MOST_LEFT_OUT = 100
"""So many of those left out are named, the soonest; when everybody is, a list of all would not fit in an answer."""


@dataclass
class Filled:
    """What became of the wish: offers written, who was left out, how many hands are still missing."""

    offers: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    missing: int = 0


@dataclass(frozen=True)
class Looked:
    """Who was looked at, nearest first, and how far; infinitely far when nobody is left within reach."""

    near: list[Near]
    to_m: float


class Offers:
    """Finds hands for incidents. The caller holds the incident's row.

    Args:
        enforced: only members that training says are cleared and on duty are offered anything.
    """

    def __init__(
        self, feed: Follower, rules: Rules, metrics: Metrics, clock: Clock, *, check_nearest: bool, enforced: bool
    ) -> None:
        self._feed, self._rules, self._metrics, self._clock = feed, rules, metrics, clock
        self._check_nearest, self.enforced = check_nearest, enforced

    async def fill(self, tx: Transaction, call: store.Call, *, first: bool = False) -> Filled:
        """Offer the incident to as many as it lacks; tell it, and tell a shortfall that was not told before."""
        started = time.monotonic()
        statuses = [] if first else await store.statuses(tx, call.id)
        lacking = missing(call.needed, statuses)
        filled = await self._offer(tx, call, lacking, check=first and self._check_nearest)
        filled.missing = lacking - len(filled.offers)
        changed = filled.missing != call.missing
        status = incident_status([*statuses, *(Task.OFFERED for _ in filled.offers)])
        await self._note(tx, call, status, filled.missing)
        if first or changed or filled.offers:
            await self._record(tx, call, filled)
        if filled.missing and (first or changed):
            self._metrics.shortfalls.inc()
            left_out, now = len(filled.left_out), self._clock()
            tx.tell(ShortfallDeclared(incident=call.id, missing=filled.missing, left_out=left_out, at=now))
        self._metrics.deciding.observe(time.monotonic() - started)
        return filled

    async def _note(self, tx: Transaction, call: store.Call, status: Incident, lacks: int) -> None:
        if (status, lacks) == (call.status, call.missing) and not lacks:
            return
        now = self._clock()
        wait_s = self._rules.wait_s((now - call.opened_at).total_seconds())
        retry_at = now + timedelta(seconds=wait_s) if lacks else None
        await store.set_incident(tx, call.id, status=str(status), missing=lacks, retry_at=retry_at)

    async def _offer(self, tx: Transaction, call: store.Call, lacking: int, *, check: bool) -> Filled:
        filled = Filled()
        standings: dict[str, Standing] = {}
        look = FIRST_LOOK + 2 * lacking
        while len(filled.offers) < lacking:
            everybody = self._everybody(call) if check else []
            looked = self._look(call, look)
            await self._look_up(tx, call, looked.near, standings)
            needed = lacking - len(filled.offers)
            choice = choose(looked.near, standings, needed, self._clock().timestamp(), self._rules)
            if looked.to_m < math.inf and not is_settled(choice, looked.to_m, self._rules):
                look *= 4
                continue
            got = await self._write(tx, call, choice, filled)
            if check and got:
                check = self._check(choice, got, everybody, standings)
            filled.left_out = [left for left in choice.left_out if left[1] is not Reason.OFFERED][:MOST_LEFT_OUT]
            if len(got) == len(choice.chosen):
                break
            for candidate in choice.chosen:
                reason = Reason.OFFERED if candidate.unit in got else Reason.TAKEN
                standings[candidate.unit] = replace(standings[candidate.unit], prevented=reason)
        return filled

    def _look(self, call: store.Call, wanted: int) -> Looked:
        """The nearest, until so many have a fresh fix; of those without one only as many as will be named."""
        oldest = self._clock().timestamp() - self._rules.fresh_s
        near: list[Near] = []
        fresh = stale = 0
        for candidate in self._feed.index.walk(call.lat, call.lon, self._rules.reach_m):
            is_fresh = candidate.time >= oldest
            fresh, stale = fresh + is_fresh, stale + (not is_fresh)
            if is_fresh or stale <= MOST_LEFT_OUT:
                near.append(candidate)
            if fresh == wanted:
                return Looked(near, candidate.distance_m)
        return Looked(near, math.inf)

    async def _look_up(
        self, tx: Transaction, call: store.Call, near: Sequence[Near], standings: dict[str, Standing]
    ) -> None:
        unknown = {n.unit: n.time for n in near if n.unit not in standings}
        if not unknown:
            return
        now, kinds = self._clock(), self._feed.kinds
        again = now - timedelta(seconds=self._rules.again_s)
        if self.enforced:
            for unit, known in (await store.standings_of_members(tx, call.id, unknown, again, now)).items():
                standings[unit] = replace(known, kind=known.kind or kinds.get(unit, ""))
            return
        prevented = await store.standings(tx, call.id, unknown, again)
        for unit in unknown:
            standings[unit] = Standing(kinds.get(unit, ""), prevented.get(unit))

    async def _write(self, tx: Transaction, call: store.Call, choice: Choice, filled: Filled) -> set[str]:
        now = self._clock()
        expires = now + timedelta(seconds=self._rules.offer_s)
        rows = [_row(call, candidate, now, expires) for candidate in choice.chosen]
        got = await store.offer(tx, rows)
        for row in rows:
            if row["unit"] in got:
                filled.offers.append(row)
                self._tell(tx, call, row)
        self._metrics.offers.inc(len(got))
        return got

    def _tell(self, tx: Transaction, call: store.Call, row: dict[str, Any]) -> None:
        """To the unit itself at once, and as a fact for everybody and for who was away."""
        unit, said = row["unit"], {"task": row["id"], "distance_m": row["distance_m"], "expires_at": row["expires_at"]}
        delivery = TaskDelivery(
            incident=call.id, instruction=call.summary, lat=call.lat, lon=call.lon, offered_at=row["offered_at"], **said
        )
        tx.deliver(unit, TaskDelivery.subject(unit=unit), delivery)
        tx.tell(TaskOffered(unit=unit, incident=call.id, reason=row["reason"], at=row["offered_at"], **said))

    async def _record(self, tx: Transaction, call: store.Call, filled: Filled) -> None:
        chosen = [{"unit": row["unit"], "distance_m": row["distance_m"]} for row in filled.offers]
        left_out = [{"unit": unit, "reason": str(reason)} for unit, reason in filled.left_out]
        row = {
            "id": new_id(), "incident": call.id, "made_at": self._clock(), "chosen": chosen, "left_out": left_out,
            "missing": filled.missing,
        }  # fmt: skip
        await store.record_decision(tx, row)

    def _everybody(self, call: store.Call) -> list[Near]:
        """A copy of all positions at this moment, measured one by one: what the choice is checked against."""
        index = self._feed.index
        slots = np.flatnonzero(index.cell)
        distances = distances_m(call.lat, call.lon, index.lat[slots], index.lon[slots])
        return [
            Near(index.units[slot] or "", 0.0, 0.0, index.time.item(slot), index.cell.item(slot), distance)
            for slot, distance in zip(slots.tolist(), distances.tolist(), strict=True)
            if distance <= self._rules.reach_m
        ]

    def _check(
        self, choice: Choice, got: set[str], everybody: list[Near], standings: dict[str, Standing]
    ) -> Literal[False]:
        """Count whether the first offer went to the truly nearest; False: it need not be checked again."""
        left_out = {unit for unit, _ in choice.left_out} | {c.unit for c in choice.chosen if c.unit not in got}
        first = next(candidate for candidate in choice.chosen if candidate.unit in got)
        oldest = self._clock().timestamp() - self._rules.fresh_s
        fresh = [anybody for anybody in everybody if anybody.time >= oldest]
        took_s = self._rules.travel_s(standings[first.unit].kind, first.distance_m)
        # Whoever was not looked at stands farther away than even the fastest kind comes from: its own word will do.
        kinds = ChainMap({unit: standing.kind for unit, standing in standings.items()}, self._feed.kinds)
        exact = took_s <= soonest(fresh, kinds, left_out, self._rules)
        self._metrics.first_offers.labels("exact" if exact else "other").inc()
        return False


def _row(call: store.Call, candidate: Near, now: datetime, expires: datetime) -> dict[str, Any]:
    return {
        "id": new_id(), "incident": call.id, "unit": candidate.unit, "status": "offered",
        "distance_m": candidate.distance_m, "reason": str(Reason.NEAREST), "offered_at": now, "expires_at": expires,
    }  # fmt: skip
