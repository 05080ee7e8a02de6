"""Thousands of random requests about two rosters at once: nobody is double booked, rested too little, or told untruths.

What must hold is judged here by an oracle of its own, from the rows in the database alone.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any, TypeVar

import asyncpg
import pytest
from nats.aio.client import Client

from shouwang.common.testing import Answer, Kept, becomes, eventually

from .conftest import Services
from .office import FOREVER, Office

T = TypeVar("T")
RUIAN = timedelta(hours=8)
TODAY = (datetime.now(UTC) + RUIAN).date()
DAYS = [TODAY + timedelta(days=3 + n) for n in range(14)]
AT_ONCE, EACH, PHASES = 16, 50, 4
"""So many at once, so many requests of each, so many times."""
MOST_REMOVED = 6
HOLDS = ("proposed", "offered", "accepted", "served")
RISKY = ("night_patrol", "checkpoint", "shared_post")


@dataclass
class World:
    """What those who ask know. It may be out of date: that is what makes requests race."""

    office: Office
    volunteers: list[str]
    guards: list[str]
    rosters: list[str] = field(default_factory=list)
    shifts: dict[str, str] = field(default_factory=dict)
    """their kinds"""
    places: set[tuple[str, str]] = field(default_factory=set)
    swaps: dict[str, tuple[str, str, str, str | None]] = field(default_factory=dict)
    """giver, shift, taker, the shift that is taken for it"""
    agreed: list[tuple[str, str, str, str | None]] = field(default_factory=list)
    unwilling: set[str] = field(default_factory=set)
    removed: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """answers that nobody should get"""

    @property
    def members(self) -> list[str]:
        """Everybody but the officer."""
        return self.volunteers + self.guards

    async def ask(self, verb: str, body: dict[str, Any], principal: str = "organiser") -> Answer:
        """Ask: done, or refused with a field; anything else is noted."""
        answer = await self.office.ask(verb, body, principal=principal)
        self.asked[f"{verb} {answer.status}"] += 1
        if answer.status != 200 and not (400 <= answer.status < 500 and answer.fields):
            self.wrong.append(f"{verb} {body} by {principal}: {answer.body}")
        return answer


async def together(*work: Awaitable[T]) -> list[T]:
    """All at once, each to its end; then the first thing that went wrong, if any did."""
    done = await asyncio.gather(*work, return_exceptions=True)
    for outcome in done:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in done if not isinstance(outcome, BaseException)]


# -- the world -------------------------------------------------------------------------------------------------------


async def found(office: Office) -> World:
    """Two employers and a shop, twenty members, forty shifts in two rosters, one of them published."""
    boss = await office.member("boss")
    shop = await office.organisation("shop")
    mall = await office.organisation("mall", "mall", entity="self_hiring_unit")
    company = await office.organisation("company", "guard_company", entity="guard_company", contact=boss)
    await office.done("consent_to_share", {"organisation": company, "consents": True}, principal=boss)
    officer = await office.member("officer", "community_officer")
    world = World(office, [], [])
    for n in range(20):
        kind, unit = ("shop_volunteer", shop) if n < 12 else ("guard", company if n < 17 else mall)
        world.volunteers.append(member := await office.member(f"m{n:02}", kind, organisation=unit))
        certificate = "guard_certificate" if kind == "guard" else "patrol_training"
        about = {"member": member, "kind": certificate, "number": member, "issued_on": TODAY}
        await office.done("record_certificate", about)
        await office.consent(member, "patrol", "tracking", "shared_duty")
    world.volunteers, world.guards = world.volunteers[:12], world.volunteers[12:]
    about = {"members": world.members, "since": TODAY, "until": TODAY + FOREVER}
    await office.done("record_agreement", {**about, "risks_told": True})
    short = {**about, "members": world.members[::2], "until": DAYS[6], "policy": "示例保单"}
    await office.done("record_insurance", short)
    await office.done("record_insurance", {**about, "members": world.members[1::2], "policy": "示例保单"})
    world.rosters = [await office.roster(DAYS[0], DAYS[-1]) for _ in range(2)]
    usual = {"lead_officer": officer, "minimum": 1, "maximum": 2}
    work = {"kind": "own_post", "pay": "wage", "minimum": 1, "maximum": 1}
    first: Sequence[tuple[Sequence[date], dict[str, Any]]] = [
        (DAYS[::2], {"kind": "night_patrol", "start": "22:00", "end": "02:00", **usual}),
        (DAYS[1::4], {"kind": "night_patrol", "start": "00:00", "end": "04:00", "next_day": True, **usual}),
        (DAYS[0:5], {"post_of": company, "start": "08:00", "end": "16:00", **work}),
        (DAYS[1:10:2], {"kind": "shared_post", "start": "18:00", "end": "21:00", **usual}),
    ]
    second: Sequence[tuple[Sequence[date], dict[str, Any]]] = [
        (DAYS[::3], {"kind": "checkpoint", "start": "19:00", "end": "22:00", **usual, "maximum": 1}),
        (DAYS[2::3], {"kind": "night_patrol", "start": "23:00", "end": "03:00", **usual}),
        (DAYS[0:6], {"post_of": mall, "start": "06:00", "end": "14:00", **work}),
        (DAYS[1::3], {"kind": "publicity", "start": "09:00", "end": "11:00", **usual, "maximum": 3}),
    ]
    for roster, wanted in zip(world.rosters, (first, second), strict=True):
        for days, more in wanted:
            world.shifts |= dict.fromkeys(await office.shifts(roster, days, **more), more["kind"])
    await office.publish(world.rosters[0])
    return world


# -- what is asked ---------------------------------------------------------------------------------------------------


async def assign(world: World, rng: random.Random) -> None:
    """Somebody is put on a shift; volunteers on no own posts."""
    shift = rng.choice(list(world.shifts))
    member = rng.choice(world.guards if world.shifts[shift] == "own_post" else world.members)
    if (await world.ask("assign", {"shift": shift, "member": member})).status == 200:
        world.places.add((shift, member))


async def answer(world: World, rng: random.Random) -> None:
    """A member accepts more often than not."""
    if world.places:
        shift, member = rng.choice(sorted(world.places))
        said = rng.choice(["accept", "accept", "accept", "decline"])
        await world.ask("answer_shift", {"shift": shift, "answer": said}, member)


async def unassign(world: World, rng: random.Random) -> None:
    """The organiser thinks again."""
    if world.places:
        shift, member = rng.choice(sorted(world.places))
        await world.ask("unassign", {"shift": shift, "member": member})


async def propose(world: World, rng: random.Random) -> None:
    """A member gives a shift away, half of them for another."""
    if len(world.places) < 2:
        return
    (shift, giver), (for_shift, taker) = rng.sample(sorted(world.places), 2)
    body: dict[str, Any] = {"shift": shift, "with_member": taker}
    if rng.random() < 0.5:
        body["for_shift"] = for_shift
    said = await world.ask("propose_swap", body, giver)
    if said.status == 200:
        world.swaps[said.body["swap"]] = (giver, shift, taker, body.get("for_shift"))


async def agree(world: World, rng: random.Random) -> None:
    """The other agrees, mostly; now and then two answers come at once."""
    if not world.swaps:
        return
    swap = rng.choice(list(world.swaps)[-12:])
    giver, shift, taker, for_shift = world.swaps[swap]
    said = rng.choice(["agree", "agree", "agree", "agree", "refuse", "withdraw"])
    answer = await world.ask("answer_swap", {"swap": swap, "answer": said}, giver if said == "withdraw" else taker)
    if (answer.status, said) == (200, "agree"):
        world.agreed.append((giver, shift, taker, for_shift))
        world.places |= {(shift, taker), *([(for_shift, giver)] if for_shift else [])}


async def publish(world: World, rng: random.Random) -> None:
    """Whoever is only proposed is asked."""
    await world.ask("publish_roster", {"roster": rng.choice(world.rosters)})


async def change_mind(world: World, rng: random.Random) -> None:
    """A member takes a consent back."""
    member = rng.choice(world.members)
    world.unwilling.add(member)
    consents = [rng.choice(["patrol", "tracking", "shared_duty"])]
    await world.ask("withdraw_consent", {"consents": consents}, member)


async def consent(world: World, rng: random.Random) -> None:
    """It agrees again."""
    if world.unwilling:
        member = rng.choice(sorted(world.unwilling))
        world.unwilling.discard(member)
        await world.ask("give_consent", {"consents": ["patrol", "tracking", "shared_duty"]}, member)


async def insure(world: World, rng: random.Random) -> None:
    """Some are insured for some more days."""
    since = rng.choice(DAYS)
    body = {"members": rng.sample(world.members, 3), "since": since, "until": since + timedelta(days=rng.randrange(7))}
    await world.ask("record_insurance", {**body, "policy": "示例保单"})


async def remove(world: World, rng: random.Random) -> None:
    """A shift is taken out, with all who stand on it."""
    if world.removed < MOST_REMOVED:
        world.removed += 1
        shift = rng.choice(list(world.shifts))
        world.shifts.pop(shift)
        await world.ask("remove_shift", {"shift": shift})


ACTS: dict[Callable[[World, random.Random], Awaitable[None]], float] = {
    assign: 34, answer: 24, propose: 12, agree: 12, unassign: 4, publish: 2, change_mind: 2.5, consent: 5, insure: 2,
    remove: 0.5,
}  # fmt: skip


async def go_on(world: World, db: asyncpg.Pool, rng: random.Random, looks: bool) -> None:
    """One after the other asks for something; one of those at work looks in between whether all is well."""
    for n in range(EACH):
        act = rng.choices(list(ACTS), weights=list(ACTS.values()))[0]
        await act(world, rng)
        if looks and n % 10 == 9:
            await all_is_well(world, db)


# -- the oracle ------------------------------------------------------------------------------------------------------

PLACES = """
    SELECT a.member, a.shift::text, a.status, a.starts_at, a.ends_at, s.starts_at AS begins, s.ends_at AS ends,
           s.duty_date, s.kind, s.pay, s.maximum, s.post_of, m.kind AS who, o.organisation, o.entity, o.shares_guards,
           array(SELECT c.consent FROM training.consents c
                 WHERE c.member = a.member AND c.withdrawn_at IS NULL) AS agrees,
           NOT EXISTS (
               SELECT FROM generate_series(
                   (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date,
                   (s.ends_at AT TIME ZONE 'Asia/Shanghai' - interval '1 second')::date, interval '1 day') AS day
               WHERE NOT EXISTS (SELECT FROM training.insurances i
                                 WHERE i.member = a.member AND day::date BETWEEN i.since AND i.until)) AS insured
    FROM training.assignments a
    JOIN training.shifts s ON s.id = a.shift
    JOIN training.members m ON m.member = a.member
    JOIN training.memberships b ON b.member = a.member AND b.until IS NULL
    JOIN training.organisations o ON o.organisation = b.organisation
    WHERE starts_with(a.member, $1) AND a.status = ANY($2)
"""


async def all_is_well(world: World, db: asyncpg.Pool) -> list[asyncpg.Record]:
    """Of all that is committed at this moment: one statement sees one moment."""
    rows: list[asyncpg.Record] = await db.fetch(PLACES, f"{world.office.name}-", list(HOLDS))
    mine = defaultdict(list)
    for row in rows:
        assert (row["starts_at"], row["ends_at"]) == (row["begins"], row["ends"])
        assert_may_stand(row)
        mine[row["member"]].append(row)
    for member, held in mine.items():
        assert_rested(member, held)
    for (shift, most), many in Counter((row["shift"], row["maximum"]) for row in rows).items():
        assert many <= most, f"{many} of {most} on {shift}"
    return rows


def assert_may_stand(row: asyncpg.Record) -> None:
    """Willing, insured on each day of the calendar that it touches, shared by their employer, at their own post."""
    lacks = []
    is_guard, at_own_post = row["who"] == "guard", row["kind"] == "own_post"
    if not at_own_post and "patrol" not in row["agrees"]:
        lacks.append("consent")
    if row["kind"] in RISKY and "tracking" not in row["agrees"]:
        lacks.append("consent to be located")
    if row["kind"] in RISKY and not row["insured"]:
        lacks.append("insurance")
    if is_guard and row["kind"] == "shared_post" and not ("shared_duty" in row["agrees"] and row["shares_guards"]):
        lacks.append("consent to be shared")
    if is_guard and at_own_post and row["entity"] == "self_hiring_unit" and row["post_of"] != row["organisation"]:
        lacks.append("its own post")
    assert not lacks, f"{row['member']} stands ({row['status']}) on {row['kind']} of {row['duty_date']} without {lacks}"


def assert_rested(member: str, held: list[asyncpg.Record]) -> None:
    """Nothing at once; 8 hours between, 11 after any of the hours from 0 to 5; a free day each week; hours of work."""
    for one, other in combinations(sorted(held, key=lambda row: row["begins"]), 2):
        told = f"{member}: " + ", ".join(f"{row['begins']}-{row['ends']} {row['status']}" for row in (one, other))
        assert one["ends"] <= other["begins"], f"double booked, {told}"
        rest = timedelta(hours=11 if is_at_night(one["begins"], one["ends"]) else 8)
        assert one["ends"] + rest <= other["begins"], f"not rested, {told}"
    weeks, work = defaultdict(set), Counter[date]()
    for row in held:
        weeks[row["duty_date"].isocalendar()[:2]].add(row["duty_date"])
        if row["pay"] == "wage":
            work[row["duty_date"]] += int((row["ends"] - row["begins"]).total_seconds() // 60)
    assert all(len(days) < 7 for days in weeks.values()), f"{member} has no free day"
    assert all(minutes <= 8 * 60 for minutes in work.values()), f"{member} works too long a day"
    for days in weeks.values():
        assert sum(work[day] for day in days) <= 44 * 60, f"{member} works too long a week"


def is_at_night(begins: datetime, ends: datetime) -> bool:
    """Whether any minute of it lies between 0 and 5 o'clock."""
    minutes = int((ends - begins).total_seconds() // 60)
    return any((begins + RUIAN + timedelta(minutes=n)).hour < 5 for n in range(minutes))


# -- the facts -------------------------------------------------------------------------------------------------------


def as_told(facts: list[Kept]) -> dict[tuple[str, str], str]:
    """Who stands where, as each member's facts tell it in their order.

    A swap is told in the name of who gave; who took, and gave another shift for it, took in the same instant.
    """
    swapped = {}
    for fact in facts:
        if fact.subject.split(".")[2] == "swapped":
            swapped[fact.json["to_member"], fact.json["shift"], fact.json["at"]] = fact.json["for_shift"]
    stands: dict[tuple[str, str], str] = {}
    for fact in sorted(facts, key=lambda fact: fact.seq):
        step, member, shift = fact.subject.split(".")[2], fact.json["member"], fact.json["shift"]
        if step in ("offered", "accepted"):
            stands[member, shift] = step
            given = swapped.get((member, shift, fact.json["at"]))
            if given is not None:
                stands.pop((member, given), None)
        else:
            assert step in ("declined", "withdrawn", "swapped")
            stands.pop((member, shift), None)
    return stands


async def facts_of(world: World, db: asyncpg.Pool) -> list[Kept]:
    """Everything that was told of this world's places, once all of it is in the stream."""
    await becomes(lambda: db.fetchval("SELECT count(*) FROM training.outbox WHERE published_at IS NULL"), 0)
    steps = ("offered", "accepted", "declined", "withdrawn", "swapped")
    told = [fact for step in steps for fact in await world.office.facts(f"shift.{step}.v1.>")]
    return [fact for fact in told if fact.json["member"].startswith(f"{world.office.name}-")]


# -- the tests -------------------------------------------------------------------------------------------------------


async def test_no_double_booking_and_no_broken_rest_in_thousands_of_requests(
    services: Services, broker: Client, db: asyncpg.Pool
) -> None:
    before = services.pids()
    world = await found(Office(broker))
    for phase in range(PHASES):
        rngs = [random.Random(1000 * phase + n) for n in range(AT_ONCE)]
        await together(*(go_on(world, db, rng, looks=n == 0) for n, rng in enumerate(rngs)))
        await all_is_well(world, db)
        assert world.wrong == []
    done = Counter({verb.split()[0]: many for verb, many in world.asked.items() if verb.endswith(" 200")})
    assert sum(world.asked.values()) >= 0.9 * AT_ONCE * EACH * PHASES
    assert all(done[verb] >= 5 for verb in ("assign", "answer_shift", "answer_swap", "withdraw_consent")), world.asked
    assert services.pids() == before

    facts = await facts_of(world, db)
    rows = await all_is_well(world, db)
    stands = {(row["member"], row["shift"]): row["status"] for row in rows if row["status"] != "proposed"}
    assert as_told(facts) == stands
    assert len(stands) > 20
    # each swap that was agreed to, and nothing else, changed hands, once; told by who gave, or by both
    told = [fact.json for fact in facts if fact.subject.split(".")[2] == "swapped"]
    changed = Counter((f["member"], f["shift"], f["to_member"], f["for_shift"]) for f in told)
    agreed = Counter(world.agreed)
    mirrored = Counter((taker, back, giver, shift) for giver, shift, taker, back in world.agreed if back is not None)
    assert changed in (agreed, agreed + mirrored)
    kept = await db.fetch(
        "SELECT shift::text, status FROM training.swaps WHERE starts_with(member, $1)", f"{world.office.name}-"
    )
    still = Counter(
        shift for _, shift, _, for_shift in world.agreed if {shift, for_shift} - {None} <= set(world.shifts)
    )
    assert Counter(row["shift"] for row in kept if row["status"] == "agreed") == still


async def some(office: Office, many: int) -> tuple[str, list[str]]:
    """A published roster of two weeks, without anybody; and members whom nothing forbids a patrol."""
    await office.member("officer", "community_officer")
    roster = await office.roster(DAYS[0], DAYS[-1])
    await office.shifts(roster, [DAYS[-1]], kind="publicity", start="09:00", end="10:00")
    await office.publish(roster)
    return roster, [await office.cleared(f"m{n}", today=TODAY) for n in range(many)]


def statuses(answers: Sequence[Answer]) -> Counter[int]:
    """How many of each."""
    return Counter(answer.status for answer in answers)


async def test_of_many_who_want_the_last_place_one_gets_it(services: Services, broker: Client) -> None:
    office = Office(broker)
    roster, members = await some(office, 16)
    shift = (await office.shifts(roster, [DAYS[0]], lead_officer=office.token("officer"), maximum=1))[0]
    answers = await together(*(office.ask("assign", {"shift": shift, "member": m}) for m in members))
    assert statuses(answers) == {200: 1, 409: 15}
    assert all("full" in answer.body["detail"] for answer in answers if answer.status == 409)


async def test_of_many_shifts_at_the_same_time_a_member_gets_one(services: Services, broker: Client) -> None:
    office = Office(broker)
    roster, (member,) = await some(office, 1)
    led = {"lead_officer": office.token("officer"), "end": "23:59"}
    shifts = [(await office.shifts(roster, [DAYS[0]], start=f"22:{n:02}", **led))[0] for n in range(16)]
    answers = await together(*(office.ask("assign", {"shift": s, "member": member}) for s in shifts))
    assert statuses(answers) == {200: 1, 409: 15}
    assert all("double_booked" in answer.body["detail"] for answer in answers if answer.status == 409)


async def test_a_swap_that_is_agreed_to_many_times_at_once_is_made_once(
    services: Services, broker: Client, db: asyncpg.Pool
) -> None:
    office = Office(broker)
    roster, (giver, taker) = await some(office, 2)
    shift = (await office.shifts(roster, [DAYS[0]], lead_officer=office.token("officer")))[0]
    await office.done("assign", {"shift": shift, "member": giver})
    swap = (await office.done("propose_swap", {"shift": shift, "with_member": taker}, principal=giver))["swap"]
    body = {"swap": swap, "answer": "agree"}
    answers = await together(*(office.ask("answer_swap", body, principal=taker) for _ in range(16)))
    assert statuses(answers) == {200: 1, 409: 15}
    assert len(await office.told(f"shift.swapped.v1.{giver}.{shift}")) == 1


async def test_papers_of_the_same_members_are_recorded_side_by_side(services: Services, broker: Client) -> None:
    """Whoever writes rows about members and then holds the members holds up others who do the same."""
    office = Office(broker)
    members = [await office.member(f"m{n}") for n in range(8)]
    about = {"since": TODAY, "until": TODAY + FOREVER}
    papers = [
        ("record_insurance", {**about, "policy": "示例保单"}),
        ("record_agreement", {**about, "risks_told": True}),
    ]
    rng = random.Random(7)
    asked = [
        office.ask(verb, {**body, "members": rng.sample(members, len(members))})
        for verb, body in papers
        for _ in range(8)
    ]
    assert statuses(await together(*asked)) == {200: 16}


async def test_a_shift_that_vanishes_under_a_swap_is_no_fault_of_ours(
    services: Services, broker: Client, db: asyncpg.Pool
) -> None:
    """It was there when the swap looked, and is gone when the swap is written."""
    office = Office(broker)
    roster, (giver, taker) = await some(office, 2)
    shift = (await office.shifts(roster, [DAYS[0]], lead_officer=office.token("officer")))[0]
    await office.done("assign", {"shift": shift, "member": giver})
    async with db.acquire() as organiser:
        leaving = organiser.transaction()
        await leaving.start()
        await organiser.execute("SELECT FROM training.shifts WHERE id = $1::uuid FOR UPDATE", shift)
        body = {"shift": shift, "with_member": taker}
        asking = asyncio.ensure_future(office.ask("propose_swap", body, principal=giver))
        blocked = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
        await eventually(lambda: db.fetchval(blocked, organiser.get_server_pid()))
        await organiser.execute("DELETE FROM training.shifts WHERE id = $1::uuid", shift)
        await leaving.commit()
    answer = await asking
    assert answer.status in (404, 409), answer.body
    assert answer.fields == ["shift"]


# -- the database itself ---------------------------------------------------------------------------------------------

INSERT = """
    INSERT INTO training.assignments (shift, member, member_no, status, starts_at, ends_at, changed_at)
    SELECT s.id, m.member, m.no, $3, s.starts_at, s.ends_at, now() FROM training.shifts s, training.members m
    WHERE s.id = $1::uuid AND m.member = $2
"""


async def two_shifts(office: Office, *, start: str) -> tuple[str, str, str]:
    """A member, and two shifts: 22:00-02:00, and another of that night."""
    roster, (member,) = await some(office, 1)
    lead = {"lead_officer": office.token("officer")}
    first = (await office.shifts(roster, [DAYS[0]], **lead))[0]
    return member, first, (await office.shifts(roster, [DAYS[0]], start=start, end="05:00", **lead))[0]


@pytest.mark.parametrize("one", HOLDS)
@pytest.mark.parametrize("other", HOLDS)
async def test_the_database_refuses_a_double_booking_when_the_code_is_bypassed(
    services: Services, broker: Client, db: asyncpg.Pool, one: str, other: str
) -> None:
    member, first, second = await two_shifts(Office(broker), start="23:59")
    await db.execute(INSERT, first, member, one)
    with pytest.raises(asyncpg.ExclusionViolationError) as refused:
        await db.execute(INSERT, second, member, other)
    assert refused.value.constraint_name == "assignments_no_double_booking"


async def test_the_database_refuses_who_comes_back_to_a_place_meanwhile_held_elsewhere(
    services: Services, broker: Client, db: asyncpg.Pool
) -> None:
    member, first, second = await two_shifts(Office(broker), start="23:00")
    await db.execute(INSERT, first, member, "declined")
    await db.execute(INSERT, second, member, "accepted")
    back = "UPDATE training.assignments SET status = 'accepted' WHERE shift = $1::uuid AND member = $2"
    with pytest.raises(asyncpg.ExclusionViolationError):
        await db.execute(back, first, member)


@pytest.mark.parametrize("gone", ["declined", "withdrawn", "missed"])
async def test_a_place_that_holds_nobody_holds_up_nobody(
    services: Services, broker: Client, db: asyncpg.Pool, gone: str
) -> None:
    member, first, second = await two_shifts(Office(broker), start="23:00")
    await db.execute(INSERT, first, member, gone)
    await db.execute(INSERT, second, member, "accepted")


async def test_shifts_that_only_touch_are_no_double_booking_for_the_database(
    services: Services, broker: Client, db: asyncpg.Pool
) -> None:
    """That there is no rest between them is the code's matter: how much it is is a setting."""
    office = Office(broker)
    roster, (member,) = await some(office, 1)
    lead = {"lead_officer": office.token("officer")}
    first = (await office.shifts(roster, [DAYS[0]], **lead))[0]
    then = (await office.shifts(roster, [DAYS[0]], start="02:00", end="05:00", next_day=True, **lead))[0]
    for shift in (first, then):
        await db.execute(INSERT, shift, member, "accepted")


async def test_two_members_of_one_number_do_not_exist(services: Services, broker: Client, db: asyncpg.Pool) -> None:
    """Double booking is kept off by a member's number; the number is the member's alone."""
    office = Office(broker)
    one, other = await office.member("a"), await office.member("b")
    with pytest.raises((asyncpg.UniqueViolationError, asyncpg.GeneratedAlwaysError)):
        await db.execute("UPDATE training.members SET no = (SELECT no FROM training.members WHERE member = $1)"
                         " WHERE member = $2", one, other)  # fmt: skip
