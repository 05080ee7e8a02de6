"""From a wish for hands to offers: look, choose, write, and look again if somebody else was faster."""

import time
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
from shouwang.dispatch.domain.progress import Task, incident_status, missing
from shouwang.dispatch.feed import Feed
from shouwang.dispatch.metrics import Metrics

FIRST_LOOK = 8
"""So many units are looked at first, beside twice those needed; four times as many each time that they do not do."""


@dataclass
class Filled:
    """What became of the wish: offers written, who was left out, how many hands are still missing."""

    offers: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[tuple[str, Reason]] = field(default_factory=list)
    missing: int = 0


class Offers:
    """Finds hands for incidents. The caller holds the incident's row."""

    def __init__(self, feed: Feed, rules: Rules, metrics: Metrics, clock: Clock, *, check_nearest: bool) -> None:
        self._feed, self._rules, self._metrics, self._clock = feed, rules, metrics, clock
        self._check_nearest = check_nearest

    async def fill(self, tx: Transaction, call: store.Call, *, first: bool = False) -> Filled:
        """Offer the incident to as many as it lacks; tell it, and tell a shortfall that was not told before."""
        started = time.monotonic()
        statuses = [] if first else await store.statuses(tx, call.id)
        lacking = missing(call.needed, statuses)
        filled = await self._offer(tx, call, lacking, check=first and self._check_nearest)
        filled.missing = lacking - len(filled.offers)
        status = incident_status([*statuses, *(Task.OFFERED for _ in filled.offers)])
        await store.set_incident(tx, call.id, status=str(status), missing=filled.missing)
        if filled.offers or filled.missing != call.missing or first:
            await self._record(tx, call, filled)
        if filled.missing and (first or filled.missing != call.missing):
            self._metrics.shortfalls.inc()
            tx.tell(
                ShortfallDeclared(
                    incident=call.id, missing=filled.missing, left_out=len(filled.left_out), at=self._clock()
                )
            )
        self._metrics.deciding.observe(time.monotonic() - started)
        return filled

    async def _offer(self, tx: Transaction, call: store.Call, lacking: int, *, check: bool) -> Filled:
        filled = Filled()
        standings: dict[str, Standing] = {}
        look = FIRST_LOOK + 2 * lacking
        while len(filled.offers) < lacking:
            everybody = self._everybody(call) if check else []
            near = self._feed.index.nearest(call.lat, call.lon, look, self._rules.reach_m)
            await self._look_up(tx, call, near, standings)
            needed = lacking - len(filled.offers)
            choice = choose(near, standings, needed, self._clock().timestamp(), self._rules)
            if len(near) == look and not is_settled(choice, near[-1].distance_m, self._rules):
                look *= 4
                continue
            got = await self._write(tx, call, choice, filled)
            if check and got:
                check = self._check(choice, got, everybody, standings)
            filled.left_out = [(unit, reason) for unit, reason in choice.left_out if reason is not Reason.OFFERED]
            if len(got) == len(choice.chosen):
                break
            for candidate in choice.chosen:
                reason = Reason.OFFERED if candidate.unit in got else Reason.TAKEN
                standings[candidate.unit] = replace(standings[candidate.unit], prevented=reason)
        return filled

    async def _look_up(
        self, tx: Transaction, call: store.Call, near: Sequence[Near], standings: dict[str, Standing]
    ) -> None:
        unknown = [n.unit for n in near if n.unit not in standings]
        prevented = await store.standings(tx, call.id, unknown)
        for unit in unknown:
            standings[unit] = Standing(self._feed.kinds.get(unit, ""), prevented.get(unit))

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
        exact = self._rules.travel_s(standings[first.unit].kind, first.distance_m) <= soonest(
            everybody, standings, left_out, self._rules
        )
        self._metrics.first_offers.labels("exact" if exact else "other").inc()
        return False


def _row(call: store.Call, candidate: Near, now: datetime, expires: datetime) -> dict[str, Any]:
    return {
        "id": new_id(), "incident": call.id, "unit": candidate.unit, "status": "offered",
        "distance_m": candidate.distance_m, "reason": str(Reason.NEAREST), "offered_at": now, "expires_at": expires,
    }  # fmt: skip
