"""Member rings: who is in them, who may warn whom, who has read it; and officers' cards."""

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from shouwang.common.testing import becomes, eventually, hearing
from shouwang.training.domain.days import day_of

from .conftest import Services
from .office import Office

TEXT = "示例：今晚有人在夜市试拉车门，请收好贵重物品"


def today() -> date:
    """The service's day; its clock is the real one."""
    return day_of(datetime.now(UTC))


@pytest.fixture
def office(services: Services, broker: Client) -> Office:
    """An office of the test's own."""
    return Office(broker)


class Ring:
    """A ring of the test's own: an officer and three units, two of which share a contact."""

    def __init__(self, office: Office) -> None:
        self.office, self.name = office, office.token("ring")
        self.officer = office.token("officer")
        self.contacts = [office.token("owner"), office.token("keeper")]
        self.units = [office.token(word) for word in ("shop", "hotel", "firm")]

    async def form(self) -> "Ring":
        """On record, with its units."""
        await self.office.member("officer", "community_officer", phone="13900139000")
        for word in ("owner", "keeper"):
            await self.office.member(word, phone="13800138000")
        about = {"ring": self.name, "name": "示例联动", "lead_officer": self.officer, "since": today()}
        await self.office.done("put_ring", about)
        for word, contact in (("shop", "owner"), ("hotel", "keeper"), ("firm", "keeper")):
            unit = await self.office.organisation(word, word)
            await self.join(unit, self.office.token(contact))
        return self

    async def join(self, unit: str, contact: str) -> Any:
        """A unit takes part."""
        return await self.office.done("join_ring", {"ring": self.name, "organisation": unit, "contact": contact})

    async def post(self, principal: str, **more: Any) -> Any:
        """Said to all."""
        body = {"ring": self.name, "kind": "warning", "text": TEXT, **more}
        return await self.office.done("post_to_ring", body, principal=principal)

    async def posts(self, **more: Any) -> list[dict[str, Any]]:
        """As they stand."""
        found: list[dict[str, Any]] = (await self.office.done("posts", {"ring": self.name, **more}))["posts"]
        return found

    async def now(self) -> Any:
        """As it stands."""
        return await self.office.done("ring", {"ring": self.name})

    async def facts(self, subject: str, of: str = ">") -> list[str]:
        """What was told of it, in order: `unit.joined`."""
        found = await self.office.facts(f"{subject}.v1.{self.name}.{of}")
        return [".".join(fact.subject.split(".")[1:3]) for fact in found]


@pytest.fixture
async def ring(office: Office) -> Ring:
    """Formed."""
    return await Ring(office).form()


# -- rings and units -------------------------------------------------------------------------------------------------


async def test_a_ring_is_led_by_an_officer(office: Office) -> None:
    volunteer = await office.member("volunteer")
    about = {"ring": office.token("ring"), "name": "示例联动", "lead_officer": volunteer, "since": today()}
    refused = await office.ask("put_ring", about)
    assert (refused.status, refused.fields) == (409, ["lead_officer"])
    unknown = await office.ask("put_ring", {**about, "lead_officer": office.token("nobody")})
    assert (unknown.status, unknown.fields) == (404, ["lead_officer"])
    backwards = await office.ask("put_ring", {**about, "until": today() - timedelta(days=1)})
    assert (backwards.status, backwards.fields) == (400, ["until"])


async def test_a_ring_is_told_when_it_is_formed_and_when_it_changes(ring: Ring) -> None:
    office = ring.office
    same = {"ring": ring.name, "name": "示例联动（改名）", "lead_officer": ring.officer, "since": today()}
    await office.done("put_ring", same)
    other = await office.member("deputy", "police_officer")
    await office.done("put_ring", {**same, "lead_officer": other})
    changed = await office.told(f"ring.changed.v1.{ring.name}")
    assert changed[0].json["lead_officer"] == other
    assert len(await office.facts(f"ring.formed.v1.{ring.name}")) == 1
    assert len(changed) == 1
    found = await office.done("rings", {})
    [mine] = [each for each in found["rings"] if each["ring"] == ring.name]
    assert (mine["name"], mine["units"], mine["open_posts"]) == ("示例联动（改名）", 3, 0)


async def test_units_show_their_contact_masked_and_their_shifts_of_the_month(ring: Ring) -> None:
    office, shop = ring.office, ring.units[0]
    volunteer = await office.member("volunteer", organisation=shop)
    await office.consent(volunteer)
    roster = await office.roster(today())
    stands = {"kind": "publicity", "start": "00:00", "end": "23:59", "insurance": None}
    [shift] = await office.shifts(roster, [today()], **stands)
    await office.done("assign", {"shift": shift, "member": volunteer})
    said = await ring.now()
    assert (said["month"], said["lead_officer"], said["open_posts"]) == (f"{today():%Y-%m}", ring.officer, 0)
    units = {unit["organisation"]: unit for unit in said["units"]}
    assert {
        name: (unit["kind"], unit["contact"], unit["standing"], unit["served"]) for name, unit in units.items()
    } == {
        ring.units[0]: ("shop", ring.contacts[0], 1, 0),
        ring.units[1]: ("hotel", ring.contacts[1], 0, 0),
        ring.units[2]: ("firm", ring.contacts[1], 0, 0),
    }
    assert {unit["contact_phone"] for unit in units.values()} == {"138****8000"}


async def test_a_unit_leaves_and_comes_again_and_each_is_told(ring: Ring) -> None:
    office, shop = ring.office, ring.units[0]
    leave = {"ring": ring.name, "organisation": shop, "on": today()}
    for _ in range(2):
        left = await office.done("leave_ring", leave)
    assert left["until"] == f"{today()}"
    assert [unit["organisation"] for unit in (await ring.now())["units"]] == sorted(ring.units[1:])
    again = await ring.join(shop, ring.contacts[0])
    assert (again["since"], again["until"]) == (f"{today()}", None)
    await ring.join(shop, ring.contacts[0])
    await ring.join(shop, ring.contacts[1])
    told = ["unit.joined", "unit.left", "unit.joined", "unit.joined"]
    await becomes(lambda: ring.facts("unit.*", shop), told)


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"ring": "no-such-ring"}, 404, "ring"),
        ({"organisation": "no-such-unit"}, 404, "organisation"),
        ({"contact": "nobody-knows"}, 404, "contact"),
    ],
)
async def test_who_joins_must_be_known(ring: Ring, wrong: dict[str, str], status: int, field: str) -> None:
    body = {"ring": ring.name, "organisation": ring.units[0], "contact": ring.contacts[0], **wrong}
    refused = await ring.office.ask("join_ring", body)
    assert (refused.status, refused.fields) == (status, [field])


async def test_a_member_who_has_left_cannot_be_a_contact_nor_hear_any_more(ring: Ring) -> None:
    office = ring.office
    await office.done("end_membership", {"member": ring.contacts[1], "on": today()})
    body = {"ring": ring.name, "organisation": ring.units[0], "contact": ring.contacts[1]}
    refused = await office.ask("join_ring", body)
    assert (refused.status, refused.fields) == (409, ["contact"])
    assert (await ring.post(ring.officer))["recipients"] == 1


async def test_nothing_is_left_that_was_never_joined(ring: Ring) -> None:
    stranger = await ring.office.organisation("stranger")
    for body, field in (
        ({"ring": ring.name, "organisation": stranger, "on": today()}, "organisation"),
        ({"ring": "no-such-ring", "organisation": stranger, "on": today()}, "ring"),
    ):
        refused = await ring.office.ask("leave_ring", body)
        assert (refused.status, refused.fields) == (404, [field])
    early = {"ring": ring.name, "organisation": ring.units[0], "on": today() - timedelta(days=1)}
    assert (await ring.office.ask("leave_ring", early)).fields == ["on"]


# -- posts -----------------------------------------------------------------------------------------------------------


async def heard(stack: AsyncExitStack, ring: Ring, members: Sequence[str]) -> dict[str, list[Msg]]:
    """What comes to the phones of these."""
    connection = ring.office.connection
    return {
        member: await stack.enter_async_context(hearing(connection, f"user.{member}.notice.ring")) for member in members
    }


async def test_a_warning_reaches_everybody_but_who_posts_it_and_is_acknowledged(ring: Ring) -> None:
    office, (owner, keeper) = ring.office, ring.contacts
    async with AsyncExitStack() as stack:
        phones = await heard(stack, ring, [owner, keeper, ring.officer])
        said = await ring.post(owner)
        assert said["recipients"] == 2  # the keeper speaks for two units, and hears once
        await eventually(lambda: phones[keeper] and phones[ring.officer])
        assert json.loads(phones[keeper][0].data)["text"] == TEXT
        post = {"post": said["post"]}
        for principal in (owner, office.token("stranger")):
            assert (await office.ask("acknowledge_post", post, principal=principal)).status == 403
        for _ in range(2):
            answered = await office.done("acknowledge_post", post, principal=keeper)
        assert (answered["acknowledged"], answered["waiting"]) == (1, 1)
        [now] = await ring.posts(open=True)
        assert (now["posted_by"], now["recipients"], now["acknowledged"]) == (owner, 2, 1)
        assert (now["waiting"], now["waiting_for"]) == (1, [ring.officer])
        assert (await ring.now())["open_posts"] == 1

        # -- it was an error: whoever got it is told
        assert (await office.ask("withdraw_post", post, principal=keeper)).status == 403
        for principal in (owner, ring.officer):
            await office.done("withdraw_post", post, principal=principal)
        await eventually(lambda: len(phones[keeper]) == 2)
        assert json.loads(phones[keeper][1].data)["withdrawn"] is True
        assert phones[owner] == []
    assert (await ring.posts(open=True), (await ring.now())["open_posts"]) == ([], 0)
    [gone] = await ring.posts(open=False)
    assert (gone["open"], gone["post"]) == (False, said["post"])
    await becomes(lambda: ring.facts("post.*"), ["post.published", "post.acknowledged", "post.withdrawn"])
    published = (await office.facts(f"post.published.v1.{ring.name}.>"))[0].json
    assert (published["kind"], published["recipients"], "text" in published) == ("warning", 2, False)


async def test_information_need_not_be_acknowledged(ring: Ring) -> None:
    await ring.post(ring.officer, kind="info", needs_ack=False)
    [post] = await ring.posts()
    assert (post["recipients"], post["waiting"], post["waiting_for"]) == (2, 0, [])


async def test_a_post_that_expired_is_not_open(ring: Ring) -> None:
    over = await ring.office.ask(
        "post_to_ring",
        {"ring": ring.name, "kind": "info", "text": TEXT, "expires_at": datetime.now(UTC).isoformat()},
        principal=ring.officer,
    )
    assert (over.status, over.fields) == (400, ["expires_at"])
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    await ring.post(ring.officer, expires_at=soon)
    await becomes(lambda: ring.posts(open=True), [])
    assert len(await ring.posts()) == len(await ring.posts(open=False)) == 1


async def test_posts_page_from_the_newest(ring: Ring) -> None:
    made = [(await ring.post(ring.officer))["post"] for _ in range(3)]
    first = [post["post"] for post in await ring.posts(limit=2)]
    assert first == made[:0:-1]
    assert [post["post"] for post in await ring.posts(limit=2, before=first[-1])] == made[:1]


async def test_only_the_ring_posts_to_the_ring(ring: Ring) -> None:
    office, body = ring.office, {"ring": ring.name, "kind": "info", "text": TEXT}
    await office.member("volunteer", organisation=ring.units[0])
    for principal in (office.token("volunteer"), "organiser"):
        assert (await office.ask("post_to_ring", body, principal=principal)).status == 403
    await office.done("leave_ring", {"ring": ring.name, "organisation": ring.units[0], "on": today()})
    assert (await office.ask("post_to_ring", body, principal=ring.contacts[0])).status == 403
    assert (await ring.post(ring.officer))["recipients"] == 1
    over = {"name": "示例联动", "lead_officer": ring.officer, "since": today() - timedelta(days=9)}
    await office.done("put_ring", {"ring": ring.name, **over, "until": today() - timedelta(days=1)})
    refused = await office.ask("post_to_ring", body, principal=ring.officer)
    assert (refused.status, refused.fields) == (409, ["ring"])


@pytest.mark.parametrize("text", ["示例：请协查 330381199001010010", "示例：联系 138 0013 8000"])
async def test_numbers_of_people_are_not_posted(ring: Ring, text: str) -> None:
    body = {"ring": ring.name, "kind": "info", "text": text}
    refused = await ring.office.ask("post_to_ring", body, principal=ring.officer)
    assert (refused.status, refused.fields) == (400, ["text"])
    assert "no numbers of people and no details of cases" in refused.body["detail"]
    assert await ring.posts() == []


@pytest.mark.parametrize("verb", ["ring", "posts"])
async def test_a_ring_that_is_not_known_is_404(office: Office, verb: str) -> None:
    assert (await office.ask(verb, {"ring": office.token("ring")})).status == 404


@pytest.mark.parametrize("verb", ["acknowledge_post", "withdraw_post"])
async def test_a_post_that_is_not_known_is_404(office: Office, verb: str) -> None:
    refused = await office.ask(verb, {"post": "01a20c10-3a80-7601-8c1e-5f0a2b9d0601"})
    assert (refused.status, refused.fields) == (404, ["post"])


# -- cards -----------------------------------------------------------------------------------------------------------


async def test_an_officer_has_a_card_for_everybody_to_scan(office: Office) -> None:
    post = await office.organisation("post", "police_post", name="示例：警务站;一")
    about = {"name": "示例\n乙", "phone": "13900139000", "organisation": post}
    officer = await office.member("officer", "community_officer", **about)
    card = await office.done("contact_card", {"officer": officer}, principal="anybody")
    assert card["vcard"].split("\r\n") == [
        "BEGIN:VCARD", "VERSION:3.0", "N:示例 乙", "FN:示例 乙", "ORG:示例：警务站\\;一", "TEL;TYPE=CELL:13900139000",
        "TITLE:社区民警", "END:VCARD", "",
    ]  # fmt: skip
    assert card["svg"].startswith("<svg")


async def test_nobody_else_has_one(office: Office) -> None:
    volunteer = await office.member("volunteer", phone="13800138000")
    gone = await office.member("gone", "police_officer", phone="13800138000")
    await office.done("end_membership", {"member": gone, "on": today()})
    for officer in (volunteer, gone, office.token("nobody")):
        refused = await office.ask("contact_card", {"officer": officer}, principal="anybody")
        assert (refused.status, refused.fields) == (404, ["officer"])
