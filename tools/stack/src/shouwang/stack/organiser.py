"""The training organiser of the demo: brings the programme's people in and makes tonight's roster, all by requests.

Nothing is written past the suite's doors: what the demo shows, an office can do.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

from nats.aio.client import Client

from shouwang.stack import programme
from shouwang.stack.drive.walkers import Point
from shouwang.stack.drive.wire import Asker
from shouwang.stack.tangxia import OnShift

ORGANISER = "organiser"
AT_ONCE = 12
"""Members who answer at the same time, as phones do."""
LOCAL = timezone(timedelta(hours=8))
PLANNED_WITHIN_S = 60.0
NIGHT = timedelta(hours=9)
"""The night is played in minutes, but its shifts are held in real time: from now on, as long as 19:00-04:00."""

Say = Callable[[str], None]


class OrganiserError(RuntimeError):
    """The suite refused what the demo needs; its words say what."""


@dataclass(frozen=True)
class Group:
    """Who watches together tonight: where they come from, how many for each area, and as what."""

    name: str
    organisations: tuple[str, ...]
    places: dict[str, int]
    shift: str
    pay: str = "unpaid"
    window: tuple[int, int] = (19, 4)
    """played hours of the night"""


GROUPS = (
    Group("共享保安", ("guard-entity-01",), {"陈宅": 24, "赵宅": 23, "韩田": 23}, "shared_post", "allowance"),
    Group("学校保安", (programme.SCHOOLS,), {"陈宅": 21, "赵宅": 21, "韩田": 20}, "night_patrol"),
    Group("民兵", (programme.MILITIA,), {"村口设卡": 10}, "checkpoint"),
    Group("店铺联动", tuple(programme.units()[:12]), {"商业街": 3}, "night_patrol", window=(22, 2)),
)
"""One course of shared guards is 70, a batch of school guards 62, the linkage scheme about 3 a night (DOMAIN §12)."""


@dataclass
class Tonight:
    """What the organiser has made."""

    people: int = 0
    organisations: int = 0
    import_s: float = 0.0
    places: int = 0
    declined: int = 0
    on_shift: list[OnShift] = field(default_factory=list)


class Organiser:
    """Asks the suite as an office does."""

    def __init__(self, broker: Client, say: Say) -> None:
        self._broker, self._asker, self._say = broker, Asker(broker, timeout_s=60.0), say
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._kinds = {person.member: person.kind for person in programme.people()}
        officers = [member for member, kind in self._kinds.items() if kind in programme.OFFICERS]
        self._officers = itertools.cycle(officers)
        self._leads: dict[str, str] = {}

    async def prepare(self, centre: Point, radius_m: float, seed: int) -> Tonight:
        """Everything up to the moment at which members go on duty.

        Raises: OrganiserError when the suite refuses something.
        """
        tonight, today = Tonight(), datetime.now(LOCAL).date()
        began = asyncio.get_running_loop().time()
        organisations = programme.organisations_csv(centre, radius_m, seed)
        tonight.organisations = await self._import("organisations", organisations)
        tonight.people = await self._import("members", programme.people_csv(today - timedelta(days=30)))
        tonight.import_s = round(asyncio.get_running_loop().time() - began, 1)
        self._say(
            f"{tonight.people:,} people of {tonight.organisations} organisations imported in {tonight.import_s} s"
        )
        await self._records(today)
        await self._papers(today)
        for group in GROUPS:
            await self._roster(group, today, tonight)
        tonight.on_shift += [OnShift(lead, self._kinds[lead], shift) for lead, shift in self._leads.items()]
        self._say(f"tonight's roster: {tonight.places} places, {len(tonight.on_shift)} on shift with their officers")
        return tonight

    async def _import(self, holds: str, content: bytes) -> int:
        store = await self._broker.jetstream().object_store("imports")
        await store.put(f"demo-{holds}", content)
        report = await self._ask("import_file", {"object": f"demo-{holds}", "holds": holds, "dry_run": False})
        if not report["imported"]:
            raise OrganiserError(f"{holds} were not imported: {report['faults'][:3]}")
        return int(report["records"])

    async def _records(self, today: date) -> None:
        """What the programme has done until today: sites, courses, money, linked shops."""
        for step in (programme.sites(), programme.plaques(), programme.courses()):
            await self._all(self._done(*asked) for asked in step)
        for asked in programme.money():
            await self._ask(*asked)
        for (verb, body), members in programme.runs():
            batches = (await self._ask(verb, body))["batches"]
            for batch, who in zip(batches, members, strict=True):
                await self._ask("enrol", {"batch": batch, "members": who})
        ring = {"ring": programme.RING, "name": "塘下店铺联动 (示例)", "lead_officer": "community-officer-1"}
        await self._ask("put_ring", {**ring, "since": str(today)})
        await self._all(self._done(*asked) for asked in programme.linkage(today))

    async def _done(self, verb: str, body: dict[str, Any]) -> None:
        await self._ask(verb, body)

    async def _papers(self, today: date) -> None:
        """What the law asks before anybody goes out: agreement, insurance; and each one's own consent."""
        until = str(today + timedelta(days=365))
        for organisation in {o for group in GROUPS for o in group.organisations}:
            whom = {"organisation": organisation, "since": str(today), "until": until}
            await self._ask("record_agreement", {**whom, "risks_told": True})
            await self._ask("record_insurance", {**whom, "policy": "示例保单"})
        await self._share(GROUPS[0].organisations[0])
        await self._all(self._consent(member) for member in self._willing())

    async def _share(self, entity: str) -> None:
        """The employer of the shared guards agrees, by its contact."""
        about = {"organisation": entity, "kind": "guard_company", "name": "示例保安公司001", "entity": "guard_company"}
        await self._ask("put_organisation", {**about, "contact": "guard-0001"})
        await self._ask("consent_to_share", {"organisation": entity, "consents": True}, "guard-0001")

    def _willing(self) -> list[str]:
        """A few more than are needed: some decline, and somebody has to stand in."""
        willing = [f"guard-{n:04}" for n in range(1, 75)] + [f"school-guard-{n:03}" for n in range(1, 65)]
        willing += [f"militia-{n:04}" for n in range(1, 13)]
        return willing + [f"{unit}-volunteer-1" for unit in GROUPS[3].organisations[:5]]

    async def _consent(self, member: str) -> None:
        consents = ["patrol", "tracking"] + (["shared_duty"] if member.startswith("guard-") else [])
        await self._ask("give_consent", {"consents": consents}, member)

    async def _roster(self, group: Group, today: date, tonight: Tonight) -> None:
        """Draft, plan, publish; members answer, and where one declines the nearest who can stands in."""
        about = {"name": f"今夜 {group.name} (示例)", "since": str(today), "until": str(today)}
        roster = (await self._ask("draft_roster", about))["roster"]
        begins = datetime.now(LOCAL) - timedelta(minutes=1)
        for area, many in group.places.items():
            lead = next(self._officers)
            shift = {
                "roster": roster, "kind": group.shift, "days": [str(today)], "start": f"{begins:%H:%M}",
                "end": f"{begins + NIGHT:%H:%M}", "minimum": many, "maximum": many, "lead_officer": lead, "area": area,
                "pay": group.pay, "insurance": "示例保单",
            }  # fmt: skip
            added = await self._ask("add_shifts", shift)
            self._leads.setdefault(lead, added["shifts"][0])
        await self._plan(roster, group)
        await self._ask("publish_roster", {"roster": roster})
        await self._answers(roster, group, tonight)

    async def _plan(self, roster: str, group: Group) -> None:
        await self._ask("plan_roster", {"roster": roster, "organisations": list(group.organisations), "limit_s": 10})
        end = asyncio.get_running_loop().time() + PLANNED_WITHIN_S
        while (await self._ask("rosters", {"roster": roster}))["rosters"][0]["status"] == "planning":
            if asyncio.get_running_loop().time() > end:
                raise OrganiserError(f"the roster of {group.name} is not planned after {PLANNED_WITHIN_S:.0f} s")
            await asyncio.sleep(0.1)

    async def _answers(self, roster: str, group: Group, tonight: Tonight) -> None:
        shifts = (await self._ask("shifts", {"roster": roster}))["shifts"]
        for shift in shifts:
            members = [place["member"] for place in shift["standing"]]
            tonight.places += shift["minimum"]
            if len(members) > 15:  # in a large group somebody always has something else to do
                members += await self._stand_in(shift["shift"], members.pop(), tonight)
            await self._all(self._accept(member, shift["shift"]) for member in members)
            tonight.on_shift += [OnShift(m, self._kinds[m], shift["shift"], group.window) for m in members]

    async def _stand_in(self, shift: str, member: str, tonight: Tonight) -> list[str]:
        await self._ask("answer_shift", {"shift": shift, "answer": "decline"}, member)
        tonight.declined += 1
        found = (await self._ask("stand_ins", {"shift": shift, "limit": 1}))["stand_ins"]
        for stand_in in found:
            await self._ask("assign", {"shift": shift, "member": stand_in["member"]})
        return [stand_in["member"] for stand_in in found]

    async def _accept(self, member: str, shift: str) -> None:
        await self._ask("answer_shift", {"shift": shift, "answer": "accept"}, member)

    async def _all(self, asked: Iterable[Awaitable[None]]) -> None:
        async def in_turn(one: Awaitable[None]) -> None:
            async with self._turns:
                await one

        await asyncio.gather(*map(in_turn, asked))

    async def _ask(self, verb: str, body: dict[str, Any], principal: str = ORGANISER) -> dict[str, Any]:
        answer = await self._asker.ask(principal, f"training.{verb}", body)
        if not answer.ok:
            raise OrganiserError(f"{verb} was refused ({answer.status}): {answer.detail}")
        return answer.body
