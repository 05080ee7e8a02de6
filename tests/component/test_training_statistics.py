"""Figures of a month with everything in it, on the real database: in years of long ago, which no other test touches.

What was served cannot be asked for after years, so those rows are written into the database.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from nats.aio.client import Client

from shouwang.common.ids import new_id
from shouwang.training.domain.days import at

from .conftest import Services
from .office import Office

MARCH = {"since": "2012-03-01", "until": "2012-03-31"}


class Chronicle:
    """What happened long ago."""

    def __init__(self, office: Office, db: asyncpg.Pool) -> None:
        self.office, self.db = office, db
        self.site, self.course = office.token("site"), office.token("course")

    async def begins(self) -> "Chronicle":
        """A site and a course."""
        await self.office.done("put_site", {"site": self.site, "name": "示例训练点", "level": "town"})
        await self.office.done("accredit_site", {"site": self.site, "since": "2011-01-01"})
        subject = {"name": "示例", "kind": "theory", "class_hours": 1}
        await self.office.done("put_course", {"course": self.course, "name": "示例班", "subjects": [subject]})
        return self

    async def people(self, kind: str, many: int) -> list[str]:
        """Members of a kind."""
        return [await self.office.member(f"{kind}{n}", kind) for n in range(many)]

    async def run(self, *batches: tuple[date, Sequence[str]]) -> list[str]:
        """A course with its batches, each with who was enrolled."""
        days = [{"starts_on": day, "ends_on": day, "seats": 100} for day, _ in batches]
        run = await self.office.done("open_run", {"course": self.course, "site": self.site, "batches": days})
        for batch, (_, members) in zip(run["batches"], batches, strict=True):
            await self.office.done("enrol", {"batch": batch, "members": list(members)})
        return list(run["batches"])

    async def roster(self) -> str:
        """A published one."""
        roster = new_id()
        insert = (
            "INSERT INTO training.rosters (id, name, since, until, status) VALUES ($1, '示例', $2, $2, 'published')"
        )
        await self.db.execute(insert, roster, date(2012, 1, 1))
        return roster

    async def shift(self, roster: str, day: date, kind: str = "night_patrol", minimum: int = 2) -> str:
        """22:00 to 02:00 of a day."""
        shift, begins = new_id(), at(day, "22:00")
        await self.db.execute(
            "INSERT INTO training.shifts (id, roster, kind, duty_date, starts_at, ends_at, organiser, pay, purpose,"
            " at_school, requires, minimum, maximum)"
            " VALUES ($1, $2, $3, $4, $5, $6, 'police', 'unpaid', 'prevention', false, '{}', $7, 9)",
            shift, roster, kind, day, begins, begins + timedelta(hours=4), minimum,
        )  # fmt: skip
        return shift

    async def stood(self, shift: str, members: Sequence[str], status: str, unit: str | None = None) -> None:
        """What became of some places; who served was on duty for four hours."""
        await self.db.execute(
            "INSERT INTO training.assignments"
            " (shift, member, member_no, organisation, status, starts_at, ends_at, changed_at)"
            " SELECT s.id, m.member, m.no, $4, $3, s.starts_at, s.ends_at, s.ends_at"
            " FROM training.shifts s, training.members m WHERE s.id = $1 AND m.member = ANY($2)",
            shift, members, status, unit,
        )  # fmt: skip
        if status == "served":
            await self.db.execute(
                "INSERT INTO training.duties (id, member, shift, started_at, until, ended_at, minutes)"
                " SELECT gen_random_uuid(), m, s.id, s.starts_at, s.ends_at, s.ends_at, 240"
                " FROM training.shifts s, unnest($2::text[]) m WHERE s.id = $1",
                shift, members,
            )  # fmt: skip


@pytest.fixture(scope="module")
async def march(services: Services, broker: Client, db: asyncpg.Pool) -> Office:
    """March 2012, a smaller February before it, and nothing in March 2011."""
    office = Office(broker)
    told = await Chronicle(office, db).begins()
    shop, teachers = await told.people("shop_volunteer", 8), await told.people("teacher", 3)
    guards, doctor = await told.people("guard", 3), await told.people("doctor", 1)
    await told.run((date(2012, 2, 28), shop[:6]))
    first, second = await told.run((date(2012, 3, 5), shop + teachers), (date(2012, 3, 31), doctor))
    await _course(office, first, shop + teachers)
    for batch, amount_fen in ((first, 20_000), (second, 4_001)):
        await office.done("record_cost", {"batch": batch, "kind": "meals", "amount_fen": amount_fen})
    await db.execute(
        "INSERT INTO training.certificates (id, member, kind, number, issued_on, valid_until, batch)"
        " SELECT gen_random_uuid(), m, 'sample', m, '2012-03-20', $2::date, $3 FROM unnest($1::text[]) m",
        shop[:5], date(2012, 4, 30), first,
    )  # fmt: skip
    await _duty(told, shop, guards)
    return office


async def _course(office: Office, batch: str, members: Sequence[str]) -> None:
    lesson = {"starts_at": datetime(2012, 3, 5, 1, tzinfo=UTC), "class_hours": 1, "subject": "示例", "kind": "theory"}
    session = (await office.done("put_timetable", {"batch": batch, "sessions": [lesson]}))["sessions"][0]
    await office.done("mark_attendance", {"session": session, "members": list(members[:9])})
    results = [{"member": member, "score": 90 if n < 7 else 59} for n, member in enumerate(members)]
    await office.done("record_exam", {"batch": batch, "results": results})
    for member, rating in zip(members, (5, 4, 4, 3), strict=False):
        await office.done("give_feedback", {"batch": batch, "rating": rating}, principal=member)


async def _duty(told: Chronicle, shop: Sequence[str], guards: Sequence[str]) -> None:
    kept, broken = await told.office.organisation("kept"), await told.office.organisation("broken", "hotel")
    for unit, many in ((kept, 1), (broken, 2)):
        promise = {"organisation": unit, "shifts_a_month": many, "since": "2012-02-10", "until": "2012-04-15"}
        await told.office.done("put_commitment", promise)
    roster = await told.roster()
    shifts = [await told.shift(roster, date(2012, 3, day)) for day in (1, 15, 30)]
    shared = await told.shift(roster, date(2012, 3, 31), "shared_post")
    await told.stood(shifts[0], shop[:1], "served", kept)
    await told.stood(shifts[0], shop[1:2], "served", broken)
    await told.stood(shifts[1], shop[2:3], "missed")
    await told.stood(shifts[1], shop[3:4], "declined")
    await told.stood(shared, guards, "served")  # three where two were needed
    february = await told.shift(roster, date(2012, 2, 1))
    await told.stood(february, shop[:2], "served")


def counts(figure: dict[str, Any]) -> tuple[Any, ...]:
    """Count and bases, and both changes."""
    return tuple(figure[name] for name in ("count", "before", "year_before", "change_pct", "year_change_pct"))


async def test_a_month_beside_the_one_before_and_the_year_before(march: Office) -> None:
    said = await march.done("statistics", MARCH)
    assert said["period"] == MARCH
    assert said["before"] == {"since": "2012-02-01", "until": "2012-02-29"}
    assert said["year_before"] == {"since": "2011-03-01", "until": "2011-03-31"}
    assert {name: counts(said[name]) for name in ("courses", "batches", "trainees", "exams_passed", "cost_fen")} == {
        "courses": (1, 1, 0, 0.0, None),
        "batches": (2, 1, 0, 100.0, None),
        "trainees": (12, 6, 0, 100.0, None),
        "exams_passed": (7, 0, 0, None, None),
        "cost_fen": (24_001, 0, 0, None, None),
    }
    assert {one["kind"]: one["count"] for one in said["trainees_by_kind"]} == {
        "doctor": 1, "shop_volunteer": 8, "teacher": 3,
    }  # fmt: skip
    assert said["attendance"] == {"part": 9, "whole": 11, "pct": 81.8, "suppressed": False}
    assert (said["certificates_issued"]["count"], said["certificates_expiring_30_days"]["value"]) == (5, 5)
    assert said["cost_per_trainee_fen"]["value"] == 2_000
    assert (said["feedback"]["count"], said["feedback_average"]["value"]) == (4, 4.0)


async def test_shifts_hours_promises_and_guards_shared(march: Office) -> None:
    said = await march.done("statistics", MARCH)
    names = ("shifts_held", "places_needed", "places_filled", "places_served", "minutes_served")
    assert {name: counts(said[name])[:4] for name in names} == {
        "shifts_held": (2, 1, 0, 100.0),
        "places_needed": (8, 2, 0, 300.0),
        "places_filled": (5, 2, 0, 150.0),  # the missed place was filled; a third hand fills none
        "places_served": (4, 2, 0, 100.0),
        "minutes_served": (5 * 240, 2 * 240, 0, 150.0),
    }
    assert (said["filled"]["pct"], said["served"]["pct"]) == (62.5, 50.0)
    assert {one["kind"]: one["count"] for one in said["minutes_by_kind"]} == {"guard": 720, "shop_volunteer": 480}
    assert (said["promises"]["count"], said["promises_kept"]["count"]) == (2, 1)
    assert (said["promises"]["before"], said["promises_kept"]["before"]) == (2, 0)
    assert counts(said["guards_shared"]) == (3, 0, 0, None, None)


async def test_in_public_small_cells_are_not_shown_and_cannot_be_subtracted(march: Office) -> None:
    said = await march.done("statistics", {**MARCH, "public": True})
    assert counts(said["trainees"]) == (12, 6, None, 100.0, None)
    assert said["trainees"]["suppressed"] is True
    by_kind = {one["kind"]: one["count"] for one in said["trainees_by_kind"]}
    assert by_kind == {"doctor": None, "shop_volunteer": 8, "teacher": None}  # 12 - 8 - 3 would tell of the doctor
    assert counts(said["courses"]) == (None, None, None, None, None)
    assert {one["kind"]: one["count"] for one in said["minutes_by_kind"]} == {"guard": None, "shop_volunteer": None}
    assert (said["guards_shared"]["count"], said["certificates_issued"]["count"]) == (3, 5)
    assert said["promises_kept"] == {
        "count": None, "before": None, "year_before": None, "change_pct": None, "year_change_pct": None,
        "suppressed": True,
    }  # fmt: skip


async def test_a_public_screen_of_an_empty_month_shows_nothing(march: Office) -> None:
    body = {"since": "2012-06-01", "until": "2012-06-30"}
    empty = await march.done("statistics", body)
    assert (empty["trainees"]["count"], empty["served"]["pct"], empty["feedback_average"]["value"]) == (0, None, None)
    public = await march.done("statistics", {**body, "public": True})
    shown = [name for name, one in public.items() if isinstance(one, dict) and "suppressed" in one]
    assert len(shown) > 15
    assert all(public[name]["suppressed"] for name in shown)


async def test_part_of_a_month_judges_no_promise(march: Office) -> None:
    said = await march.done("statistics", {"since": "2012-03-02", "until": "2012-03-31"})
    assert (said["promises"]["count"], said["batches"]["count"]) == (0, 2)


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        ("2012-03-02", "2012-03-01", "until"),
        ("1990-01-01", "2012-03-01", "until"),
        ("0001-01-01", "2012-03-01", "since"),
        ("2012-03-01", "9999-12-31", "until"),
    ],
)
async def test_days_that_cannot_be_compared_are_refused(march: Office, since: str, until: str, field: str) -> None:
    answer = await march.ask("statistics", {"since": since, "until": until})
    assert (answer.status, answer.fields) == (400, [field])
