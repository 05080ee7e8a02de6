"""Rosters, shifts and who stands on them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, case, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from shouwang.common.database import Reading, Transaction
from shouwang.training.domain.days import minute
from shouwang.training.domain.people import GUARDS
from shouwang.training.domain.rest import Held
from shouwang.training.domain.shifts import Organiser, Pay, Purpose, Shift, ShiftKind
from shouwang.training.store.parts import among, upsert
from shouwang.training.tables.people import members
from shouwang.training.tables.rosters import HOLDING, assignments, commitments, rosters, shifts, swaps

holding = text(f"assignments.{HOLDING}")
_free = text(f"NOT assignments.{HOLDING}")
LOOK_BACK, LOOK_AHEAD = timedelta(days=38), timedelta(days=38)
"""Shifts that far from one may forbid it: those of the same month and the same week."""


# -- what was promised -----------------------------------------------------------------------------------------------


async def put_commitment(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a promise, new or changed."""
    await upsert(tx, commitments, "organisation", [row])


async def commitment_list(view: Reading, first: date, last: date, *, besides: str | None = None) -> list[Row[Any]]:
    """Promises in force in a month, and how many shifts of it stand or were served by people of the unit.

    A unit's own posts are no gift and do not count; nor do the shifts of the roster `besides` which this is asked.
    """
    counts = shifts.c.kind != "own_post"
    if besides is not None:
        counts &= shifts.c.roster != besides
    kept = (
        select(
            assignments.c.organisation,
            func.count().label("standing"),
            func.count().filter(assignments.c.status == "served").label("served"),
        )
        .join(shifts, shifts.c.id == assignments.c.shift)
        .where(shifts.c.duty_date.between(first, last), holding, counts)
        .group_by(assignments.c.organisation)
        .subquery()
    )
    in_force = and_(commitments.c.since <= last, commitments.c.until.is_(None) | (commitments.c.until >= first))
    wanted = (
        select(
            commitments,
            func.coalesce(kept.c.standing, 0).label("standing"),
            func.coalesce(kept.c.served, 0).label("served"),
        )
        .join_from(commitments, kept, kept.c.organisation == commitments.c.organisation, isouter=True)
        .where(in_force)
    )
    return list(await view.execute(wanted.order_by(commitments.c.organisation)))


# -- rosters ---------------------------------------------------------------------------------------------------------


async def add_roster(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Begin a roster."""
    await tx.execute(insert(rosters).values(row))


async def lock_roster(tx: Transaction, roster: str) -> Row[Any] | None:
    """A roster, held until this transaction ends."""
    return (await tx.execute(select(rosters).where(rosters.c.id == roster).with_for_update())).one_or_none()


async def set_roster(tx: Transaction, roster: str, **values: Any) -> None:
    """Change columns of a roster."""
    await tx.execute(update(rosters).where(rosters.c.id == roster).values(values))


async def take_planning(tx: Transaction, now: datetime, given_up: datetime) -> Row[Any] | None:
    """A roster that waits to be planned, taken for us; also one whose planner took it before `given_up` and died."""
    waiting = rosters.c.planning_since.is_(None) | (rosters.c.planning_since < given_up)
    wanted = select(rosters.c.id).where(rosters.c.status == "planning", waiting).order_by(rosters.c.id).limit(1)
    taken = wanted.with_for_update(skip_locked=True).scalar_subquery()
    return (
        await tx.execute(update(rosters).where(rosters.c.id == taken).values(planning_since=now).returning(*rosters.c))
    ).one_or_none()


async def roster_list(view: Reading, *, roster: str | None, before: str | None, limit: int) -> list[Row[Any]]:
    """Rosters, newest first, with how many places they have, how many are filled and how many accepted."""
    standing = (
        select(
            assignments.c.shift,
            func.count().label("filled"),
            func.count().filter(assignments.c.status.in_(["accepted", "served"])).label("accepted"),
        )
        .where(holding)
        .group_by(assignments.c.shift)
        .subquery()
    )
    filled = func.least(func.coalesce(standing.c.filled, 0), shifts.c.minimum)
    counted = (
        select(
            shifts.c.roster,
            func.count().label("shifts"),
            func.sum(shifts.c.minimum).label("places"),
            func.sum(filled).label("filled"),
            func.sum(func.coalesce(standing.c.accepted, 0)).label("accepted"),
        )
        .join_from(shifts, standing, standing.c.shift == shifts.c.id, isouter=True)
        .group_by(shifts.c.roster)
        .subquery()
    )
    sums = [func.coalesce(counted.c[name], 0).label(name) for name in ("shifts", "places", "filled", "accepted")]
    wanted = select(rosters, *sums).join_from(rosters, counted, counted.c.roster == rosters.c.id, isouter=True)
    if roster is not None:
        wanted = wanted.where(rosters.c.id == roster)
    if before is not None:
        wanted = wanted.where(rosters.c.id < before)
    return list(await view.execute(wanted.order_by(rosters.c.id.desc()).limit(limit)))


# -- shifts ----------------------------------------------------------------------------------------------------------


def as_shift(row: Any) -> Shift:
    """A row as the rules see it."""
    return Shift(
        shift=row.id,
        kind=ShiftKind(row.kind),
        duty_date=row.duty_date,
        start=minute(row.starts_at),
        end=minute(row.ends_at),
        lead_officer=row.lead_officer,
        area=row.area,
        organiser=Organiser(row.organiser),
        pay=Pay(row.pay),
        purpose=Purpose(row.purpose),
        insurance=row.insurance,
        client_contract=row.client_contract,
        post_of=row.post_of,
        at_school=row.at_school,
        requires=frozenset(row.requires),
        minimum=row.minimum,
        maximum=row.maximum,
    )


async def add_shifts(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write shifts."""
    await tx.execute(insert(shifts), list(rows))


async def remove_shift(tx: Transaction, shift: str) -> None:
    """Take a shift out, and with it who stood on it."""
    await tx.execute(delete(shifts).where(shifts.c.id == shift))


async def lock_shifts(tx: Transaction, ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Shifts with the status of their roster, held until this transaction ends, by id."""
    wanted = (
        select(shifts, rosters.c.status)
        .join_from(shifts, rosters, rosters.c.id == shifts.c.roster)
        .where(among(shifts.c.id, ids))
        .order_by(shifts.c.id)
        .with_for_update(of=shifts)
    )
    return {row.id: row for row in await tx.execute(wanted)}


async def shift(view: Reading, token: str) -> Row[Any] | None:
    """One shift with the status of its roster."""
    wanted = select(shifts, rosters.c.status).join_from(shifts, rosters, rosters.c.id == shifts.c.roster)
    return (await view.execute(wanted.where(shifts.c.id == token))).one_or_none()


async def shifts_of(view: Reading, roster: str) -> list[Row[Any]]:
    """All shifts of a roster, in the order of their beginning."""
    wanted = select(shifts).where(shifts.c.roster == roster).order_by(shifts.c.starts_at, shifts.c.id)
    return list(await view.execute(wanted))


async def shift_list(
    view: Reading,
    *,
    roster: str | None,
    member: str | None,
    since: date | None,
    until: date | None,
    short: bool | None,
    after: datetime | None,
    limit: int,
) -> list[Row[Any]]:
    """Shifts in the order of their beginning."""
    wanted = select(shifts)
    if roster is not None:
        wanted = wanted.where(shifts.c.roster == roster)
    if member is not None:
        mine = select(assignments.c.shift).where(assignments.c.member == member, holding)
        wanted = wanted.where(shifts.c.id.in_(mine))
    if since is not None:
        wanted = wanted.where(shifts.c.duty_date >= since)
    if until is not None:
        wanted = wanted.where(shifts.c.duty_date <= until)
    if short is not None:
        standing = select(func.count()).where(assignments.c.shift == shifts.c.id, holding).scalar_subquery()
        wanted = wanted.where(standing < shifts.c.minimum if short else standing >= shifts.c.minimum)
    if after is not None:
        wanted = wanted.where(shifts.c.starts_at > after)
    return list(await view.execute(wanted.order_by(shifts.c.starts_at, shifts.c.id).limit(limit)))


async def explain(tx: Transaction, roster: str, unfilled: Sequence[Mapping[str, Any]]) -> None:
    """Keep why places stayed empty, in place of what was kept before: rows of `shift`, `missing`, `why`."""
    await tx.execute(update(shifts).where(shifts.c.roster == roster).values(missing=None, why=None))
    for row in unfilled:
        await tx.execute(
            update(shifts).where(shifts.c.id == row["shift"]).values(missing=row["missing"], why=row["why"])
        )


# -- who stands where ------------------------------------------------------------------------------------------------


async def standing(view: Reading, ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """Everybody named on some shifts, whatever became of it, by shift."""
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    wanted = select(assignments).where(among(assignments.c.shift, ids)).order_by(assignments.c.member)
    for row in await view.execute(wanted):
        found[row.shift].append(row)
    return found


async def held(view: Reading, tokens: Sequence[str] | None, since: date, until: date) -> dict[str, list[Held]]:
    """What holds members in the days about these, as the rules see it, by member; everybody, if no tokens are given."""
    wanted = (
        select(
            assignments.c.member, shifts.c.id, shifts.c.starts_at, shifts.c.ends_at, shifts.c.duty_date, shifts.c.pay
        )
        .join_from(assignments, shifts, shifts.c.id == assignments.c.shift)
        .where(holding, shifts.c.duty_date.between(since - LOOK_BACK, until + LOOK_AHEAD))
    )
    if tokens is not None:
        wanted = wanted.where(among(assignments.c.member, tokens))
    found: dict[str, list[Held]] = defaultdict(list)
    for row in await view.execute(wanted):
        times = minute(row.starts_at), minute(row.ends_at)
        found[row.member].append(Held(row.id, *times, row.duty_date, Pay(row.pay) is Pay.WAGE))
    return found


async def place(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Put members on shifts; the pairs that could be written. The database refuses whoever is held at that time.

    Who declined before, or was taken off, is put on again.
    """
    done: set[tuple[str, str]] = set()
    if not rows:
        return done
    row = insert(assignments).values(list(rows))
    again = update(assignments).where(_free)
    written = row.on_conflict_do_nothing().returning(assignments.c.shift, assignments.c.member)
    done |= {(r.shift, r.member) for r in await tx.execute(written)}
    for left in (r for r in rows if (r["shift"], r["member"]) not in done):
        here = (assignments.c.shift == left["shift"], assignments.c.member == left["member"])
        changed = {"status": left["status"], "organisation": left["organisation"], "changed_at": left["changed_at"]}
        if (await tx.execute(again.where(*here).values(changed))).rowcount:
            done.add((left["shift"], left["member"]))
    return done


async def lock_assignment(tx: Transaction, shift: str, member: str) -> Row[Any] | None:
    """One member on one shift, held until this transaction ends: publishing must not tell it meanwhile."""
    here = (assignments.c.shift == shift, assignments.c.member == member)
    return (await tx.execute(select(assignments).where(*here).with_for_update())).one_or_none()


async def assignment(view: Reading, shift: str, member: str) -> Row[Any] | None:
    """One member on one shift."""
    here = (assignments.c.shift == shift, assignments.c.member == member)
    return (await view.execute(select(assignments).where(*here))).one_or_none()


async def set_assignment(tx: Transaction, shift: str, member: str, status: str, now: datetime) -> None:
    """Change what became of a place."""
    here = (assignments.c.shift == shift, assignments.c.member == member)
    await tx.execute(update(assignments).where(*here).values(status=status, changed_at=now))


async def offer_proposed(tx: Transaction, roster: str, now: datetime) -> list[Row[Any]]:
    """Everybody who was only proposed is asked; guards accept their own posts, which are their work, by contract."""
    of_roster = select(shifts.c.id).where(shifts.c.roster == roster)
    own = assignments.c.shift.in_(of_roster.where(shifts.c.kind == "own_post"))
    guards = assignments.c.member.in_(select(members.c.member).where(members.c.kind.in_(sorted(GUARDS))))
    proposed = (assignments.c.shift.in_(of_roster), assignments.c.status == "proposed")
    becomes = case((own & guards, "accepted"), else_="offered")
    asked = update(assignments).where(*proposed).values(status=becomes, changed_at=now).returning(*assignments.c)
    return list(await tx.execute(asked))


async def ahead_of(tx: Transaction, tokens: Iterable[str], now: datetime) -> list[Row[Any]]:
    """Shifts to come, or held now, that these members stand on and have not served: columns of shifts, `member`."""
    wanted = (
        select(shifts, assignments.c.member)
        .join_from(assignments, shifts, shifts.c.id == assignments.c.shift)
        .where(among(assignments.c.member, tokens), shifts.c.ends_at > now, holding, assignments.c.status != "served")
        .order_by(shifts.c.starts_at)
    )
    return list(await tx.execute(wanted))


async def served_minutes(view: Reading, since: date) -> dict[str, int]:
    """Minutes that each member has served, or is to serve, since a day: what is fair is measured by it."""
    length = func.sum(func.extract("epoch", assignments.c.ends_at - assignments.c.starts_at) / 60)
    wanted = select(assignments.c.member, length.label("minutes")).join(shifts, shifts.c.id == assignments.c.shift)
    counted = wanted.where(shifts.c.duty_date >= since, holding).group_by(assignments.c.member)
    return {row.member: int(row.minutes) for row in await view.execute(counted)}


# -- swaps -----------------------------------------------------------------------------------------------------------


async def add_swap(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Write a swap; False if the member has proposed one for this shift already."""
    return (await tx.execute(insert(swaps).values(row).on_conflict_do_nothing())).rowcount == 1


async def lock_swap(tx: Transaction, swap: str) -> Row[Any] | None:
    """A swap, held until this transaction ends."""
    return (await tx.execute(select(swaps).where(swaps.c.id == swap).with_for_update())).one_or_none()


async def set_swap(tx: Transaction, swap: str, status: str) -> None:
    """Change what became of a swap."""
    await tx.execute(update(swaps).where(swaps.c.id == swap).values(status=status))


async def swap_list(view: Reading, *, member: str, is_open: bool | None, limit: int) -> list[Row[Any]]:
    """The swaps of a member, newest first."""
    wanted = select(swaps).where((swaps.c.member == member) | (swaps.c.with_member == member))
    if is_open is not None:
        wanted = wanted.where(swaps.c.status == "proposed" if is_open else swaps.c.status != "proposed")
    return list(await view.execute(wanted.order_by(swaps.c.id.desc()).limit(limit)))
