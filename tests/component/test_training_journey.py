"""From a day course to a night on duty: the whole way of a shop volunteer, through NATS, on real servers.

Training runs in the test's own process, since its clock is set from the morning of a course to the middle of a night.
"""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import nats
import pytest
from nats.aio.client import Client

from shouwang.common.testing import Answer, FixedClock, ask, becomes, eventually, running
from shouwang.dispatch.main import assemble as dispatch_service
from shouwang.dispatch.settings import Settings as DispatchSettings
from shouwang.stack.suite import Suite
from shouwang.training.main import assemble
from shouwang.training.settings import Settings

from .conftest import SETTINGS
from .office import Office, id_number
from .town import FeedEar, Town

UNITS = 95
MORNING = datetime(2027, 3, 1, 0, 30, tzinfo=UTC)
"""08:30 in Ruian. In the future, so that what training says is never over for dispatch, whose clock is the real one."""
MONTH = [date(2027, 4, 1) + timedelta(days=n) for n in range(30)]


@pytest.fixture(scope="module")
async def suite_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Suite]:
    """Servers of its own, and location. The other two run here, each with settings of its own."""
    async with Suite(tmp_path_factory.mktemp("journey"), print, only=("location",), env=SETTINGS) as suite:
        yield suite


@pytest.fixture(scope="module")
async def connection(suite_of_its_own: Suite) -> AsyncIterator[Client]:
    """The test's connection."""
    made = await nats.connect(suite_of_its_own.nats.url)
    yield made
    await made.close()


@pytest.fixture(scope="module")
async def clock(suite_of_its_own: Suite) -> AsyncIterator[FixedClock]:
    """Training's clock; training and dispatch at work, which offers only to who is on duty."""
    clock = FixedClock(MORNING)
    where = {"nats_url": suite_of_its_own.nats.url, "postgres_url": suite_of_its_own.postgres.url}
    training = assemble(Settings(**where, tick_s=0.1, daily_s=0.5), clock)
    dispatch = dispatch_service(DispatchSettings(**where, duty="enforced", offer_s=3600))
    async with running(training), running(dispatch):
        yield clock


def people_csv(office: Office) -> bytes:
    """95 units, two volunteers each, as an organiser has them in a sheet; GB18030, as Excel in China writes it."""
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(["编号", "姓名", "类别", "身份证号", "手机", "所属单位"])
    for n in range(1, UNITS + 1):
        for m in (1, 2):
            born = date(1970 + n % 30, 1 + n % 12, 1 + m)
            number = id_number(born, (2 * n + m) % 1000)
            sheet.writerow(
                [office.token(f"v{n:02}-{m}"), f"示例{n}", "店铺志愿者", number, "", office.token(f"u{n:02}")]
            )
    return out.getvalue().encode("gb18030")


def units_csv(office: Office) -> bytes:
    """The 95 member units of the linkage scheme: 68 shops, 6 hotels, 3 malls, 18 firms."""
    kinds = ["店铺"] * 68 + ["宾馆"] * 6 + ["商场"] * 3 + ["企业"] * 18
    lines = [f"{office.token(f'u{n:02}')},示例单位{n},{kind}" for n, kind in enumerate(kinds, 1)]
    return "\n".join(["编号,名称,类型", *lines]).encode("utf-8-sig")


async def test_from_a_day_course_to_a_night_on_duty(connection: Client, clock: FixedClock) -> None:
    office = Office(connection)
    # -- an organiser imports people: first dry, then for good
    await office.put_file("units.csv", units_csv(office))
    await office.put_file("people.csv", people_csv(office))
    assert (await office.done("import_file", {"object": "units.csv", "holds": "organisations", "dry_run": False}))[
        "created"
    ] == UNITS
    dry = await office.done("import_file", {"object": "people.csv", "holds": "members"})
    assert (dry["imported"], dry["created"], dry["fault_count"]) == (False, 2 * UNITS, 0)
    assert (await office.done("members", {}))["members"] == []
    report = await office.done("import_file", {"object": "people.csv", "holds": "members", "dry_run": False})
    assert (report["imported"], report["created"]) == (True, 2 * UNITS)

    # -- a course: opened, enrolled, attended by QR, examined, certified
    members = [office.token(f"v{n:02}-{m}") for n in range(1, UNITS + 1) for m in (1, 2)]
    await office.done("put_site", {"site": "base", "name": "示例基地", "level": "city"})
    await office.done("accredit_site", {"site": "base", "since": "2027-01-01"})
    subjects = [{"name": "巡逻要领", "kind": "theory", "class_hours": 2}]
    course = {
        "course": "patrol",
        "name": "示例巡逻班",
        "subjects": subjects,
        "certificate": "patrol_training",
        "valid_months": 24,
    }
    await office.done("put_course", course)
    batches = [{"starts_on": "2027-03-01", "ends_on": "2027-03-01", "seats": len(members) - 1}]
    run = await office.done("open_run", {"course": "patrol", "site": "base", "batches": batches})
    batch = run["batches"][0]
    enrolled = await office.done("enrol", {"batch": batch, "members": members})
    assert (len(enrolled["enrolled"]), enrolled["waiting"], enrolled["refused"]) == (len(members) - 1, members[-1:], [])
    lesson = {"starts_at": MORNING, "class_hours": 2, "subject": "巡逻要领", "kind": "theory"}
    session = (await office.done("put_timetable", {"batch": batch, "sessions": [lesson]}))["sessions"][0]
    shown = await office.done("show_check_in", {"session": session})
    assert "<svg" in shown["svg"]
    for member in members[:-1]:
        await office.done("check_in", {"code": shown["code"]}, principal=member)
    not_enrolled = await office.ask("check_in", {"code": shown["code"]}, principal=members[-1])
    assert not_enrolled.status == 403
    clock.forward(120)
    stale = await office.ask("check_in", {"code": shown["code"]}, principal=members[0])
    assert (stale.status, stale.fields) == (409, ["code"])
    failed = members[-3]  # its unit has another
    results = [{"member": member, "score": 40 if member == failed else 85} for member in members[:-1]]
    exam = await office.done("record_exam", {"batch": batch, "results": results})
    assert (exam["passed"], exam["failed"]) == (len(members) - 2, 1)
    certified = await office.done("issue_certificates", {"batch": batch})
    assert len(certified["issued"]) == len(members) - 2
    assert certified["refused"] == [{"member": failed, "reason": "failed"}]
    verified = await office.done("verify_certificate", {"code": certified["issued"][0]["code"]}, principal="anybody")
    assert (verified["status"], verified["holder"]) == ("valid", "示**")

    # -- papers and consent: without them nobody is cleared
    await office.paper(members, today=date(2027, 3, 1))
    for member in members:
        await office.consent(member)
    await office.told("member.cleared.v1.*", len(members) - 2)

    # -- next month's roster for the 95 units
    for n in range(1, UNITS + 1):
        await office.done("put_commitment", {"organisation": office.token(f"u{n:02}"), "since": "2027-03-01"})
    officer = await office.member("officer", "community_officer")
    roster = await office.roster(MONTH[0], MONTH[-1])
    await office.shifts(roster, MONTH, minimum=3, maximum=4, lead_officer=officer)
    await office.done("plan_roster", {"roster": roster, "limit_s": 60})
    planned = (await office.told(f"roster.planned.v1.{roster}", within_s=90))[0].json
    assert (planned["places"], planned["filled"] >= 90, planned["unfilled"]) == (90, True, 0)
    kept = await office.done("commitments", {"day": MONTH[0]})
    assert [c["standing"] for c in kept["commitments"]].count(1) == UNITS  # each unit one person a month
    published = await office.publish(roster)
    assert published["offered"] == UNITS

    # -- who stands on the first night; one of them swaps with somebody of another night
    shifts = (await office.done("shifts", {"roster": roster}))["shifts"]
    first, second = shifts[0], shifts[1]
    giver, taker = first["standing"][0]["member"], second["standing"][0]["member"]
    for shift in (first, second):
        for place in shift["standing"]:
            await office.accept(place["member"], shift["shift"])
    swap = {"shift": first["shift"], "with_member": taker, "for_shift": second["shift"]}
    proposed = await office.done("propose_swap", swap, principal=giver)
    agreed = await office.done("answer_swap", {"swap": proposed["swap"], "answer": "agree"}, principal=taker)
    assert agreed["status"] == "agreed"
    theirs = await office.done("shifts", {"roster": roster, "member": taker})
    assert [shift["shift"] for shift in theirs["shifts"]] == [first["shift"]]

    # -- 22:00: on duty; too early, and without a shift, nobody is
    clock.now = datetime(2027, 4, 1, 13, 0, tzinfo=UTC)
    early = await office.ask("go_on_duty", principal=taker)
    assert (early.status, early.fields) == (409, ["shift"])
    clock.now = datetime(2027, 4, 1, 14, 0, tzinfo=UTC)
    on = await office.done("go_on_duty", principal=taker)
    assert on["shift"] == first["shift"]
    assert (await office.ask("go_on_duty", principal=giver)).status == 409  # its night is tomorrow
    coverage = await office.done("duty")
    assert (coverage["on_duty"], coverage["shifts"][0]["on_duty"]) == (1, [taker])

    # -- a call: only who is certified and on shift is offered it, though others are nearer
    ear = FeedEar()
    await ear.listen(connection)
    town = Town(connection, ear)
    town.name, stranger = office.name, "stranger"
    for word, metres in (
        (stranger, 10),
        (word_of(office, failed), 20),
        (word_of(office, giver), 30),
        (word_of(office, taker), 300),
    ):
        await town.report(word, metres)

    async def opened() -> Answer | None:
        body = {"kind": "property", "lat": town.lat, "lon": town.lon, "summary": "示例"}
        answer = await ask(connection, "request.duty-room.dispatch.open_incident.v1", json.dumps(body).encode())
        return answer if answer.status == 200 and answer.body["tasks"] else None

    said: Answer = await eventually(opened)
    assert [task["unit"] for task in said.body["tasks"]] == [taker]
    out = {left["unit"]: left["reason"] for left in said.body["left_out"]}
    assert out == {town.unit(stranger): "unknown_member", failed: "not_certified", giver: "off_duty"}

    # -- 02:00: off duty; the hours are certified free of charge
    clock.now = datetime(2027, 4, 1, 18, 0, tzinfo=UTC)
    off = await office.done("go_off_duty", principal=taker)
    assert off["minutes"] == 240
    served = await office.done("hours", {"member": taker, "since": MONTH[0], "until": MONTH[-1]})
    assert (served["minutes"], served["shifts"]) == (240, 1)
    paper = await office.done("certify_service", {"since": MONTH[0], "until": MONTH[-1]}, principal=taker)
    assert (paper["minutes"], paper["content"], paper["volunteer_number"]) == (240, ["night_patrol"], taker)
    assert (await office.done("calendar", principal=giver))["ics"].count("BEGIN:VEVENT") == 1
    await becomes(lambda: duty_facts(office, taker), ["started", "ended"])


async def duty_facts(office: Office, member: str) -> list[str]:
    """What was told of a member's duty, in order."""
    return [fact.subject.split(".")[2] for fact in await office.facts(f"duty.*.v1.{member}.>")]


def word_of(office: Office, member: str) -> str:
    """What comes after the office's name."""
    return member.removeprefix(f"{office.name}-")
