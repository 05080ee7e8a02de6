"""Fills rosters that wait for it, one at a time, beside the service's other work.

A roster is taken with a short transaction, solved outside of any, and written with another that looks at every rule
again: whoever was given a shift elsewhere meanwhile is left out, and the place explained. A planner that dies leaves
its roster taken; after a while it is taken anew.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from nats.aio.client import Client
from sqlalchemy import Row

from shouwang.common.clock import Clock
from shouwang.common.database import Database, Reading, Transaction
from shouwang.common.telemetry import log
from shouwang.contracts.training.rosters import RosterPlanned
from shouwang.training.domain.days import day_of, month_of
from shouwang.training.domain.people import Person
from shouwang.training.domain.planning import Candidate, Commitment, Plan, plan
from shouwang.training.domain.rest import held_by
from shouwang.training.domain.shifts import Shift
from shouwang.training.metrics import Metrics
from shouwang.training.places import HOLDS, forbids, place_row
from shouwang.training.settings import Settings
from shouwang.training.store import people, rosters

LOOK_S = 0.5
GIVEN_UP = timedelta(minutes=3)
"""Longer than any planning may take (`PlanRoster.limit_s`): who took a roster so long ago has died."""


class Planner:
    """Runs for as long as the service runs; several replicas may, since each takes other rosters."""

    def __init__(self, database: Database, clock: Clock, settings: Settings, metrics: Metrics) -> None:
        self._database, self._clock, self._settings, self._metrics = database, clock, settings, metrics

    async def run(self, _: Client) -> None:
        """Take one roster after the other."""
        while True:
            now = self._clock()
            roster = await self._database.run(lambda tx, now=now: rosters.take_planning(tx, now, now - GIVEN_UP))  # type: ignore[misc]
            if roster is None:
                await asyncio.sleep(LOOK_S)
                continue
            try:
                await self._plan(roster)
            except Exception as error:  # noqa: BLE001 - one roster that cannot be planned must not hold up the others
                log.error("a roster could not be planned", roster=roster.id, exc_info=error)
                await self._database.run(lambda tx, roster=roster: self._give_up(tx, roster))  # type: ignore[misc]

    async def _plan(self, roster: Row[Any]) -> None:
        async with self._database.reading() as view:
            shifts, candidates, commitments, kept = await self._gather(view, roster)
        began = asyncio.get_running_loop().time()
        # CP-SAT works in threads of its own and lets Python go on meanwhile.
        found = await asyncio.to_thread(
            plan, shifts, candidates, commitments, self._settings.rest_rules(), kept=kept, limit_s=roster.limit_s
        )
        took_s = asyncio.get_running_loop().time() - began
        self._metrics.planning.observe(took_s)
        await self._database.run(lambda tx: self._write(tx, roster, found, took_s))

    async def _gather(
        self, view: Reading, roster: Row[Any]
    ) -> tuple[list[Shift], list[Candidate], list[Commitment], dict[str, list[str]]]:
        """The roster's shifts, everybody who may be asked, what units have promised, and who stands already."""
        rows = await rosters.shifts_of(view, roster.id)
        named = await rosters.standing(view, [row.id for row in rows])
        held = await rosters.held(view, None, roster.since, roster.until)
        served = await rosters.served_minutes(view, day_of(self._clock()) - timedelta(days=self._settings.fair_days))
        declined: dict[str, set[str]] = {}
        for shift, places in named.items():
            for place in (p for p in places if p.status == "declined"):
                declined.setdefault(place.member, set()).add(shift)
        candidates = [
            Candidate(
                person=person,
                held=tuple(held.get(token, ())),
                served_min=served.get(token, 0),
                declined=frozenset(declined.get(token, ())),
            )
            for token, person in (await people.persons(view, None, roster.since)).items()
            if not person.is_officer and (not roster.organisations or person.organisation in roster.organisations)
        ]
        kept = {shift: [p.member for p in places if p.status in HOLDS] for shift, places in named.items()}
        return [rosters.as_shift(row) for row in rows], candidates, await self._promised(view, roster), kept

    async def _promised(self, view: Reading, roster: Row[Any]) -> list[Commitment]:
        """What units have promised for the months that the roster touches, less what other rosters have of it."""
        owed: Counter[str] = Counter()
        first, last = month_of(roster.since)
        while first <= roster.until:
            for row in await rosters.commitment_list(view, first, last, besides=roster.id):
                owed[row.organisation] += max(0, row.shifts_a_month - row.standing)
            first, last = month_of(last + timedelta(days=1))
        return [Commitment(organisation, shifts) for organisation, shifts in owed.items()]

    async def _write(self, tx: Transaction, roster: Row[Any], found: Plan, took_s: float) -> None:
        now = self._clock()
        current = await rosters.lock_roster(tx, roster.id)
        if current is None or current.planning_since != roster.planning_since:
            return  # it was taken by somebody else since
        shifts = await rosters.lock_shifts(tx, [shift for shift, _ in found.chosen])
        members = await people.lock_members(tx, {member for _, member in found.chosen})
        persons = await people.persons(tx, list(members), roster.since)
        held = await rosters.held(tx, list(members), roster.since, roster.until)
        named = await rosters.standing(tx, shifts)
        room = {token: row.maximum - sum(p.status in HOLDS for p in named[token]) for token, row in shifts.items()}
        rows = self._still_possible(found.chosen, shifts, members, persons, held, room, now)
        written = await rosters.place(tx, rows)
        unfilled = [
            {"shift": u.shift, "missing": u.missing, "why": {str(r): n for r, n in u.why.items()}}
            for u in found.unfilled
        ]
        await rosters.explain(tx, roster.id, unfilled)
        await rosters.set_roster(tx, roster.id, status="planned", planning_since=None)
        self._tell(tx, roster, found, len(written), took_s, now)

    def _still_possible(
        self,
        chosen: Sequence[tuple[str, str]],
        shifts: Mapping[str, Row[Any]],
        members: Mapping[str, Row[Any]],
        persons: Mapping[str, Person],
        held: dict[str, list[Any]],
        room: dict[str, int],
        now: datetime,
    ) -> list[dict[str, Any]]:
        """The places that every rule still allows, now that nobody else can change anything."""
        rows = []
        for shift_id, member in chosen:
            shift, mine = shifts.get(shift_id), held.setdefault(member, [])
            if shift is None or member not in persons or room[shift_id] < 1:
                continue
            if not forbids(persons[member], shift, mine, self._settings.rest_rules()):
                rows.append(place_row(shift, members[member].no, persons[member], "proposed", now))
                room[shift_id] -= 1
                mine.append(held_by(rosters.as_shift(shift)))
        return rows

    def _tell(self, tx: Transaction, roster: Row[Any], found: Plan, filled: int, took_s: float, now: datetime) -> None:
        figures = found.figures
        self._metrics.unfilled.inc(figures.missing)
        tx.tell(
            RosterPlanned(
                roster=roster.id,
                places=figures.places,
                filled=filled,
                unfilled=figures.missing,
                quality=str(figures.status),
                took_s=round(took_s, 3),
                at=now,
            )
        )

    async def _give_up(self, tx: Transaction, roster: Row[Any]) -> None:
        await rosters.set_roster(tx, roster.id, status="draft", planning_since=None)
        nothing = {"shifts": 0, "places": 0, "filled": 0, "unfilled": 0, "took_s": 0.0}
        tx.tell(
            RosterPlanned.model_validate({"roster": roster.id, "quality": "failed", "at": self._clock(), **nothing})
        )
