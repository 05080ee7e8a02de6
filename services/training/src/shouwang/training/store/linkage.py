"""Member rings: units, posts, who has read them; officers' cards."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from shouwang.common.database import Reading, Transaction
from shouwang.training.store.parts import among, upsert
from shouwang.training.store.rosters import holding
from shouwang.training.tables.linkage import ring_posts, ring_receipts, ring_units, rings
from shouwang.training.tables.people import members, memberships, organisations
from shouwang.training.tables.rosters import assignments, shifts


def _takes_part(today: date) -> ColumnElement[bool]:
    return and_(ring_units.c.since <= today, or_(ring_units.c.until.is_(None), ring_units.c.until > today))


def _is_open(now: datetime) -> ColumnElement[bool]:
    return and_(
        ring_posts.c.withdrawn_at.is_(None), or_(ring_posts.c.expires_at.is_(None), ring_posts.c.expires_at > now)
    )


# -- rings and units -------------------------------------------------------------------------------------------------


async def put_ring(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a ring, new or changed."""
    await upsert(tx, rings, "ring", [row])


async def lock_ring(tx: Transaction, ring: str) -> Row[Any] | None:
    """A ring, held until this transaction ends: whoever joins or leaves does so one after the other."""
    return (await tx.execute(select(rings).where(rings.c.ring == ring).with_for_update())).one_or_none()


async def ring_list(view: Reading, today: date, now: datetime, ring: str | None = None) -> list[Row[Any]]:
    """Rings, or one, with how many units take part and how many posts are open."""
    units = select(func.count()).where(ring_units.c.ring == rings.c.ring, _takes_part(today))
    posts = select(func.count()).where(ring_posts.c.ring == rings.c.ring, _is_open(now))
    wanted = select(rings, units.scalar_subquery().label("units"), posts.scalar_subquery().label("open_posts"))
    if ring is not None:
        wanted = wanted.where(rings.c.ring == ring)
    return list(await view.execute(wanted.order_by(rings.c.ring)))


async def unit(view: Reading, ring: str, organisation: str) -> Row[Any] | None:
    """One unit of a ring, also one that has left."""
    here = (ring_units.c.ring == ring, ring_units.c.organisation == organisation)
    return (await view.execute(select(ring_units).where(*here))).one_or_none()


async def put_unit(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a unit of a ring, new or changed."""
    await upsert(tx, ring_units, ("ring", "organisation"), [row])


async def unit_list(view: Reading, ring: str, today: date, first: date, last: date) -> list[Row[Any]]:
    """Units that take part, with their contacts' phones, and shifts between two days that their people stand on."""
    of_ring = select(ring_units.c.organisation).where(ring_units.c.ring == ring)
    kept = (
        select(
            assignments.c.organisation,
            func.count().label("standing"),
            func.count().filter(assignments.c.status == "served").label("served"),
        )
        .join(shifts, shifts.c.id == assignments.c.shift)
        .where(shifts.c.duty_date.between(first, last), holding, assignments.c.organisation.in_(of_ring))
        .group_by(assignments.c.organisation)
        .subquery()
    )
    sums = [func.coalesce(kept.c[name], 0).label(name) for name in ("standing", "served")]
    wanted = (
        select(ring_units, organisations.c.name, organisations.c.kind, members.c.phone, *sums)
        .join_from(ring_units, organisations, organisations.c.organisation == ring_units.c.organisation)
        .join(members, members.c.member == ring_units.c.contact)
        .join(kept, kept.c.organisation == ring_units.c.organisation, isouter=True)
        .where(ring_units.c.ring == ring, _takes_part(today))
    )
    return list(await view.execute(wanted.order_by(ring_units.c.organisation)))


async def speakers(view: Reading, ring: str, today: date) -> set[str]:
    """Who posts to a ring and hears what is posted: its lead officer, and the contacts of units that take part."""
    contacts = select(ring_units.c.contact).where(ring_units.c.ring == ring, _takes_part(today))
    lead = select(rings.c.lead_officer).where(rings.c.ring == ring)
    stays = or_(members.c.left_on.is_(None), members.c.left_on > today)
    wanted = select(members.c.member).where(members.c.member.in_(contacts.union(lead)), stays)
    return set((await view.execute(wanted)).scalars())


# -- posts -----------------------------------------------------------------------------------------------------------


async def add_post(tx: Transaction, row: Mapping[str, Any], recipients: Iterable[str]) -> None:
    """Write a post and who gets it."""
    await tx.execute(insert(ring_posts).values(row))
    receipts = [{"post": row["id"], "member": member} for member in recipients]
    if receipts:
        await tx.execute(insert(ring_receipts), receipts)


async def lock_post(tx: Transaction, post: str) -> Row[Any] | None:
    """A post with the lead officer of its ring, held until this transaction ends."""
    wanted = select(ring_posts, rings.c.lead_officer).join(rings, rings.c.ring == ring_posts.c.ring)
    return (await tx.execute(wanted.where(ring_posts.c.id == post).with_for_update(of=ring_posts))).one_or_none()


async def withdraw_post(tx: Transaction, post: str, now: datetime) -> None:
    """Write that a post is no longer so."""
    await tx.execute(update(ring_posts).where(ring_posts.c.id == post).values(withdrawn_at=now))


async def acknowledge(tx: Transaction, post: str, member: str, now: datetime) -> bool:
    """Write that a recipient has read a post; False if it had before."""
    here = (ring_receipts.c.post == post, ring_receipts.c.member == member, ring_receipts.c.acknowledged_at.is_(None))
    return (await tx.execute(update(ring_receipts).where(*here).values(acknowledged_at=now))).rowcount == 1


async def receipts(view: Reading, posts: Iterable[str]) -> list[Row[Any]]:
    """Who was to get some posts and when they acknowledged, in the order of their tokens."""
    wanted = select(ring_receipts).where(among(ring_receipts.c.post, posts))
    return list(await view.execute(wanted.order_by(ring_receipts.c.post, ring_receipts.c.member)))


async def post_list(
    view: Reading, ring: str, now: datetime, *, is_open: bool | None, before: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Posts of a ring, newest first, and whether each is open."""
    wanted = select(ring_posts, _is_open(now).label("open")).where(ring_posts.c.ring == ring)
    if is_open is not None:
        wanted = wanted.where(_is_open(now) if is_open else ~_is_open(now))
    if before is not None:
        wanted = wanted.where(ring_posts.c.id < before)
    return list(await view.execute(wanted.order_by(ring_posts.c.id.desc()).limit(limit)))


# -- cards -----------------------------------------------------------------------------------------------------------


async def card(view: Reading, member: str, today: date) -> Row[Any] | None:
    """What stands on a member's card, `post` being the name of its organisation; None if it has left."""
    current = and_(memberships.c.member == members.c.member, memberships.c.until.is_(None))
    wanted = (
        select(members.c.kind, members.c.name, members.c.phone, organisations.c.name.label("post"))
        .join_from(members, memberships, current, isouter=True)
        .join(organisations, organisations.c.organisation == memberships.c.organisation, isouter=True)
        .where(members.c.member == member, or_(members.c.left_on.is_(None), members.c.left_on > today))
    )
    return (await view.execute(wanted)).one_or_none()
