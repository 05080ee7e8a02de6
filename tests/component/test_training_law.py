"""The law at the door: what an organiser may not do to people, and what follows at once when something changes.

Each rule is tested by itself in services/training/tests/test_law; here the ones that matter most go through the wire.
Training runs in the test's own process, since its clock is set.
"""

import json
import threading
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import nats
import pytest
from nats.aio.client import Client

from shouwang.common.testing import Answer, FixedClock, becomes, eventually, hearing, running
from shouwang.stack.suite import Suite
from shouwang.training.domain.planning import Plan, plan
from shouwang.training.main import assemble
from shouwang.training.settings import Settings
from shouwang.training.store import rosters

from .conftest import SETTINGS
from .office import FOREVER, ORGANISER, Office, id_number

TODAY = date(2027, 3, 1)
EVENING = datetime(2027, 3, 1, 11, 0, tzinfo=UTC)
"""A Monday, 19:00 in Ruian."""
DAYS = [TODAY + timedelta(days=n) for n in range(30)]
NOW = {"start": "19:00", "end": "22:00"}
"""A shift that is held at EVENING."""

GROUNDS = (
    "drug_rehabilitation", "administrative_detentions", "criminal_record", "certificate_revoked",
    "certificate_revoked_twice",
)  # fmt: skip


@pytest.fixture(scope="module")
async def servers_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Suite]:
    """A broker and a database."""
    async with Suite(tmp_path_factory.mktemp("law"), print, only=(), env=SETTINGS) as suite:
        yield suite


@pytest.fixture(scope="module")
async def line(servers_of_its_own: Suite) -> AsyncIterator[Client]:
    """The test's connection."""
    made = await nats.connect(servers_of_its_own.nats.url)
    yield made
    await made.close()


@pytest.fixture(scope="module")
async def sql(servers_of_its_own: Suite) -> AsyncIterator[asyncpg.Connection]:
    """The test's look into the database."""
    made = await asyncpg.connect(servers_of_its_own.postgres.url)
    yield made
    await made.close()


@pytest.fixture(scope="module")
async def its_clock(servers_of_its_own: Suite) -> AsyncIterator[FixedClock]:
    """Training at work, and its clock."""
    clock = FixedClock(EVENING)
    where = {"nats_url": servers_of_its_own.nats.url, "postgres_url": servers_of_its_own.postgres.url}
    async with running(assemble(Settings(**where, tick_s=0.1, daily_s=0.2), clock)):
        yield clock


@pytest.fixture
def clock(its_clock: FixedClock) -> FixedClock:
    """Monday evening."""
    its_clock.now = EVENING
    return its_clock


class Watch(Office):
    """An office with an officer who leads, and what these tests ask of it again and again."""

    def __init__(self, connection: Client, sql: asyncpg.Connection) -> None:
        super().__init__(connection)
        self.sql = sql
        self.officer = self.token("officer")

    async def open(self) -> "Watch":
        """The officer is on record."""
        await self.member("officer", "community_officer")
        return self

    async def out(self, *, since: date = TODAY, until: date = DAYS[-1]) -> str:
        """A roster that is published, though only with a stall on its last day: whoever is put on it is asked."""
        roster = await self.roster(since, until)
        await self.shifts(roster, [until], kind="publicity", start="09:00", end="10:00")
        await self.publish(roster)
        return roster

    async def led(self, roster: str, *days: date, **more: Any) -> list[str]:
        """Shifts with the lead that they need; without days one that is held now."""
        return await self.shifts(roster, days or [TODAY], **{"lead_officer": self.officer, **NOW, **more})

    async def standing(self, member: str, shift: str) -> str:
        """What stands in the database."""
        query = "SELECT status FROM training.assignments WHERE shift = $1::uuid AND member = $2"
        return str(await self.sql.fetchval(query, shift, member))

    async def quiet(self) -> None:
        """Everything that was told so far is in the stream."""
        count = "SELECT count(*) FROM training.outbox WHERE published_at IS NULL"
        await becomes(lambda: self.sql.fetchval(count), 0)

    async def reasons(self, verb: str, member: str) -> list[tuple[str, str]]:
        """Facts such as `shift.withdrawn` of a member: what each is about, and the reason."""
        await self.quiet()
        facts = await self.facts(f"{verb}.v1.{member}.>")
        facts += await self.facts(f"{verb}.v1.{member}")
        return [(fact.json.get("shift", ""), fact.json.get("reason", "")) for fact in facts]

    async def takes_part(self, member: str, shift: str) -> None:
        """Assigned by the organiser, accepted by the member."""
        await self.done("assign", {"shift": shift, "member": member})
        await self.accept(member, shift)


@pytest.fixture
async def watch(line: Client, sql: asyncpg.Connection, clock: FixedClock) -> Watch:
    """An office of the test's own."""
    return await Watch(line, sql).open()


def refused(answer: Answer, field: str, *words: str) -> None:
    """A 409 that names the field, and says the code and the article."""
    assert (answer.status, answer.fields) == (409, [field]), answer.body
    for word in words:
        assert word in answer.body["detail"]


# -- nobody is forced ------------------------------------------------------------------------------------------------


async def test_an_organiser_cannot_accept_for_a_member__volunteer_regulations_art_25(watch: Watch) -> None:
    """志愿服务条例 第25条; 浙江省志愿服务条例 第11条."""
    roster = await watch.out()
    shift = (await watch.led(roster))[0]
    member, other = await watch.cleared("a", today=TODAY), await watch.cleared("b", today=TODAY)
    assert (await watch.done("assign", {"shift": shift, "member": member}))["status"] == "offered"
    for somebody_else in (ORGANISER, watch.officer, other):
        answer = await watch.ask("answer_shift", {"shift": shift, "answer": "accept"}, principal=somebody_else)
        assert (answer.status, answer.fields) == (404, ["shift"])
    for_another = await watch.ask("answer_shift", {"shift": shift, "answer": "accept", "member": member})
    assert (for_another.status, for_another.fields) == (400, ["member"])
    assert await watch.standing(member, shift) == "offered"
    await watch.accept(member, shift)
    assert await watch.standing(member, shift) == "accepted"


async def test_an_organiser_cannot_put_a_member_on_duty__volunteer_regulations_art_25(watch: Watch) -> None:
    """志愿服务条例 第25条; 浙江省志愿服务条例 第11条."""
    roster = await watch.out()
    shift = (await watch.led(roster))[0]
    member = await watch.cleared("a", today=TODAY)
    await watch.takes_part(member, shift)
    answer = await watch.ask("go_on_duty", {"shift": shift})
    assert (answer.status, answer.fields) == (404, ["principal"])
    for_another = await watch.ask("go_on_duty", {"shift": shift, "member": member})
    assert (for_another.status, for_another.fields) == (400, ["member"])
    assert await watch.sql.fetchval("SELECT count(*) FROM training.duties WHERE member = $1", member) == 0


async def test_who_has_not_answered_is_not_expected__volunteer_regulations_art_25(watch: Watch) -> None:
    """志愿服务条例 第25条: publishing asks, it does not order."""
    roster = await watch.roster(TODAY)
    shift = (await watch.led(roster))[0]
    member = await watch.cleared("a", today=TODAY)
    assert (await watch.done("assign", {"shift": shift, "member": member}))["status"] == "proposed"
    assert (await watch.publish(roster))["offered"] == 1
    assert await watch.standing(member, shift) == "offered"
    refused(await watch.ask("go_on_duty", {"shift": shift}, principal=member), "shift")


async def test_nobody_consents_in_anothers_name__volunteer_regulations_art_25(watch: Watch) -> None:
    """志愿服务条例 第25条."""
    member = await watch.member("a")
    answer = await watch.ask("give_consent", {"consents": ["patrol"]})
    assert (answer.status, answer.fields) == (404, ["principal"])
    for_another = await watch.ask("give_consent", {"consents": ["patrol"], "member": member})
    assert (for_another.status, for_another.fields) == (400, ["member"])
    assert (await watch.done("member", {"member": member}))["consents"] == []


async def test_a_volunteer_is_asked_about_an_own_post_too__volunteer_regulations_art_25(watch: Watch) -> None:
    """志愿服务条例 第25条: a guard's post is its contract's matter; a volunteer has no contract."""
    shop, roster = await watch.organisation("shop"), await watch.out()
    shift = (await watch.shifts(roster, [TODAY], kind="own_post", post_of=shop, **NOW))[0]
    member = await watch.cleared("a", today=TODAY, organisation=shop)
    assert (await watch.done("assign", {"shift": shift, "member": member}))["status"] == "offered"


async def test_a_volunteer_who_wants_nothing_is_not_ordered_to_a_post__volunteer_regulations_art_25(
    watch: Watch,
) -> None:
    """志愿服务条例 第25条."""
    shop, roster = await watch.organisation("shop"), await watch.out()
    shift = (await watch.shifts(roster, [TODAY], kind="own_post", post_of=shop, **NOW))[0]
    member = await watch.member("a", organisation=shop)
    answer = await watch.ask("assign", {"shift": shift, "member": member})
    refused(answer, "member", "no_consent", "志愿服务条例 第25条")


async def test_declining_twice_has_no_consequences__zhejiang_volunteer_rules_art_18(watch: Watch) -> None:
    """浙江省志愿服务条例 第18条: still a candidate, and what is fair is measured as before."""
    roster = await watch.out()
    first, second, third = await watch.led(roster, *DAYS[:3])
    member, other = await watch.cleared("a", today=TODAY), await watch.cleared("b", today=TODAY)

    async def candidates() -> dict[str, Any]:
        found = await watch.done("stand_ins", {"shift": third})
        return {found["member"]: found for found in found["stand_ins"] if found["member"] in (member, other)}

    before, standing = await candidates(), await watch.done("member", {"member": member})
    assert set(before) == {member, other}
    for shift in (first, second):
        await watch.takes_part(member, shift)
        said = await watch.done("answer_shift", {"shift": shift, "answer": "decline"}, principal=member)
        assert said["status"] == "declined"
        again = await watch.done("answer_shift", {"shift": shift, "answer": "decline"}, principal=member)
        assert again["status"] == "declined"
    assert await candidates() == before
    assert await watch.done("member", {"member": member}) == standing
    assert [s for s, _ in await watch.reasons("shift.declined", member)] == [first, second]
    assert (await watch.done("assign", {"shift": third, "member": member}))["status"] == "offered"
    await watch.accept(member, first)  # and it may think again
    assert await watch.standing(member, first) == "accepted"


async def test_one_may_decline_whatever_the_organiser_is_at__zhejiang_volunteer_rules_art_18(watch: Watch) -> None:
    """浙江省志愿服务条例 第18条: also while the roster is filled again, which the member knows nothing of."""
    roster = await watch.out()
    shift = (await watch.led(roster, DAYS[2]))[0]
    member = await watch.cleared("a", today=TODAY)
    await watch.takes_part(member, shift)
    await watch.done("plan_roster", {"roster": roster, "limit_s": 5})
    await watch.told(f"roster.planned.v1.{roster}")
    said = await watch.ask("answer_shift", {"shift": shift, "answer": "decline"}, principal=member)
    assert (said.status, said.body.get("status")) == (200, "declined")


async def test_what_is_only_proposed_is_known_to_the_organiser_alone(watch: Watch) -> None:
    """Nobody is told that a shift is off of which nobody has told them that it was on."""
    roster = await watch.roster(TODAY, DAYS[-1])
    shifts = await watch.led(roster, *DAYS[1:3])
    member = await watch.cleared("a", today=TODAY)
    for shift in shifts:
        assert (await watch.done("assign", {"shift": shift, "member": member}))["status"] == "proposed"
    async with hearing(watch.connection, f"user.{member}.>") as word:
        await watch.done("unassign", {"shift": shifts[0], "member": member})
        await watch.done("withdraw_consent", {"consents": ["patrol"]}, principal=member)
        await watch.quiet()
        await watch.connection.flush()
    assert [await watch.standing(member, shift) for shift in shifts] == ["withdrawn", "withdrawn"]
    assert await watch.facts(f"shift.*.v1.{member}.>") == []
    assert [json.loads(notice.data)["about"] for notice in word] == []


async def test_who_was_asked_meanwhile_is_told_that_the_place_is_taken_back(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The roster is published between the look at a proposed place and its being taken back."""
    roster = await watch.roster(TODAY, DAYS[-1])
    shift = (await watch.led(roster, DAYS[1]))[0]
    member = await watch.cleared("a", today=TODAY)
    await watch.done("assign", {"shift": shift, "member": member})
    look = rosters.assignment

    async def then_published(*about: Any) -> Any:
        monkeypatch.undo()
        place = await look(*about)
        await watch.publish(roster)
        return place

    monkeypatch.setattr(rosters, "assignment", then_published)
    answer = await watch.ask("unassign", {"shift": shift, "member": member})
    await watch.quiet()
    told = [fact.subject.split(".")[2] for fact in await watch.facts(f"shift.*.v1.{member}.{shift}")]
    if answer.status == 200:
        assert await watch.standing(member, shift) == "withdrawn"
        assert told in ([], ["offered", "withdrawn"])
    else:
        assert (answer.status, told) == (409, ["offered"])


# -- consent is taken back -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("consent", "reason"), [("patrol", "no_consent"), ("tracking", "no_tracking_consent")])
async def test_consent_withdrawn_is_off_duty_at_once__pipl_art_15(watch: Watch, consent: str, reason: str) -> None:
    """个人信息保护法 第15、29条, 志愿服务条例 第25条: duty ends, shifts to come are free for others, all is told."""
    roster = await watch.out()
    now, later = await watch.led(roster, TODAY, DAYS[2], maximum=1)
    member, other = await watch.cleared("a", today=TODAY), await watch.cleared("b", today=TODAY)
    for shift in (now, later):
        await watch.takes_part(member, shift)
    await watch.done("go_on_duty", {"shift": now}, principal=member)
    left = await watch.done("withdraw_consent", {"consents": [consent]}, principal=member)
    assert consent not in left["consents"]
    assert await watch.reasons("duty.ended", member) == [(now, reason)]
    assert (later, reason) in await watch.reasons("shift.withdrawn", member)
    assert await watch.reasons("member.suspended", member) == [("", reason)]
    on = [one for shift in (await watch.done("duty"))["shifts"] for one in shift["on_duty"]]
    assert member not in on
    assert (await watch.ask("go_on_duty", principal=member)).status == 409
    await watch.takes_part(other, later)  # the place is free
    refused(await watch.ask("assign", {"shift": later, "member": member}), "member", reason)


async def test_consent_is_withdrawn_while_a_shift_vanishes__pipl_art_15(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """个人信息保护法 第15条: an organiser who removes a shift at that very moment is no reason to keep somebody."""
    roster = await watch.out()
    gone, later = await watch.led(roster, DAYS[1], DAYS[3])
    member = await watch.cleared("a", today=TODAY)
    for shift in (gone, later):
        await watch.takes_part(member, shift)
    look = rosters.ahead_of

    async def then_removed(*about: Any) -> Any:
        found = await look(*about)
        await watch.sql.execute("DELETE FROM training.shifts WHERE id = $1::uuid", gone)
        return found

    monkeypatch.setattr(rosters, "ahead_of", then_removed)
    answer = await watch.ask("withdraw_consent", {"consents": ["patrol"]}, principal=member)
    assert answer.status == 200, answer.body
    assert (later, "no_consent") in await watch.reasons("shift.withdrawn", member)


async def test_consent_withdrawn_after_the_shift_ends_its_last_minutes_too__pipl_art_15(
    watch: Watch, clock: FixedClock
) -> None:
    """个人信息保护法 第15条: duty may go on a little after the shift; who withdraws then is off duty at once too."""
    roster = await watch.out()
    shift = (await watch.led(roster))[0]
    member = await watch.cleared("a", today=TODAY)
    await watch.takes_part(member, shift)
    await watch.done("go_on_duty", {"shift": shift}, principal=member)
    clock.forward(3 * 3600 + 60)  # a minute after the end
    await watch.done("withdraw_consent", {"consents": ["tracking"]}, principal=member)
    assert await watch.reasons("duty.ended", member) == [(shift, "no_tracking_consent")]


@pytest.mark.parametrize("kind", ["publicity", "own_post"])
async def test_nobody_is_located_without_consent_on_any_shift__pipl_art_29(watch: Watch, kind: str) -> None:
    """个人信息保护法 第28、29条: who has not agreed is either not on duty, or on duty without being seen."""
    company = await watch.organisation("company", "guard_company", entity="guard_company")
    roster = await watch.out()
    shift = (await watch.shifts(roster, [TODAY], kind=kind, post_of=company, **NOW))[0]
    member = await watch.cleared("a", "guard", today=TODAY, organisation=company)
    await watch.done("withdraw_consent", {"consents": ["tracking"]}, principal=member)
    if (await watch.ask("assign", {"shift": shift, "member": member})).body.get("status") == "offered":
        await watch.accept(member, shift)
    await watch.ask("go_on_duty", {"shift": shift}, principal=member)
    await watch.quiet()
    started = await watch.facts(f"duty.started.v1.{member}.>")
    assert [fact.json.get("located", True) for fact in started] in ([], [False])


@pytest.mark.parametrize("kind", ["publicity", "own_post"])
async def test_consent_to_be_located_is_withdrawn_on_any_shift__pipl_art_15(watch: Watch, kind: str) -> None:
    """个人信息保护法 第15、29条."""
    company = await watch.organisation("company", "guard_company", entity="guard_company")
    roster = await watch.out()
    shift = (await watch.shifts(roster, [TODAY], kind=kind, post_of=company, **NOW))[0]
    member = await watch.cleared("a", "guard", today=TODAY, organisation=company)
    if (await watch.done("assign", {"shift": shift, "member": member}))["status"] == "offered":
        await watch.accept(member, shift)
    await watch.done("go_on_duty", {"shift": shift}, principal=member)
    await watch.done("withdraw_consent", {"consents": ["tracking"]}, principal=member)
    assert await watch.reasons("duty.ended", member) == [(shift, "no_tracking_consent")]


# -- duty ends with the place ----------------------------------------------------------------------------------------


async def on_duty_now(watch: Watch, **more: Any) -> tuple[str, str, str]:
    """A roster, its shift that is held now, and the member who is on duty for it."""
    roster = await watch.out()
    shift = (await watch.led(roster, **more))[0]
    member = await watch.cleared("a", today=TODAY)
    await watch.takes_part(member, shift)
    await watch.done("go_on_duty", {"shift": shift}, principal=member)
    return roster, shift, member


async def is_consistent(watch: Watch, member: str, answer: Answer, *, field: str) -> None:
    """Either it was refused, with a field, and the duty goes on; or it was done, and nobody is located any more."""
    on = await watch.sql.fetchval("SELECT count(*) FROM training.duties WHERE member = $1 AND ended_at IS NULL", member)
    if answer.status == 200:
        assert on == 0
        assert len(await watch.reasons("duty.ended", member)) == 1
    else:
        assert (answer.status, answer.fields, on) == (409, [field], 1), answer.body


async def test_who_is_taken_off_a_shift_is_not_located_for_it__pipl_art_28(watch: Watch) -> None:
    """个人信息保护法 第28条: location is for the purpose of a duty; without the shift there is none."""
    _, shift, member = await on_duty_now(watch)
    answer = await watch.ask("unassign", {"shift": shift, "member": member})
    await is_consistent(watch, member, answer, field="member")


async def test_who_declines_on_duty_is_not_located_any_more__pipl_art_28(watch: Watch) -> None:
    """个人信息保护法 第28条; 浙江省志愿服务条例 第18条."""
    _, shift, member = await on_duty_now(watch)
    answer = await watch.ask("answer_shift", {"shift": shift, "answer": "decline"}, principal=member)
    await is_consistent(watch, member, answer, field="shift")


async def test_a_shift_that_somebody_is_on_duty_for_is_not_lost(watch: Watch) -> None:
    """Removing it is refused, or ends the duty; it is no fault of ours."""
    _, shift, member = await on_duty_now(watch)
    answer = await watch.ask("remove_shift", {"shift": shift})
    await is_consistent(watch, member, answer, field="shift")


async def test_a_shift_that_its_lead_was_on_duty_for_stays(watch: Watch) -> None:
    """The lead has no place on it; its duty is on record all the same (人民警察法 第9条: who led)."""
    roster = await watch.out()
    shift = (await watch.led(roster))[0]
    await watch.done("go_on_duty", {"shift": shift}, principal=watch.officer)
    await watch.done("go_off_duty", principal=watch.officer)
    refused(await watch.ask("remove_shift", {"shift": shift}), "shift")


async def test_one_can_always_go_off_duty(watch: Watch) -> None:
    """Also who was taken off the shift meanwhile, and put on another of the same hours."""
    roster, shift, member = await on_duty_now(watch)
    other = (await watch.led(roster, start="19:30", end="22:00"))[0]
    if (await watch.ask("unassign", {"shift": shift, "member": member})).status == 200:
        await watch.done("assign", {"shift": other, "member": member})
        answer = await watch.ask("go_off_duty", principal=member)
        assert answer.status in (200, 409), answer.body  # 409: off duty already


async def test_every_duty_ends_by_the_clock__pipl_art_28(watch: Watch, clock: FixedClock) -> None:
    """个人信息保护法 第28条: whatever became of somebody's place, neither they nor anybody else is located for ever."""
    roster, shift, member = await on_duty_now(watch)
    other = (await watch.led(roster, start="19:30", end="22:00"))[0]
    second = await watch.cleared("b", today=TODAY)
    await watch.takes_part(second, shift)
    await watch.done("go_on_duty", {"shift": shift}, principal=second)
    if (await watch.ask("unassign", {"shift": shift, "member": member})).status == 200:
        await watch.done("assign", {"shift": other, "member": member})
    clock.forward(4 * 3600)

    async def ended() -> bool:
        return all([await watch.reasons("duty.ended", who) for who in (member, second)])

    await eventually(ended, within_s=10)


async def test_a_shift_given_away_is_not_served_by_two(watch: Watch, clock: FixedClock) -> None:
    """Duty may begin half an hour early; until the shift has begun it can be swapped. One place stays one place."""
    roster = await watch.out()
    shift = (await watch.led(roster, start="19:20", end="22:00", maximum=1))[0]
    member, other = await watch.cleared("a", today=TODAY), await watch.cleared("b", today=TODAY)
    await watch.takes_part(member, shift)
    await watch.done("go_on_duty", {"shift": shift}, principal=member)
    swap = await watch.ask("propose_swap", {"shift": shift, "with_member": other}, principal=member)
    if swap.status == 200:
        await watch.ask("answer_swap", {"swap": swap.body["swap"], "answer": "agree"}, principal=other)
    clock.forward(1800)
    await watch.ask("go_off_duty", principal=member)
    holding = "SELECT count(*) FROM training.assignments WHERE shift = $1::uuid AND status IN ('accepted', 'served')"
    assert await watch.sql.fetchval(holding, shift) == 1


# -- employers -------------------------------------------------------------------------------------------------------


async def shared_guard(watch: Watch, word: str = "guard") -> tuple[str, str, str]:
    """A company with its contact, and a guard that both want to be shared."""
    contact = await watch.member(f"{word}-boss")
    about = {"entity": "guard_company", "contact": contact}
    company = await watch.organisation(f"{word}-company", "guard_company", **about)
    guard = await watch.cleared(word, "guard", today=TODAY, organisation=company)
    await watch.consent(guard, "shared_duty")
    await watch.done("consent_to_share", {"organisation": company, "consents": True}, principal=contact)
    return company, contact, guard


async def test_an_employer_withdraws_and_shared_shifts_are_free(watch: Watch) -> None:
    """保安共享 (DOMAIN §4.4): the employer's consent and the guard's; only the employer's contact speaks for it."""
    company, contact, guard = await shared_guard(watch)
    roster = await watch.out()
    shared = (await watch.led(roster, DAYS[1], kind="shared_post", maximum=1))[0]
    patrol = (await watch.led(roster, DAYS[3]))[0]
    for shift in (shared, patrol):
        await watch.takes_part(guard, shift)
    body = {"organisation": company, "consents": False}
    not_theirs = await watch.ask("consent_to_share", body)
    assert (not_theirs.status, not_theirs.fields) == (403, ["organisation"])
    assert await watch.standing(guard, shared) == "accepted"
    await watch.done("consent_to_share", body, principal=contact)
    assert await watch.reasons("shift.withdrawn", guard) == [(shared, "no_employer_consent")]
    assert await watch.standing(guard, patrol) == "accepted"  # its own evenings are its own
    refused(await watch.ask("assign", {"shift": shared, "member": guard}), "member", "no_employer_consent")


async def test_an_employer_withdraws_and_a_guard_on_shared_duty_is_off_duty_at_once(watch: Watch) -> None:
    """DOMAIN §4.4."""
    company, contact, guard = await shared_guard(watch)
    roster = await watch.out()
    shared = (await watch.led(roster, kind="shared_post"))[0]
    await watch.takes_part(guard, shared)
    await watch.done("go_on_duty", {"shift": shared}, principal=guard)
    await watch.done("consent_to_share", {"organisation": company, "consents": False}, principal=contact)
    assert await watch.reasons("duty.ended", guard) == [(shared, "no_employer_consent")]


async def test_a_guard_is_shared_only_if_it_wants__volunteer_regulations_art_25(watch: Watch) -> None:
    """志愿服务条例 第25条: of its own, beside its employer's consent."""
    _, _, guard = await shared_guard(watch)
    roster = await watch.out()
    shared = (await watch.led(roster, DAYS[1], kind="shared_post"))[0]
    await watch.takes_part(guard, shared)
    await watch.done("withdraw_consent", {"consents": ["shared_duty"]}, principal=guard)
    assert await watch.reasons("shift.withdrawn", guard) == [(shared, "no_shared_consent")]


async def test_what_was_served_stays_served__volunteer_regulations_art_19(watch: Watch, clock: FixedClock) -> None:
    """志愿服务条例 第19条: who went home early and then no longer agrees has served all the same."""
    _, shift, member = await on_duty_now(watch)
    clock.forward(3600)
    assert (await watch.done("go_off_duty", principal=member))["minutes"] == 60
    await watch.done("withdraw_consent", {"consents": ["patrol"]}, principal=member)
    assert await watch.standing(member, shift) == "served"
    assert await watch.reasons("shift.withdrawn", member) == []


async def test_who_leaves_next_month_is_shared_until_then(watch: Watch) -> None:
    """`end_membership` says from which day on nothing can be asked; until then nothing has changed."""
    _, _, guard = await shared_guard(watch)
    roster = await watch.out()
    before, after = await watch.led(roster, DAYS[1], DAYS[20], kind="shared_post")
    for shift in (before, after):
        await watch.takes_part(guard, shift)
    await watch.done("end_membership", {"member": guard, "on": DAYS[10]})
    assert await watch.reasons("shift.withdrawn", guard) == [(after, "left")]
    assert await watch.standing(guard, before) == "accepted"


async def test_a_self_hiring_units_guard_stands_at_no_other_post__guard_regulations_art_15(watch: Watch) -> None:
    """保安服务管理条例 第15、42条."""
    own = await watch.organisation("mall", "mall", entity="self_hiring_unit")
    shop, roster = await watch.organisation("shop"), await watch.out()
    there, here = [
        (await watch.shifts(roster, [DAYS[n]], kind="own_post", post_of=post, **NOW))[0]
        for n, post in enumerate((shop, own), 1)
    ]
    guard = await watch.cleared("guard", "guard", today=TODAY, organisation=own)
    answer = await watch.ask("assign", {"shift": there, "member": guard})
    refused(answer, "member", "outside_own_area", "保安服务管理条例 第15、42条")
    assert (await watch.done("assign", {"shift": here, "member": guard}))["status"] == "accepted"


async def test_an_employer_who_is_no_company_any_more_sends_nobody_out__guard_regulations_art_15(watch: Watch) -> None:
    """保安服务管理条例 第15、42条: what an employer is decides where its guards may stand, on rosters too."""
    about = {"entity": "guard_company"}
    employer = await watch.organisation("employer", "firm", **about)
    shop, roster = await watch.organisation("shop"), await watch.out()
    post = (await watch.shifts(roster, [DAYS[3]], kind="own_post", post_of=shop, **NOW))[0]
    guard = await watch.cleared("guard", "guard", today=TODAY, organisation=employer)
    assert (await watch.done("assign", {"shift": post, "member": guard}))["status"] == "accepted"
    await watch.organisation("employer", "firm", entity="self_hiring_unit")
    assert await watch.reasons("shift.withdrawn", guard) == [(post, "outside_own_area")]


async def test_nothing_is_asked_of_who_has_left_at_midnight(watch: Watch) -> None:
    """A patrol of the small hours is counted to the evening before, on which its member is still there."""
    roster = await watch.out()
    small_hours = (await watch.led(roster, DAYS[2], start="00:00", end="04:00", next_day=True))[0]
    member = await watch.cleared("a", today=TODAY)
    await watch.done("end_membership", {"member": member, "on": DAYS[3]})
    refused(await watch.ask("assign", {"shift": small_hours, "member": member}), "member", "left")


async def test_entertainment_venues_and_state_organs__guard_regulations_art_13_and_40(watch: Watch) -> None:
    """保安服务管理条例 第13、40条."""
    about = {"organisation": watch.token("x"), "name": "示例单位"}
    venue = await watch.ask("put_organisation", {**about, "kind": "entertainment", "entity": "self_hiring_unit"})
    refused(venue, "entity", "保安服务管理条例 第13条")
    office = await watch.ask("put_organisation", {**about, "kind": "government", "entity": "guard_company"})
    refused(office, "entity", "保安服务管理条例 第40条")


# -- shifts that may not be held -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"lead_officer": None}, "lead_officer", ("no_lead_officer", "人民警察法 第9条", "居民身份证法 第15条")),
        ({"purpose": "wage_dispute"}, "purpose", ("wage_dispute", "保安服务管理条例 第30条")),
        ({"purpose": "debt_collection"}, "purpose", ("wage_dispute", "保安服务管理条例 第30条")),
        ({"organiser": "employer"}, "organiser", ("not_police_led", "保安服务管理条例 第15、42条")),
        ({"client_contract": "示例合同"}, "client_contract", ("client_contract", "保安服务管理条例 第15、42条")),
        ({"pay": "wage"}, "pay", ("paid", "保安服务管理条例 第15、42条")),
        ({"insurance": None}, "insurance", ("shift_not_insured", "志愿服务条例 第17条")),
        ({"area": None}, "area", ("no_area",)),
    ],
)
async def test_a_shift_that_may_not_be_held_is_refused_with_its_article(
    watch: Watch, wrong: dict[str, Any], field: str, words: tuple[str, ...]
) -> None:
    """Named by the field that is wrong, so that an organiser knows what to mend."""
    roster = await watch.roster(TODAY)
    usual = {"kind": "shared_post", "days": [TODAY], "start": "19:00", "end": "22:00", "minimum": 1, "maximum": 2}
    lawful = {**usual, "roster": roster, "area": "韩田", "insurance": "示例保单", "lead_officer": watch.officer}
    answer = await watch.ask("add_shifts", {**lawful, **wrong})
    assert answer.status == 409
    for word in words:
        assert word in answer.body["detail"]
    assert (await watch.done("shifts", {"roster": roster}))["shifts"] == []
    assert answer.fields == [field]


async def test_only_police_lead__police_law_art_9(watch: Watch) -> None:
    """人民警察法 第9条, 居民身份证法 第15条."""
    roster, guard = await watch.roster(TODAY), await watch.cleared("guard", "guard", today=TODAY)
    body = {"roster": roster, "kind": "night_patrol", "days": [TODAY], **NOW, "minimum": 1, "maximum": 1}
    answer = await watch.ask("add_shifts", {**body, "area": "韩田", "lead_officer": guard})
    refused(answer, "lead_officer", "not_an_officer", "人民警察法 第9条")


async def test_an_officer_leads_on_each_of_the_days__police_law_art_9(watch: Watch) -> None:
    """人民警察法 第9条: not only on the first of them."""
    await watch.done("end_membership", {"member": watch.officer, "on": DAYS[2]})
    roster = await watch.roster(TODAY, DAYS[9])
    body = {"roster": roster, "kind": "night_patrol", "days": DAYS[1:4], **NOW, "minimum": 1, "maximum": 1}
    answer = await watch.ask("add_shifts", {**body, "area": "韩田", "lead_officer": watch.officer})
    refused(answer, "lead_officer", "left")


async def test_nobody_patrols_when_the_lead_has_left__police_law_art_9(watch: Watch) -> None:
    """人民警察法 第9条: the officer has to be one on the night itself, not only when the roster was drawn up."""
    roster = await watch.out()
    shift = (await watch.led(roster))[0]
    member = await watch.cleared("a", today=TODAY)
    await watch.takes_part(member, shift)
    await watch.done("end_membership", {"member": watch.officer, "on": TODAY})
    answer = await watch.ask("go_on_duty", {"shift": shift}, principal=member)
    refused(answer, "shift", "no_lead_officer", "人民警察法 第9条")


# -- people who may not stand ----------------------------------------------------------------------------------------

EVERYTHING = ("certificate", "insurance", "agreement", "patrol", "tracking")


async def almost(watch: Watch, without: str, **more: Any) -> str:
    """A member who has everything that the law asks for, but for one thing."""
    member = await watch.member("a", **more)
    until = TODAY + FOREVER
    if without != "certificate":
        about = {"member": member, "kind": "patrol_training", "number": member, "issued_on": TODAY}
        await watch.done("record_certificate", about)
    if without != "insurance":
        about = {"members": [member], "since": TODAY, "until": until, "policy": "示例保单"}
        await watch.done("record_insurance", about)
    if without != "agreement":
        about = {"members": [member], "since": TODAY, "until": until, "risks_told": without != "risks"}
        await watch.done("record_agreement", about)
    await watch.consent(member, *(c for c in ("patrol", "tracking") if c != without))
    return member


@pytest.mark.parametrize(
    ("without", "code", "article"),
    [
        ("certificate", "not_certified", "志愿服务条例 第16条"),
        ("insurance", "no_insurance", "志愿服务条例 第17条"),
        ("agreement", "no_agreement", "浙江省志愿服务条例 第21条"),
        ("risks", "risks_not_told", "志愿服务条例 第12条"),
        ("patrol", "no_consent", "志愿服务条例 第25条"),
        ("tracking", "no_tracking_consent", "个人信息保护法 第28、29条"),
        ("age", "minor", "浙江省志愿服务条例 第9条"),
    ],
)
async def test_who_lacks_what_the_law_asks_for_is_refused_with_the_article(
    watch: Watch, without: str, code: str, article: str
) -> None:
    roster = await watch.out()
    shift = (await watch.led(roster))[0]
    born = TODAY.replace(year=TODAY.year - 18) + timedelta(days=without == "age")
    member = await almost(watch, without, born=born, guardian_consents=True)
    refused(await watch.ask("assign", {"shift": shift, "member": member}), "member", code, article)
    assert (await watch.done("member", {"member": member}))["reasons"] == [code]
    left_out = (await watch.done("stand_ins", {"shift": shift}))["left_out"]
    assert {"member": member, "reason": code} in left_out


async def test_a_minor_hands_out_leaflets_while_a_guardian_agrees__zhejiang_volunteer_rules_art_9(watch: Watch) -> None:
    """浙江省志愿服务条例 第9条."""
    roster = await watch.out()
    stall = (await watch.shifts(roster, [DAYS[1]], kind="publicity", start="09:00", end="11:00"))[0]
    born = {"born": date(2012, 1, 1)}
    minor = await watch.member("minor", "student", **born)
    await watch.consent(minor, "patrol")
    answer = await watch.ask("assign", {"shift": stall, "member": minor})
    refused(answer, "member", "no_guardian_consent", "浙江省志愿服务条例 第9条")
    await watch.member("minor", "student", **born, guardian_consents=True)
    await watch.takes_part(minor, stall)
    await watch.member("minor", "student", **born, guardian_consents=False)
    assert await watch.reasons("shift.withdrawn", minor) == [(stall, "no_guardian_consent")]


async def test_a_policy_that_ends_suspends_with_its_last_day__volunteer_regulations_art_17(
    watch: Watch, clock: FixedClock
) -> None:
    """志愿服务条例 第17条."""
    member = await almost(watch, "insurance")
    about = {"members": [member], "since": TODAY, "until": TODAY, "policy": "示例保单"}
    await watch.done("record_insurance", about)
    assert (await watch.done("member", {"member": member}))["cleared_until"] == str(TODAY)
    roster = await watch.out()
    today, tomorrow = await watch.led(roster, TODAY, DAYS[1])
    await watch.takes_part(member, today)
    refused(await watch.ask("assign", {"shift": tomorrow, "member": member}), "member", "no_insurance")
    clock.forward(5 * 3600)  # midnight

    async def suspended() -> bool:
        return await watch.reasons("member.suspended", member) == [("", "no_insurance")]

    await eventually(suspended)


@pytest.mark.parametrize("ground", GROUNDS)
async def test_every_bar_is_a_bar__guard_regulations_art_17(watch: Watch, ground: str) -> None:
    """保安服务管理条例 第17条: the guard is off its shifts at once; which ground it is nobody is told."""
    roster = await watch.out()
    company = await watch.organisation("company", "guard_company", entity="guard_company")
    patrol, post = (await watch.led(roster, DAYS[1]))[0], None
    post = (await watch.shifts(roster, [DAYS[3]], kind="own_post", post_of=company, **NOW))[0]
    guard = await watch.cleared("guard", "guard", today=TODAY, organisation=company)
    await watch.takes_part(guard, patrol)
    await watch.done("assign", {"shift": post, "member": guard})
    await watch.done("record_bar", {"member": guard, "ground": ground, "since": TODAY - timedelta(days=400)})
    assert await watch.reasons("shift.withdrawn", guard) == [(patrol, "barred"), (post, "barred")]
    assert await watch.reasons("member.suspended", guard) == [("", "barred")]
    answer = await watch.ask("assign", {"shift": post, "member": guard})
    refused(answer, "member", "barred", "保安服务管理条例 第17条")
    assert ground not in json.dumps(answer.body) + json.dumps(await watch.done("member", {"member": guard}))
    await watch.done("lift_bar", {"member": guard, "ground": ground})
    assert (await watch.done("assign", {"shift": post, "member": guard}))["status"] == "accepted"


@pytest.mark.parametrize(("until", "allowed"), [(TODAY, True), (DAYS[1], False), (None, False)])
async def test_a_bar_of_three_years_ends_with_them__guard_regulations_art_17(
    watch: Watch, until: date | None, allowed: bool
) -> None:
    """保安服务管理条例 第17条: revoked less than three years ago; revoked twice, for good."""
    company, roster = await watch.organisation("company", "guard_company", entity="guard_company"), await watch.out()
    post = (await watch.shifts(roster, [TODAY], kind="own_post", post_of=company, **NOW))[0]
    guard = await watch.cleared("guard", "guard", today=TODAY, organisation=company)
    ground = "certificate_revoked" if until else "certificate_revoked_twice"
    about = {"member": guard, "ground": ground, "since": (until or TODAY).replace(year=2024), "until": until}
    await watch.done("record_bar", about)
    answer = await watch.ask("assign", {"shift": post, "member": guard})
    assert answer.status == (200 if allowed else 409), answer.body


async def test_two_bars_are_two__guard_regulations_art_17(watch: Watch) -> None:
    """保安服务管理条例 第17条: the one that has ended does not lift the other."""
    company, roster = await watch.organisation("company", "guard_company", entity="guard_company"), await watch.out()
    post = (await watch.shifts(roster, [TODAY], kind="own_post", post_of=company, **NOW))[0]
    guard = await watch.cleared("guard", "guard", today=TODAY, organisation=company)
    for ground in ("certificate_revoked", "criminal_record"):
        await watch.done("record_bar", {"member": guard, "ground": ground, "since": "2020-01-01"})
    await watch.done("lift_bar", {"member": guard, "ground": "certificate_revoked"})
    refused(await watch.ask("assign", {"shift": post, "member": guard}), "member", "barred")


async def test_a_bar_counts_on_its_own_days__guard_regulations_art_17(watch: Watch) -> None:
    """保安服务管理条例 第17条: a bar that begins next week takes the shifts from then on, and no others."""
    roster = await watch.out()
    before, during, after = await watch.led(roster, DAYS[1], DAYS[8], DAYS[20])
    guard = await watch.cleared("guard", "guard", today=TODAY)
    for shift in (before, during, after):
        await watch.takes_part(guard, shift)
    about = {"member": guard, "ground": "certificate_revoked", "since": DAYS[5], "until": DAYS[12]}
    await watch.done("record_bar", about)
    assert await watch.reasons("shift.withdrawn", guard) == [(during, "barred")]


async def test_a_bar_that_begins_suspends_on_its_day__guard_regulations_art_17(watch: Watch, clock: FixedClock) -> None:
    """保安服务管理条例 第17条: dispatch goes by who is suspended."""
    guard = await watch.cleared("guard", "guard", today=TODAY)
    await watch.done("record_bar", {"member": guard, "ground": "criminal_record", "since": DAYS[1]})
    clock.forward(24 * 3600)

    async def suspended() -> bool:
        return await watch.reasons("member.suspended", guard) == [("", "barred")]

    await eventually(suspended, within_s=10)


@pytest.mark.parametrize("passing", ["bar", "minority"])
async def test_what_passes_by_itself_suspends_no_longer_than_it_lasts(
    watch: Watch, clock: FixedClock, passing: str
) -> None:
    """A bar that has ended (保安服务管理条例 第17条), an eighteenth birthday (浙江省志愿服务条例 第9条).

    `member` says that nothing forbids patrol any more; dispatch, which goes by the facts, must hear it too.
    """
    long_ago = TODAY - timedelta(days=30)
    born = TODAY.replace(year=TODAY.year - 18) + timedelta(days=5 * (passing == "minority"))
    member = await watch.cleared("a", "guard", today=long_ago, born=born)
    if passing == "bar":
        about = {"member": member, "ground": "certificate_revoked", "since": long_ago, "until": DAYS[5]}
        await watch.done("record_bar", about)
    assert len(await watch.reasons("member.suspended", member)) == 1
    cleared = len(await watch.reasons("member.cleared", member))
    clock.forward(6 * 86400)
    assert (await watch.done("member", {"member": member}))["cleared"]

    async def told() -> bool:
        return len(await watch.reasons("member.cleared", member)) == cleared + 1

    await eventually(told, within_s=10)


async def test_school_guards_are_looked_up_every_year__minors_protection_law_art_62(watch: Watch) -> None:
    """未成年人保护法 第62条."""
    school = await watch.organisation("school", "school", entity="self_hiring_unit")
    roster = await watch.out()
    post = (await watch.shifts(roster, [TODAY], kind="own_post", post_of=school, at_school=True, **NOW))[0]
    guard = await watch.cleared("guard", "school_guard", today=TODAY, organisation=school)
    put = {"shift": post, "member": guard}
    refused(await watch.ask("assign", put), "member", "no_minor_contact_check", "未成年人保护法 第62条")
    tomorrow = await watch.ask("record_check", {"members": [guard], "checked_on": DAYS[1]})
    assert (tomorrow.status, tomorrow.fields) == (400, ["checked_on"])
    for days_ago, status in ((366, 409), (365, 200)):
        await watch.done("record_check", {"organisation": school, "checked_on": TODAY - timedelta(days=days_ago)})
        assert (await watch.ask("assign", put)).status == status


async def test_a_check_that_was_mistaken_frees_the_post__minors_protection_law_art_62(watch: Watch) -> None:
    """未成年人保护法 第62条: the day is put right, and was too long ago."""
    school = await watch.organisation("school", "school", entity="self_hiring_unit")
    roster = await watch.out()
    post = (await watch.shifts(roster, [DAYS[3]], kind="own_post", post_of=school, at_school=True, **NOW))[0]
    guard = await watch.cleared("guard", "school_guard", today=TODAY, organisation=school)
    await watch.done("record_check", {"members": [guard], "checked_on": TODAY})
    await watch.done("assign", {"shift": post, "member": guard})
    await watch.done("record_check", {"members": [guard], "checked_on": TODAY.replace(year=TODAY.year - 2)})
    assert await watch.reasons("shift.withdrawn", guard) == [(post, "no_minor_contact_check")]


async def test_a_post_at_a_school_is_one_whether_or_not_it_was_ticked__minors_protection_law_art_62(
    watch: Watch,
) -> None:
    """未成年人保护法 第62条: whose premises it is says so."""
    school = await watch.organisation("school", "school", entity="self_hiring_unit")
    roster = await watch.out()
    post = (await watch.shifts(roster, [TODAY], kind="own_post", post_of=school, **NOW))[0]
    guard = await watch.cleared("guard", "school_guard", today=TODAY, organisation=school)
    refused(await watch.ask("assign", {"shift": post, "member": guard}), "member", "no_minor_contact_check")


# -- records ---------------------------------------------------------------------------------------------------------

NAME, PHONE, BORN = "示例名字", "13800138000", date(1985, 5, 1)


async def test_what_is_masked_is_shown_to_who_says_why__volunteer_regulations_art_20(watch: Watch) -> None:
    """志愿服务条例 第20条, 个人信息保护法 第51条: who looked, and why, is kept."""
    number = id_number(BORN, 7)
    about = {"member": watch.token("a"), "kind": "villager", "name": NAME, "id_number": number, "phone": PHONE}
    await watch.done("put_member", about)
    shown = await watch.done("member", {"member": watch.token("a")})
    assert (shown["name"], shown["phone"]) == ("示***", "138****8000")
    assert shown["id_number"] == f"{number[:6]}********{number[-4:]}"
    line = next(m for m in (await watch.done("members"))["members"] if m["member"] == watch.token("a"))
    assert line["name"] == "示***"
    for said in (shown, line):
        assert not {NAME, PHONE, number, str(BORN), f"{BORN:%Y%m%d}"} & set(map(str, said.values()))

    unreasoned = await watch.ask("reveal_member", {"member": watch.token("a"), "reason": "x"})
    assert (unreasoned.status, unreasoned.fields) == (400, ["reason"])
    why = {"member": watch.token("a"), "reason": "示例：核对保单"}
    full = await watch.done("reveal_member", why, principal="clerk")
    assert (full["name"], full["id_number"], full["phone"], full["born"]) == (NAME, number, PHONE, str(BORN))
    kept = await watch.sql.fetch(
        "SELECT asked_by, reason, at FROM training.reveals WHERE member = $1", watch.token("a")
    )
    assert [tuple(row) for row in kept] == [("clerk", "示例：核对保单", EVENING)]


async def test_facts_and_notices_say_nothing_of_who_somebody_is__volunteer_regulations_art_20(watch: Watch) -> None:
    """志愿服务条例 第20条: facts go to every service and stay in the stream."""
    number = id_number(BORN, 8)
    roster = await watch.out()
    shift = (await watch.led(roster))[0]
    async with hearing(watch.connection, f"user.{watch.token('a')}.>") as word:
        member = await watch.cleared("a", today=TODAY, name=NAME, id_number=number, phone=PHONE, born=None)
        await watch.takes_part(member, shift)
        await watch.done("go_on_duty", {"shift": shift}, principal=member)
        await watch.done("withdraw_consent", {"consents": ["patrol"]}, principal=member)
        await watch.done("record_bar", {"member": member, "ground": "criminal_record", "since": TODAY})
        await watch.done("end_membership", {"member": member, "on": TODAY})
        await watch.quiet()
        await watch.connection.flush()
    told = [fact.body.decode() for fact in await watch.facts(">") if member in fact.body.decode()]
    assert len(told) >= 8
    for text in [*told, *(notice.data.decode() for notice in word)]:
        for secret in (NAME, PHONE, number, str(BORN), "criminal_record"):
            assert secret not in text


async def test_a_certificate_of_service_is_free_and_says_what_it_must__volunteer_regulations_art_19(
    watch: Watch, clock: FixedClock
) -> None:
    """志愿服务条例 第19条, 民发〔2015〕149号: identity, number, hours, content, issuer, contact, number, date."""
    _, _, member = await on_duty_now(watch)
    clock.forward(2 * 3600)
    await watch.done("go_off_duty", principal=member)
    paper = await watch.done("certify_service", {"since": TODAY, "until": TODAY}, principal=member)
    assert (paper["holder"], paper["volunteer_number"]) == ("示例甲", member)
    assert (paper["minutes"], paper["shifts"], paper["content"]) == (120, 1, ["night_patrol"])
    assert (paper["issued_on"], paper["number"][:11]) == (str(TODAY), "FW-20270301")
    assert paper["issuer"]
    assert paper["issuer_contact"]
    not_theirs = await watch.ask("certify_service", {"since": TODAY, "until": TODAY, "member": member})
    assert not_theirs.status == 400


async def test_what_a_swap_took_is_told_of_both_who_gave(watch: Watch) -> None:
    """Facts are ordered by member: whoever follows one member must see that it left a shift, and why."""
    roster = await watch.out()
    first, second = await watch.led(roster, DAYS[1], DAYS[3])
    giver, taker = await watch.cleared("a", today=TODAY), await watch.cleared("b", today=TODAY)
    await watch.takes_part(giver, first)
    await watch.takes_part(taker, second)
    body = {"shift": first, "with_member": taker, "for_shift": second}
    swap = (await watch.done("propose_swap", body, principal=giver))["swap"]
    await watch.done("answer_swap", {"swap": swap, "answer": "agree"}, principal=taker)
    assert [await watch.standing(giver, s) for s in (first, second)] == ["withdrawn", "accepted"]
    assert [await watch.standing(taker, s) for s in (first, second)] == ["accepted", "withdrawn"]
    assert [shift for shift, _ in await watch.reasons("shift.swapped", giver)] == [first]
    left = await watch.reasons("shift.swapped", taker) + await watch.reasons("shift.withdrawn", taker)
    assert [shift for shift, _ in left] == [second]


# -- what the planner proposes ---------------------------------------------------------------------------------------


async def planned(watch: Watch, roster: str, unit: str, many: int = 1) -> None:
    """The roster is filled with people of a unit, for the first time or once more."""
    await watch.done("plan_roster", {"roster": roster, "organisations": [unit], "limit_s": 5})
    await watch.told(f"roster.planned.v1.{roster}", many)


async def test_a_units_promise_orders_nobody__volunteer_regulations_art_25(watch: Watch) -> None:
    """志愿服务条例 第25条: 每家每月出一人 is the unit's promise; each person's consent is its own."""
    unit = await watch.organisation("unit")
    await watch.done("put_commitment", {"organisation": unit, "shifts_a_month": 2, "since": TODAY})
    unwilling = await watch.cleared("a", today=TODAY, organisation=unit)
    await watch.done("withdraw_consent", {"consents": ["patrol"]}, principal=unwilling)
    roster = await watch.roster(TODAY, DAYS[-1])
    shift = (await watch.led(roster, DAYS[1]))[0]
    await planned(watch, roster, unit)
    (found,) = (await watch.done("shifts", {"roster": roster}))["shifts"]
    assert (found["shift"], found["standing"]) == (shift, [])
    assert found["unfilled"] == {"missing": 1, "why": {"no_consent": 1}}
    willing = await watch.cleared("b", today=TODAY, organisation=unit)
    await planned(watch, roster, unit, 2)
    assert await watch.standing(willing, shift) == "proposed"  # proposed; it is for the member to answer


async def test_what_a_unit_has_given_counts_once_against_its_promise(watch: Watch) -> None:
    """Two shifts were promised, one is taken: filled again, the roster gets the other one."""
    unit = await watch.organisation("unit")
    await watch.done("put_commitment", {"organisation": unit, "shifts_a_month": 2, "since": TODAY})
    roster = await watch.roster(TODAY, DAYS[-1])
    first, second = await watch.led(roster, DAYS[1], DAYS[3])
    one, other = [await watch.cleared(word, today=TODAY, organisation=unit) for word in ("a", "b")]
    await watch.done("assign", {"shift": first, "member": one})
    await planned(watch, roster, unit)
    assert "proposed" in (await watch.standing(one, second), await watch.standing(other, second))


async def test_a_place_that_was_taken_while_the_roster_was_planned_is_taken(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody stands above a shift's maximum because two filled it at once, an organiser and the planner."""
    thinking, go_on = threading.Event(), threading.Event()

    def slowly(*about: Any, **more: Any) -> Plan:
        found = plan(*about, **more)
        thinking.set()
        assert go_on.wait(timeout=30)
        return found

    monkeypatch.setattr("shouwang.training.planner.plan", slowly)
    unit = await watch.organisation("unit")
    by_plan = await watch.cleared("a", today=TODAY, organisation=unit)
    by_hand = await watch.cleared("b", today=TODAY)
    roster = await watch.roster(TODAY, DAYS[-1])
    shift = (await watch.led(roster, DAYS[1], maximum=1))[0]
    await watch.done("plan_roster", {"roster": roster, "organisations": [unit], "limit_s": 5})
    await eventually(thinking.is_set)
    await watch.ask("assign", {"shift": shift, "member": by_hand})
    go_on.set()
    await watch.told(f"roster.planned.v1.{roster}")
    assert [await watch.standing(m, shift) for m in (by_hand, by_plan)] in (
        ["proposed", "None"],
        ["None", "proposed"],
    )
