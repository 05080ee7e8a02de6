"""Beds, meals, equipment, cost, and the money behind them, through NATS, on the real database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from nats.aio.client import Client
from prometheus_client import CollectorRegistry

from shouwang.common.database import Database
from shouwang.common.testing import FixedClock, becomes
from shouwang.training.domain.days import LOCAL, at
from shouwang.training.metrics import Metrics
from shouwang.training.rounds import Rounds
from shouwang.training.settings import Settings

from ..conftest import Servers
from .conftest import Services
from .office import Office, id_number

FUND_FEN = 19_600_000
"""CNY 196,000: the special fund of 2018."""
TODAY = datetime.now(UTC).astimezone(LOCAL).date()
FIRST = TODAY + timedelta(days=10)
LAST = FIRST + timedelta(days=4)
WOMAN, MAN = 2, 3
"""The digit before the check digit of an identity number: even for women."""


@pytest.fixture
def office(services: Services, broker: Client) -> Office:
    return Office(broker)


class Camp:
    """A batch of a week at a site with a dormitory."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.site, self.course = office.token("site"), office.token("course")
        self.batch = ""

    async def opens(self) -> "Camp":
        """The batch, five days long, with a night patrol on the last evening."""
        done = self.office.done
        await done("put_site", {"site": self.site, "name": "示例训练点", "level": "town"})
        await done("accredit_site", {"site": self.site, "since": TODAY})
        subject = {"name": "示例", "kind": "theory", "class_hours": 1}
        await done("put_course", {"course": self.course, "name": "示例班", "subjects": [subject]})
        self.batch = await self.another_batch()
        patrol = {"starts_at": at(LAST, "22:00"), "class_hours": 4, "subject": "示例夜巡", "kind": "night_patrol"}
        await done("put_timetable", {"batch": self.batch, "sessions": [patrol]})
        return self

    async def another_batch(self, first: date = FIRST, last: date = LAST) -> str:
        """At the same time, if no other days are said."""
        days = {"starts_on": first, "ends_on": last, "seats": 60}
        run = await self.office.done("open_run", {"course": self.course, "site": self.site, "batches": [days]})
        return str(run["batches"][0])

    async def room(self, name: str, beds: int, *, women_only: bool = False) -> None:
        """A room of the dormitory."""
        await self.office.done("put_room", {"site": self.site, "room": name, "beds": beds, "women_only": women_only})

    async def enrolled(self, n: int, sex: int = MAN, batch: str | None = None) -> str:
        """Somebody who has said nothing yet."""
        # Numbers are unique in the whole database: the birth date is made of the office's name.
        born = date(1960, 1, 1) + timedelta(days=int(self.office.name[-6:], 16) % 12000)
        member = await self.office.member(f"m{n}", id_number=id_number(born, 10 * n + sex), born=None)
        await self.office.done("enrol", {"batch": batch or self.batch, "members": [member]})
        return member

    async def trainee(self, n: int, sex: int = MAN, batch: str | None = None, **stay: object) -> str:
        """Somebody who has said what it needs: a bed, if nothing else."""
        member = await self.enrolled(n, sex, batch)
        said = {"batch": batch or self.batch, "needs_bed": True, **stay}
        await self.office.done("set_stay", said, principal=member)
        return member


@pytest.fixture
async def camp(office: Office) -> Camp:
    return await Camp(office).opens()


# -- beds ------------------------------------------------------------------------------------------------------------


async def test_beds_for_women_and_men_through_the_day_of_rest(office: Office, camp: Camp) -> None:
    await camp.room("101", 1)
    await camp.room("201", 2, women_only=True)
    man, late, woman = await camp.trainee(1), await camp.trainee(2), await camp.trainee(3, WOMAN)
    at_home = await camp.trainee(4, needs_bed=False)
    planned = await office.done("plan_beds", {"batch": camp.batch})
    through = (str(FIRST), str(LAST + timedelta(days=1)))
    found = {one["member"]: (one["room"], one["bed"], one["since"], one["until"]) for one in planned["assigned"]}
    assert found == {man: ("101", 1, *through), woman: ("201", 1, *through)}
    assert planned["left_out"] == [{"member": late, "reason": "no_bed"}]
    assert at_home not in found

    # who needs none any more makes room for who waits
    await office.done("set_stay", {"batch": camp.batch, "needs_bed": False}, principal=man)
    again = await office.done("plan_beds", {"batch": camp.batch})
    assert [one["member"] for one in again["assigned"]] == [late]
    listed = await office.done("beds", {"batch": camp.batch, "day": LAST + timedelta(days=1)})
    assert [(room["room"], [bed["member"] for bed in room["held"]]) for room in listed["rooms"]] == [
        ("101", [late]), ("201", [woman]),
    ]  # fmt: skip
    assert listed["free"] == 1
    assert (await office.done("beds", {"site": camp.site, "day": LAST + timedelta(days=2)}))["free"] == 3


async def test_who_has_withdrawn_gives_the_bed_back(office: Office, camp: Camp) -> None:
    """A bed by hand stays with somebody who has said nothing of it."""
    await camp.room("101", 2)
    silent = await camp.enrolled(3)
    await office.done("assign_bed", {"batch": camp.batch, "member": silent, "room": "101"})
    gone = await camp.trainee(1)
    assert len((await office.done("plan_beds", {"batch": camp.batch}))["assigned"]) == 1
    await office.done("withdraw_enrolment", {"batch": camp.batch, "member": gone})
    comes = await camp.trainee(2)
    planned = await office.done("plan_beds", {"batch": camp.batch})
    assert [(one["member"], one["bed"]) for one in planned["assigned"]] == [(comes, 2)]


async def test_a_bed_by_hand_is_refused_where_it_cannot_be(office: Office, camp: Camp) -> None:
    await camp.room("101", 2)
    man, woman = await camp.trainee(1), await camp.trainee(2, WOMAN)
    given = await office.done("assign_bed", {"batch": camp.batch, "member": man, "room": "101"})
    assert (given["bed"], given["until"]) == (1, str(LAST + timedelta(days=1)))

    async def refused(status: int, field: str, **change: object) -> None:
        answer = await office.ask("assign_bed", {"batch": camp.batch, "member": woman, "room": "101", **change})
        assert (answer.status, answer.fields) == (status, [field]), answer.body

    await refused(409, "room")  # a man sleeps in it
    await refused(409, "member", member=man)
    await refused(404, "room", room="999")
    await refused(404, "member", member=office.token("nobody"))
    await refused(400, "until", since=LAST, until=FIRST)
    unknown = await office.member("unknown")
    await office.done("enrol", {"batch": camp.batch, "members": [unknown]})
    await refused(409, "room", member=unknown)  # of whom no sex is known
    smaller = await office.ask("put_room", {"site": camp.site, "room": "101", "beds": 1, "women_only": True})
    assert (smaller.status, smaller.fields) == (409, ["women_only"])
    assert (await office.done("release_bed", {"batch": camp.batch, "member": man}))["beds"] == 1
    assert (await office.done("assign_bed", {"batch": camp.batch, "member": woman, "room": "101"}))["bed"] == 1


async def test_two_batches_at_once_never_share_a_bed(office: Office, camp: Camp, db: asyncpg.Pool) -> None:
    await camp.room("101", 5)
    other = await camp.another_batch()
    for n in range(8):
        await camp.trainee(n, batch=(camp.batch, other)[n % 2])
    planned = await asyncio.gather(*(office.done("plan_beds", {"batch": batch}) for batch in (camp.batch, other) * 3))
    assert sum(len(one["assigned"]) for one in planned) == 5
    rows = await db.fetch(
        "SELECT bed, member FROM training.beds b JOIN training.rooms r ON r.no = b.room_no WHERE r.site = $1", camp.site
    )
    assert (sorted(row["bed"] for row in rows), len({row["member"] for row in rows})) == ([1, 2, 3, 4, 5], 5)


async def test_the_database_itself_refuses_a_bed_given_twice(office: Office, camp: Camp, db: asyncpg.Pool) -> None:
    await camp.room("101", 1)
    await camp.trainee(1)
    other = await camp.trainee(2)
    await office.done("plan_beds", {"batch": camp.batch})
    twice = (
        "INSERT INTO training.beds SELECT gen_random_uuid(), batch, $2, 0, room_no, bed, until, until + 3"
        " FROM training.beds WHERE batch = $1"
    )
    with pytest.raises(asyncpg.ExclusionViolationError, match="beds_given_once"):
        await db.execute(twice, camp.batch, other)


async def test_a_night_on_the_roster_holds_the_bed_too(office: Office, camp: Camp) -> None:
    await camp.room("101", 1)
    batch = await camp.another_batch(FIRST - timedelta(days=8), FIRST - timedelta(days=6))
    last = FIRST - timedelta(days=6)
    officer = await office.member("officer", "police_officer")
    member = await office.cleared("night", today=TODAY, id_number=None)
    await office.done("enrol", {"batch": batch, "members": [member]})
    await office.done("set_stay", {"batch": batch, "needs_bed": True, "sex": "female"}, principal=member)
    roster = await office.roster(last)
    shift = (await office.shifts(roster, [last], lead_officer=officer))[0]
    await office.done("assign", {"shift": shift, "member": member})
    planned = await office.done("plan_beds", {"batch": batch})
    assert planned["assigned"][0]["until"] == str(last + timedelta(days=1))


# -- needs and meals -------------------------------------------------------------------------------------------------


async def test_the_kitchen_sees_needs_without_names(office: Office, camp: Camp) -> None:
    first = await camp.trainee(1, diet="halal", allergies="示例：花生")
    second = await camp.trainee(2, allergies="示例：海鲜")
    await camp.enrolled(3)
    menu = [{"meal": "lunch", "menu": "示例：两荤一素"}, {"meal": "night"}]
    await office.done("put_meal_plan", {"site": camp.site, "day": FIRST, "meals": menu})
    meals = await office.done("meals", {"batch": camp.batch, "day": FIRST})
    assert (meals["people"], meals["diets"]) == (3, {"normal": 2, "halal": 1, "vegetarian": 0, "other": 0})
    assert (meals["allergic"], meals["allergies"]) == (2, ["示例：海鲜", "示例：花生"])
    assert meals["plan"] == [{"meal": "lunch", "menu": "示例：两荤一素"}, {"meal": "night", "menu": None}]
    assert first not in str(meals)
    assert second not in str(meals)
    whole_site = await office.done("meals", {"site": camp.site, "day": FIRST})
    assert (whole_site["people"], whole_site["allergic"], whole_site["allergies"]) == (3, 2, None)
    as_trainee = await office.done("meals", {"batch": camp.batch, "day": FIRST}, principal=first)
    assert (as_trainee["allergic"], as_trainee["allergies"]) == (2, None)
    assert (await office.done("meals", {"batch": camp.batch, "day": LAST + timedelta(days=1)}))["people"] == 0


async def test_who_rests_by_day_eats_too(office: Office, camp: Camp) -> None:
    await camp.room("101", 1)
    await camp.trainee(1)
    await office.done("plan_beds", {"batch": camp.batch})
    assert (await office.done("meals", {"batch": camp.batch, "day": LAST + timedelta(days=1)}))["people"] == 1


async def test_a_trainee_speaks_for_itself_only(office: Office, camp: Camp) -> None:
    one, other = await camp.trainee(1), await camp.trainee(2)
    body = {"batch": camp.batch, "needs_bed": True, "member": other}
    refused = await office.ask("set_stay", body, principal=one)
    assert (refused.status, refused.fields) == (403, ["member"])
    officer = await office.member("officer", "police_officer")
    assert (await office.done("set_stay", body, principal=officer))["member"] == other
    assert (await office.done("set_stay", body))["member"] == other
    stranger = await office.ask("set_stay", {"batch": camp.batch, "needs_bed": True}, principal=officer)
    assert (stranger.status, stranger.fields) == (403, ["batch"])


async def test_an_allergy_stands_in_no_fact_and_is_forgotten_after_the_batch(
    office: Office, camp: Camp, servers: Servers, db: asyncpg.Pool
) -> None:
    member = await camp.trainee(1, allergies="示例：青霉素")
    kept = "SELECT allergies FROM training.stays WHERE member = $1"
    assert await db.fetchval(kept, member) == "示例：青霉素"
    assert not [fact for fact in await office.facts(">") if "青霉素" in fact.body.decode()]
    async with by_the_clock(servers, LAST + timedelta(days=8)):
        await becomes(lambda: db.fetchval(kept, member), None)


@asynccontextmanager
async def by_the_clock(servers: Servers, today: date) -> AsyncIterator[None]:
    """A second replica's daily round, on another day; what it tells is published by the running service."""
    settings = Settings(postgres_url=servers.postgres_url, daily_s=0.1)
    database = Database(servers.postgres_url, "training", pool=2)
    clock = FixedClock(at(today, "08:00"))
    rounds = Rounds(database, clock, settings, Metrics(CollectorRegistry()))
    task = asyncio.create_task(rounds.tell_deadlines(None))  # type: ignore[arg-type]
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await database.dispose()


# -- equipment -------------------------------------------------------------------------------------------------------


async def test_equipment_goes_out_and_comes_back(office: Office, db: asyncpg.Pool) -> None:
    member, other = await office.member("a"), await office.member("b")
    radio = {"item": "radio", "serial": office.token("0042")}
    issued = await office.done("issue_equipment", {"member": member, "items": [radio, {"item": "torch", "count": 2}]})
    body = {"member": other, "items": [{"item": "torch"}, radio], "due": TODAY}
    taken = await office.ask("issue_equipment", body)
    assert (taken.status, taken.fields) == (409, ["items[1].serial"])
    assert (await office.done("equipment_out", {"member": other}))["out"] == []  # all of it, or nothing
    two = await office.ask("issue_equipment", {"member": other, "items": [{**radio, "count": 2}]})
    assert (two.status, two.fields) == (400, ["items[0].count"])

    issue = issued["issued"][0]["issue"]
    back = await office.done("return_equipment", {"issue": issue, "condition": "damaged"})
    assert (back["member"], back["condition"]) == (member, "damaged")
    assert (await office.ask("return_equipment", {"issue": issue, "condition": "good"})).status == 409
    await office.done("issue_equipment", body)
    out = (await office.done("equipment_out", {"member": member}))["out"]
    assert [(one["item"], one["count"], one["overdue"]) for one in out] == [("torch", 2, False)]
    await db.execute("UPDATE training.issues SET due = due - 1 WHERE member = $1", other)
    late = (await office.done("equipment_out", {"member": other, "overdue": True}))["out"]
    assert [(one["item"], one["overdue"]) for one in late] == [("torch", True), ("radio", True)]
    rest = await office.done("equipment_out", {"member": other, "after": late[0]["issue"]})
    assert [one["item"] for one in rest["out"]] == ["radio"]
    over = await office.ask("issue_equipment", {**body, "due": TODAY - timedelta(days=2)})
    assert (over.status, over.fields) == (400, ["due"])


# -- cost ------------------------------------------------------------------------------------------------------------


async def test_what_each_trainee_has_cost(office: Office, camp: Camp) -> None:
    for n in range(3):
        await camp.trainee(n)
    other = await camp.another_batch()
    await office.done("record_cost", {"batch": camp.batch, "kind": "meals", "amount_fen": 20_000})
    await office.done("record_cost", {"batch": camp.batch, "kind": "meals", "amount_fen": -5_000, "note": "示例更正"})
    total = await office.done("record_cost", {"batch": camp.batch, "kind": "teachers", "amount_fen": 5_000})
    assert total["total_fen"] == 20_000
    of_batch = await office.done("costs", {"batch": camp.batch})
    assert (of_batch["total_fen"], of_batch["trainees"], of_batch["per_trainee_fen"]) == (20_000, 3, 6_667)
    assert of_batch["kinds"] == [{"kind": "meals", "amount_fen": 15_000}, {"kind": "teachers", "amount_fen": 5_000}]
    of_course = await office.done("costs", {"course": camp.course})
    assert [one["per_trainee_fen"] for one in of_course["batches"]] == [None, 6_667]
    assert of_course["batches"][0]["batch"] == other
    assert (await office.ask("costs", {"batch": other, "course": camp.course})).fields == ["batch"]
    assert (await office.ask("costs", {"course": office.token("none")})).status == 404


# -- funds and tenders -----------------------------------------------------------------------------------------------


class Purchase:
    """A tender of a fund, and the supplier."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.fund, self.tender, self.supplier = office.token("fund"), office.token("tender"), office.token("supplier")

    async def published(self, on: date) -> "Purchase":
        """The tender is out."""
        fund = {"fund": self.fund, "name": "示例专项资金", "year": 2018, "amount_fen": FUND_FEN, "source": "示例财政"}
        await self.office.done("put_fund", fund)
        await self.office.organisation("supplier", "guard_company")
        await self.say("tender", fund=self.fund, title="示例培训服务", published_on=on)
        return self

    async def say(self, what: str, **body: object) -> dict[str, object]:
        """Record a step of it."""
        said: dict[str, object] = await self.office.done(f"record_{what}", {"tender": self.tender, **body})
        return said

    async def award(self, on: date, amount_fen: int = FUND_FEN) -> dict[str, object]:
        """The supplier gets it."""
        return await self.say("award", supplier=self.supplier, amount_fen=amount_fen, awarded_on=on)

    async def refused(self, what: str, status: int, field: str, **body: object) -> None:
        """A step that cannot be."""
        answer = await self.office.ask(f"record_{what}", {"tender": self.tender, **body})
        assert (answer.status, answer.fields) == (status, [field]), answer.body


async def test_the_purchase_of_2018(office: Office) -> None:
    """The programme's own figures: CNY 196,000, award on 29 June, plaque on 23 July, 24 days later."""
    purchase = await Purchase(office).published(date(2018, 5, 28))
    awarded = await purchase.award(date(2018, 6, 29))
    assert awarded["contract_due"] == "2018-07-29"
    assert [warned["code"] for warned in awarded["warnings"]] == ["contract_overdue"]  # type: ignore[attr-defined]
    signed = await purchase.say("contract", signed_on=date(2018, 7, 20))
    assert (signed["copy_due"], signed["copy_due_assumed"]) == ("2018-07-31", False)
    filed = await purchase.say("contract", signed_on=date(2018, 7, 20), copy_filed_on=date(2018, 7, 25))
    assert filed["warnings"] == []
    assert (await purchase.say("contract", signed_on=date(2018, 7, 20)))["copy_filed_on"] == "2018-07-25"
    site = {"site": office.token("site"), "name": "示例训练点", "level": "town"}
    await office.done("put_site", site)
    await office.done("accredit_site", {"site": site["site"], "since": date(2018, 7, 23)})
    paid = await purchase.say("payment", amount_fen=9_800_000, paid_on=date(2018, 8, 30))
    assert (paid["paid_fen"], paid["left_fen"], paid["warnings"]) == (9_800_000, 9_800_000, [])
    assert (await purchase.say("acceptance", accepted_on=date(2018, 12, 20)))["keep_until"] == "2033-12-20"

    fund = await office.done("fund", {"fund": purchase.fund})
    sums = {name: fund[f"{name}_fen"] for name in ("amount", "spent", "committed", "left")}
    assert sums == {"amount": FUND_FEN, "spent": 9_800_000, "committed": 9_800_000, "left": 0}
    [tender] = fund["tenders"]
    assert (tender["status"], tender["supplier"], fund["warnings"]) == ("accepted", purchase.supplier, [])
    listed = (await office.done("funds", {"year": 2018}))["funds"]
    assert [one["left_fen"] for one in listed if one["fund"] == purchase.fund] == [0]
    facts = [f"{what}.recorded.v1.{purchase.tender}" for what in ("award", "contract", "payment", "acceptance")]
    told = [(await office.told(fact))[0].json for fact in facts]
    assert (told[0]["amount_fen"], told[2]["amount_fen"]) == (FUND_FEN, 9_800_000)


async def test_no_more_is_paid_than_the_award_and_a_tenth(office: Office) -> None:
    purchase = await Purchase(office).published(date(2018, 5, 28))
    await purchase.refused("payment", 409, "tender", amount_fen=1, paid_on=TODAY)
    await purchase.award(date(2018, 6, 29), 1_000)
    early = await purchase.say("payment", amount_fen=1_000, paid_on=TODAY)
    assert [warned["code"] for warned in early["warnings"]] == ["no_contract"]  # type: ignore[attr-defined]
    less = {"supplier": purchase.supplier, "amount_fen": 999, "awarded_on": date(2018, 6, 29)}
    await purchase.refused("award", 409, "amount_fen", **less)
    await purchase.say("contract", signed_on=date(2018, 7, 20))
    await purchase.refused("payment", 409, "amount_fen", amount_fen=101, paid_on=TODAY)
    added = await purchase.say("payment", amount_fen=100, paid_on=TODAY)
    assert [(w["code"], w["article"]) for w in added["warnings"]] == [("added_purchase", "政府采购法 第49条")]  # type: ignore[attr-defined]
    await purchase.refused("payment", 409, "amount_fen", amount_fen=1, paid_on=TODAY)
    await purchase.refused("payment", 409, "amount_fen", amount_fen=-1_101, paid_on=TODAY)
    await purchase.refused("payment", 400, "paid_on", amount_fen=1, paid_on=TODAY + timedelta(days=1))
    assert (await purchase.say("payment", amount_fen=-100, paid_on=TODAY))["paid_fen"] == 1_000


async def test_two_payments_at_once_do_not_pass_the_limit_together(office: Office) -> None:
    purchase = await Purchase(office).published(date(2018, 5, 28))
    await purchase.award(date(2018, 6, 29), 1_000)
    body = {"tender": purchase.tender, "amount_fen": 400, "paid_on": TODAY}
    answers = await asyncio.gather(*(office.ask("record_payment", body) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [200, 200, 409, 409, 409, 409]


async def test_steps_come_in_their_order(office: Office) -> None:
    purchase = await Purchase(office).published(TODAY - timedelta(days=12))
    await purchase.refused("contract", 409, "tender", signed_on=TODAY)
    await purchase.refused("acceptance", 409, "tender", accepted_on=TODAY)
    award = {"supplier": purchase.supplier, "amount_fen": FUND_FEN + 1, "awarded_on": TODAY}
    await purchase.refused("award", 404, "supplier", **{**award, "supplier": office.token("nobody")})
    await purchase.refused("award", 400, "awarded_on", **{**award, "awarded_on": TODAY + timedelta(days=1)})
    await purchase.refused("award", 400, "awarded_on", **{**award, "awarded_on": TODAY - timedelta(days=13)})
    awarded = await purchase.say("award", **award)
    codes = [(w["code"], w["article"]) for w in awarded["warnings"]]  # type: ignore[attr-defined]
    assert codes == [("short_bid_period", "政府采购法 第35条"), ("over_fund", None)]
    await purchase.award(TODAY)  # put right
    tender = {"fund": purchase.fund, "title": "示例", "published_on": TODAY}
    await purchase.refused("tender", 409, "tender", **tender)
    await purchase.refused("contract", 400, "signed_on", signed_on=TODAY - timedelta(days=1))
    await purchase.refused("contract", 400, "copy_filed_on", signed_on=TODAY, copy_filed_on=TODAY - timedelta(days=1))
    await purchase.say("contract", signed_on=TODAY)
    await purchase.refused("award", 409, "tender", **award)
    await purchase.refused("acceptance", 400, "accepted_on", accepted_on=TODAY - timedelta(days=1))
    unknown = await office.ask("record_tender", {"tender": office.token("t"), **tender, "fund": office.token("none")})
    assert (unknown.status, unknown.fields) == (404, ["fund"])
    assert (await office.ask("fund", {"fund": office.token("none")})).status == 404


async def test_a_deadline_that_nears_is_told_once(office: Office, servers: Servers) -> None:
    purchase, other = [await Purchase(Office(office.connection)).published(TODAY - timedelta(days=60)) for _ in "12"]
    await purchase.award(TODAY)
    await other.award(TODAY - timedelta(days=1))  # a day earlier, so that a round has been when this one is told
    due, neared = TODAY + timedelta(days=30), f"deadline.neared.v1.{purchase.tender}"
    async with by_the_clock(servers, due - timedelta(days=8)):
        await office.told(f"deadline.neared.v1.{other.tender}")
        assert await office.facts(neared) == []
    async with by_the_clock(servers, due - timedelta(days=7)):
        [fact] = await office.told(neared)
        assert (fact.json["what"], fact.json["due"]) == ("contract", str(due))
    signed = await purchase.say("contract", signed_on=TODAY)
    async with by_the_clock(servers, due):
        copy = (await office.told(neared, 2))[1]
        assert (copy.json["what"], copy.json["due"]) == ("copy", signed["copy_due"])
    await other.say("contract", signed_on=TODAY)
    async with by_the_clock(servers, due + timedelta(days=1)):
        await office.told(f"deadline.neared.v1.{other.tender}", 2)
        assert len(await office.facts(neared)) == 2


async def test_holidays_that_no_library_knows(office: Office, db: asyncpg.Pool) -> None:
    wrong = await office.ask("put_holidays", {"year": 2093, "off": ["2093-02-09", "2093-02-08"], "on": []})
    assert (wrong.status, wrong.fields) == (400, ["off[1]"])  # a Sunday
    wrong = await office.ask("put_holidays", {"year": 2093, "off": [], "on": ["2092-02-10"]})
    assert (wrong.status, wrong.fields) == (400, ["on[0]"])
    said = await office.done("put_holidays", {"year": 2093, "off": ["2093-02-09"], "on": ["2093-02-15"]})
    assert (said["off"], said["on"]) == (1, 1)
    await office.done("put_holidays", {"year": 2093, "off": ["2093-02-10"], "on": []})
    row = await db.fetchrow("SELECT free, worked FROM training.holidays WHERE year = 2093")
    assert (row["free"], row["worked"]) == ([date(2093, 2, 10)], [])


async def test_a_table_of_this_year_moves_the_copy_s_due_day(office: Office, db: asyncpg.Pool) -> None:
    """It goes before the library's. The year is given back, since other tests count on it."""
    purchase = await Purchase(office).published(date(2015, 1, 5))
    await purchase.award(date(2015, 3, 2))
    before = await purchase.say("contract", signed_on=date(2015, 3, 6))
    assert before["copy_due"] == "2015-03-17"
    try:
        await office.done("put_holidays", {"year": 2015, "off": ["2015-03-09"], "on": ["2015-03-14"]})
        assert (await purchase.say("contract", signed_on=date(2015, 3, 6)))["copy_due"] == "2015-03-17"
        await office.done("put_holidays", {"year": 2015, "off": ["2015-03-09"], "on": []})
        assert (await purchase.say("contract", signed_on=date(2015, 3, 6)))["copy_due"] == "2015-03-18"
    finally:
        await db.execute("DELETE FROM training.holidays WHERE year = 2015")
