"""Putting a member on a shift: every rule is looked at while shift and member are held, then it is written."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from shouwang.common.database import Transaction
from shouwang.common.problems import Problem
from shouwang.contracts.training.rosters import ShiftAccepted, ShiftOffered
from shouwang.training.domain.clearance import may_stand
from shouwang.training.domain.people import Person
from shouwang.training.domain.reasons import LAW, Reason
from shouwang.training.domain.rest import Held, RestRules, conflicts, held_by
from shouwang.training.standings import notify
from shouwang.training.store import people, rosters

HOLDS = frozenset({"proposed", "offered", "accepted", "served"})


def forbids(person: Person, shift: Row[Any], held: Sequence[Held], rules: RestRules) -> list[Reason]:
    """What forbids this member this shift beside all that holds it."""
    as_rule = rosters.as_shift(shift)
    overtime = person.overtime_agreed(shift.duty_date)
    found = may_stand(person, as_rule) + conflicts(held_by(as_rule), held, rules, overtime_agreed=overtime)
    return list(dict.fromkeys(found))


async def look(tx: Transaction, shift: Row[Any], member: str, rules: RestRules) -> tuple[Person, list[Reason]]:
    """A member whom the caller holds, and what forbids it this shift beside all that holds it."""
    person = (await people.persons(tx, [member], shift.duty_date))[member]
    held = (await rosters.held(tx, [member], shift.duty_date, shift.duty_date)).get(member, [])
    return person, forbids(person, shift, held, rules)


def refusal(field: str, member: str, reasons: Sequence[Reason]) -> Problem:
    """The reasons as a problem: code, article and sense of each."""
    words = "; ".join(
        f"{reason}: {LAW[reason].en}" + (f" ({LAW[reason].article})" if LAW[reason].article else "")
        for reason in reasons
    )
    return Problem.of_field(field, f"{member} cannot: {words}" if member else words, 409)


async def put(
    tx: Transaction, shift: Row[Any], member: str, now: datetime, rules: RestRules, *, status: str | None = None
) -> None:
    """Look at every rule and write the place; as the roster's status wants it, if no status is given.

    The caller holds the shift.

    Raises: Problem 409 with the reasons, 404 for an unknown member.
    """
    locked = (await people.lock_members(tx, [member])).get(member)
    if locked is None:
        raise Problem.of_field("member", f"{member} is not known", 404)
    standing = (await rosters.standing(tx, [shift.id]))[shift.id]
    holds = {row.member for row in standing if row.status in HOLDS}
    if member in holds:
        raise Problem.of_field("member", f"{member} stands on this shift already", 409)
    person, reasons = await look(tx, shift, member, rules)
    if len(holds) >= shift.maximum:
        reasons.append(Reason.FULL)
    if reasons:
        raise refusal("member", member, reasons)
    status = status or status_for(shift, person)
    if not await rosters.place(tx, [place_row(shift, locked.no, person, status, now)]):
        raise refusal("member", member, [Reason.DOUBLE_BOOKED])
    tell_place(tx, member, shift, status, now)


def status_for(shift: Row[Any], person: Person) -> str:
    """Of a new place: drafts are the organiser's alone; a guard's own post is its work, agreed by contract."""
    if shift.status != "published":
        return "proposed"
    return "accepted" if shift.kind == "own_post" and person.is_guard else "offered"


def place_row(shift: Row[Any], no: int, person: Person, status: str, now: datetime) -> dict[str, Any]:
    """An assignment as it is written."""
    return {
        "shift": shift.id, "member": person.member, "member_no": no, "organisation": person.organisation,
        "status": status, "starts_at": shift.starts_at, "ends_at": shift.ends_at, "changed_at": now,
    }  # fmt: skip


def tell_place(tx: Transaction, member: str, shift: Any, status: str, now: datetime) -> None:
    """The fact of a place, and word to the member where it has to answer; of what is only proposed, nothing."""
    about = {"member": member, "shift": shift.id, "starts_at": shift.starts_at, "ends_at": shift.ends_at, "at": now}
    if status == "offered":
        tx.tell(ShiftOffered.model_validate(about))
        notify(tx, member, "shift_offered", "新班次待确认", now, shift.id)
    elif status == "accepted":
        tx.tell(ShiftAccepted.model_validate(about))
