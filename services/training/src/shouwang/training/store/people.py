"""People and organisations; and people as the rules see them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from shouwang.common.database import Reading, Transaction
from shouwang.training.domain.identity import ADULT_YEARS, years_before
from shouwang.training.domain.people import Agreement, Consent, GuardEntity, MemberKind, Period, Person
from shouwang.training.store.parts import among, upsert
from shouwang.training.tables.people import (
    agreements,
    bars,
    certificates,
    consents,
    insurances,
    members,
    memberships,
    organisations,
    reveals,
)

# -- organisations ---------------------------------------------------------------------------------------------------


async def put_organisations(tx: Transaction, rows: Sequence[Mapping[str, Any]], *, keep: bool = False) -> None:
    """Write organisations, new or changed (`parts.upsert`)."""
    await upsert(tx, organisations, "organisation", rows, keep=keep)


async def organisations_on_record(view: Reading, tokens: Iterable[str]) -> set[str]:
    """Which of these are on record."""
    token = organisations.c.organisation
    return set((await view.execute(select(token).where(among(token, tokens)))).scalars())


async def organisation(view: Reading, token: str) -> Row[Any] | None:
    """One organisation."""
    return (await view.execute(select(organisations).where(organisations.c.organisation == token))).one_or_none()


async def set_organisation(tx: Transaction, token: str, **values: Any) -> None:
    """Change columns of an organisation."""
    await tx.execute(update(organisations).where(organisations.c.organisation == token).values(values))


async def organisation_list(
    view: Reading, *, kind: str | None, entity: str | None, after: str | None, limit: int
) -> list[Row[Any]]:
    """Organisations with how many members they have now."""
    counted = (
        select(memberships.c.organisation, func.count().label("members"))
        .where(memberships.c.until.is_(None))
        .group_by(memberships.c.organisation)
        .subquery()
    )
    wanted = select(organisations, func.coalesce(counted.c.members, 0).label("members")).join_from(
        organisations, counted, organisations.c.organisation == counted.c.organisation, isouter=True
    )
    for column, value in ((organisations.c.kind, kind), (organisations.c.entity, entity)):
        if value is not None:
            wanted = wanted.where(column == value)
    if after is not None:
        wanted = wanted.where(organisations.c.organisation > after)
    return list(await view.execute(wanted.order_by(organisations.c.organisation).limit(limit)))


async def organisations_known(view: Reading, named: Iterable[str]) -> dict[str, str]:
    """Tokens by what organisations are called in a file: their token, or their name if only one has it."""
    wanted = list(set(named))
    found: dict[str, set[str]] = defaultdict(set)
    named_so = or_(among(organisations.c.organisation, wanted), among(organisations.c.name, wanted))
    for row in await view.execute(select(organisations.c.organisation, organisations.c.name).where(named_so)):
        found[row.name].add(row.organisation)
        found[row.organisation].add(row.organisation)
    return {name: next(iter(tokens)) for name, tokens in found.items() if len(tokens) == 1}


# -- members ---------------------------------------------------------------------------------------------------------


async def put_members(tx: Transaction, rows: Sequence[Mapping[str, Any]], *, keep: bool = False) -> None:
    """Write members, new or changed (`parts.upsert`)."""
    await upsert(tx, members, "member", rows, keep=keep)


async def join(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make members belong to organisations from a day on; a membership elsewhere ends the day before.

    Args:
        rows: `member`, `organisation`, `since`; nothing is changed for who belongs there already.
    """
    there = select(memberships.c.member, memberships.c.organisation).where(
        memberships.c.until.is_(None), among(memberships.c.member, [row["member"] for row in rows])
    )
    belongs = {row.member: row.organisation for row in await tx.execute(there)}
    new = [row for row in rows if belongs.get(row["member"]) != row["organisation"]]
    for row in new:
        if row["member"] in belongs:
            await leave(tx, row["member"], row["since"])
    await upsert(tx, memberships, ("member", "since"), new)


async def leave(tx: Transaction, member: str, on: date) -> None:
    """End the membership of a member."""
    current = (memberships.c.member == member, memberships.c.until.is_(None))
    await tx.execute(update(memberships).where(*current).values(until=on))


async def member(view: Reading, token: str) -> Row[Any] | None:
    """One member."""
    return (await view.execute(select(members).where(members.c.member == token))).one_or_none()


async def set_members(tx: Transaction, tokens: Iterable[str], **values: Any) -> None:
    """Change columns of members."""
    await tx.execute(update(members).where(among(members.c.member, tokens)).values(values))


async def members_known(view: Reading, tokens: Iterable[str]) -> set[str]:
    """Which of these are on record."""
    return set((await view.execute(select(members.c.member).where(among(members.c.member, tokens)))).scalars())


async def members_of(view: Reading, organisation: str) -> list[str]:
    """Everybody who belongs to an organisation now, in the order of their tokens."""
    wanted = select(memberships.c.member).where(
        memberships.c.organisation == organisation, memberships.c.until.is_(None)
    )
    return list((await view.execute(wanted.order_by(memberships.c.member))).scalars())


async def member_list(
    view: Reading, *, kind: str | None, organisation: str | None, cleared: bool | None, after: str | None, limit: int
) -> list[Row[Any]]:
    """Members with their organisation, in the order of their tokens."""
    current = and_(memberships.c.member == members.c.member, memberships.c.until.is_(None))
    wanted = select(members, memberships.c.organisation).join_from(members, memberships, current, isouter=True)
    if kind is not None:
        wanted = wanted.where(members.c.kind == kind)
    if organisation is not None:
        wanted = wanted.where(memberships.c.organisation == organisation)
    if cleared is not None:
        wanted = wanted.where(members.c.cleared.is_(True) if cleared else members.c.cleared.is_not(True))
    if after is not None:
        wanted = wanted.where(members.c.member > after)
    return list(await view.execute(wanted.order_by(members.c.member).limit(limit)))


async def numbers_taken(view: Reading, numbers: Iterable[str]) -> dict[str, str]:
    """Which identity numbers are on record already, and whose they are."""
    wanted = select(members.c.id_number, members.c.member).where(among(members.c.id_number, numbers))
    return {row.id_number: row.member for row in await view.execute(wanted)}


async def codes_taken(view: Reading, codes: Iterable[str]) -> dict[str, str]:
    """Which credit codes are on record already, and whose they are."""
    wanted = select(organisations.c.credit_code, organisations.c.organisation).where(
        among(organisations.c.credit_code, codes)
    )
    return {row.credit_code: row.organisation for row in await view.execute(wanted)}


async def lock_members(tx: Transaction, tokens: Iterable[str]) -> dict[str, Row[Any]]:
    """Members by token, held until this transaction ends: nobody else changes what they stand on.

    Held so that rows which only refer to them can be written beside (NO KEY UPDATE): two who have both written papers
    of the same member would else wait for each other.
    """
    wanted = select(members).where(among(members.c.member, tokens)).order_by(members.c.no)
    wanted = wanted.with_for_update(key_share=True)
    return {row.member: row for row in await tx.execute(wanted)}


async def places_of(view: Reading, tokens: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Where members come from, by the place of their organisation: lat, lon by token."""
    wanted = (
        select(memberships.c.member, organisations.c.lat, organisations.c.lon)
        .join(organisations, organisations.c.organisation == memberships.c.organisation)
        .where(among(memberships.c.member, tokens), memberships.c.until.is_(None))
        .where(organisations.c.lat.is_not(None), organisations.c.lon.is_not(None))
    )
    return {row.member: (row.lat, row.lon) for row in await view.execute(wanted)}


async def standings_to_review(view: Reading, today: date) -> list[str]:
    """Members of whom a day alone may have changed something: the one they were cleared until, or leave on, is over.

    Also who is suspended: an agreement or a policy may have begun, today or while nobody looked.
    """
    over = (members.c.cleared_until < today) | (members.c.left_on <= today)
    lately = (today - timedelta(days=7), today)
    begun = select(insurances.c.member).where(insurances.c.since.between(*lately))
    others = (
        select(agreements.c.member).where(agreements.c.since.between(*lately)),
        select(certificates.c.member).where(certificates.c.issued_on.between(*lately)),
    )
    begins = members.c.member.in_(begun.union(*others))
    barred = members.c.member.in_(select(bars.c.member).where(bars.c.since.between(*lately)))
    passed = members.c.member.in_(select(bars.c.member).where(bars.c.until.between(*lately)))
    grown = members.c.born.between(years_before(lately[0], ADULT_YEARS), years_before(today, ADULT_YEARS))
    due = (members.c.cleared.is_(True) & (over | barred)) | (members.c.cleared.is_not(True) & (begins | passed | grown))
    return list((await view.execute(select(members.c.member).where(due).order_by(members.c.no))).scalars())


async def note_standings(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was told of members: rows of `member`, `cleared`, `cleared_until`, `suspended_for`."""
    if rows:
        told: dict[str, Any] = {name: bindparam(name) for name in ("cleared", "cleared_until", "suspended_for")}
        changed = update(members).where(members.c.member == bindparam("of")).values(told)
        await tx.execute(changed, [{**row, "of": row["member"]} for row in rows])


async def note_reveal(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Keep who saw what was masked, and why."""
    await tx.execute(insert(reveals).values(row))


# -- what the law asks -----------------------------------------------------------------------------------------------


async def give_consents(tx: Transaction, member: str, given: Iterable[str], now: datetime) -> None:
    """The member agrees."""
    row = insert(consents).values([{"member": member, "consent": consent, "given_at": now} for consent in given])
    again = {"given_at": row.excluded.given_at, "withdrawn_at": None}
    withdrawn = consents.c.withdrawn_at.is_not(None)
    await tx.execute(row.on_conflict_do_update(index_elements=["member", "consent"], set_=again, where=withdrawn))


async def withdraw_consents(tx: Transaction, member: str, withdrawn: Iterable[str], now: datetime) -> None:
    """The member no longer agrees."""
    given = (consents.c.member == member, among(consents.c.consent, withdrawn), consents.c.withdrawn_at.is_(None))
    await tx.execute(update(consents).where(*given).values(withdrawn_at=now))


async def record(tx: Transaction, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of agreements, insurances or certificates."""
    if rows:
        await tx.execute(insert(table), list(rows))


async def certificate_holders(view: Reading, numbers: Iterable[str]) -> dict[tuple[str, str], str]:
    """Whose the certificates with these numbers are, by kind and number."""
    wanted = select(certificates.c.kind, certificates.c.number, certificates.c.member)
    rows = await view.execute(wanted.where(among(certificates.c.number, numbers)))
    return {(row.kind, row.number): row.member for row in rows}


async def add_certificate(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Write one certificate; False if the number of this kind is on record already."""
    return (await tx.execute(insert(certificates).values(row).on_conflict_do_nothing())).rowcount == 1


async def put_bar(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a bar, new or changed."""
    await upsert(tx, bars, ("member", "ground"), [row])


async def lift_bar(tx: Transaction, member: str, ground: str, on: date) -> bool:
    """End a bar; False if there is none."""
    live = (bars.c.member == member, bars.c.ground == ground)
    return (await tx.execute(update(bars).where(*live).values(until=on))).rowcount == 1


async def certificates_of(view: Reading, member: str) -> list[Row[Any]]:
    """A member's certificates, newest first."""
    wanted = select(certificates).where(certificates.c.member == member).order_by(certificates.c.issued_on.desc())
    return list(await view.execute(wanted))


# -- people as the rules see them ------------------------------------------------------------------------------------


async def persons(view: Reading, tokens: Sequence[str] | None, day: date) -> dict[str, Person]:
    """Members by token as the rules see them on a day; everybody who has not left, if no tokens are given."""
    chosen: ColumnElement[bool] = members.c.left_on.is_(None)
    if tokens is not None:
        chosen = among(members.c.member, tokens)
    current = and_(
        memberships.c.member == members.c.member,
        memberships.c.since <= day,
        memberships.c.until.is_(None) | (memberships.c.until > day),
    )
    columns = (members, memberships.c.organisation, organisations.c.entity, organisations.c.shares_guards)
    wanted = (
        select(*columns)
        .join_from(members, memberships, current, isouter=True)
        .join(organisations, organisations.c.organisation == memberships.c.organisation, isouter=True)
        .where(chosen)
        .order_by(members.c.member)
    )
    rows = list(await view.execute(wanted))
    these = None if tokens is None else [row.member for row in rows]
    agreed, told, cover, held, barred = [
        await _by_member(view, table, these) for table in (consents, agreements, insurances, certificates, bars)
    ]
    return {
        row.member: Person(
            member=row.member,
            kind=MemberKind(row.kind),
            born=row.born,
            organisation=row.organisation,
            entity=GuardEntity(row.entity) if row.entity else None,
            employer_consents=bool(row.shares_guards),
            left_on=row.left_on,
            consents=frozenset(Consent(c.consent) for c in agreed[row.member] if c.withdrawn_at is None),
            guardian_consents=row.guardian_consents,
            insured=tuple(Period(i.since, i.until) for i in cover[row.member]),
            agreements=tuple(
                Agreement(Period(a.since, a.until), a.risks_told, a.overtime_agreed) for a in told[row.member]
            ),
            certificates=_certificates(held[row.member]),
            bars=tuple(Period(b.since, b.until and b.until - timedelta(days=1)) for b in barred[row.member]),
            minor_contact_check=row.minor_contact_check,
            night_protected_until=row.night_protected_until,
        )
        for row in rows
    }


def _certificates(rows: Iterable[Row[Any]]) -> dict[str, tuple[Period, ...]]:
    found: dict[str, tuple[Period, ...]] = {}
    for row in rows:
        if row.revoked_at is None:
            found[row.kind] = (*found.get(row.kind, ()), Period(row.issued_on, row.valid_until))
    return found


async def _by_member(view: Reading, table: Any, tokens: Sequence[str] | None) -> defaultdict[str, list[Row[Any]]]:
    wanted = select(table)
    if tokens is not None:
        wanted = wanted.where(among(table.c.member, tokens))
    found: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in await view.execute(wanted):
        found[row.member].append(row)
    return found
