"""Funds, tenders, payments; holidays."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from shouwang.common.database import Reading, Transaction
from shouwang.training.domain.funding import Tender
from shouwang.training.domain.workdays import YearTable
from shouwang.training.store.parts import upsert
from shouwang.training.tables.funding import funds, holidays, payments, tenders

_paid = (
    select(func.coalesce(func.sum(payments.c.amount_fen), 0))
    .where(payments.c.tender == tenders.c.tender)
    .scalar_subquery()
    .label("paid_fen")
)


def as_tender(row: Any) -> Tender:
    """A row as the rules see it."""
    return Tender(
        tender=row.tender,
        published_on=row.published_on,
        awarded_on=row.awarded_on,
        award_fen=row.award_fen or 0,
        signed_on=row.signed_on,
        copy_filed_on=row.copy_filed_on,
        accepted_on=row.accepted_on,
        paid_fen=int(row.paid_fen),
    )


async def put_fund(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a fund, new or changed."""
    await upsert(tx, funds, "fund", [row])


async def fund(view: Reading, token: str) -> Row[Any] | None:
    """One fund."""
    return (await view.execute(select(funds).where(funds.c.fund == token))).one_or_none()


async def fund_list(view: Reading, year: int | None) -> list[Row[Any]]:
    """Funds, newest year first."""
    wanted = select(funds).order_by(funds.c.year.desc(), funds.c.fund)
    return list(await view.execute(wanted if year is None else wanted.where(funds.c.year == year)))


async def tenders_of(view: Reading, fund: str | None = None) -> list[Row[Any]]:
    """The tenders of a fund, or of all, in the order of their publication, with what was paid."""
    wanted = select(tenders, _paid).order_by(tenders.c.published_on, tenders.c.tender)
    return list(await view.execute(wanted if fund is None else wanted.where(tenders.c.fund == fund)))


async def lock_tender(tx: Transaction, token: str) -> Row[Any] | None:
    """A tender with what was paid, held until this transaction ends."""
    await tx.execute(select(tenders.c.tender).where(tenders.c.tender == token).with_for_update())
    # What was paid is read after the lock: another payment may have been waited for.
    return (await tx.execute(select(tenders, _paid).where(tenders.c.tender == token))).one_or_none()


async def put_tender(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a tender, new or changed."""
    await upsert(tx, tenders, "tender", [row])


async def set_tender(tx: Transaction, token: str, **values: Any) -> None:
    """Change columns of a tender."""
    await tx.execute(update(tenders).where(tenders.c.tender == token).values(values))


async def add_payment(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a payment."""
    await tx.execute(insert(payments).values(row))


async def lock_waiting(tx: Transaction) -> list[Row[Any]]:
    """Tenders whose contract or copy is to come and was not told of, but those that somebody changes just now."""
    contract = tenders.c.signed_on.is_(None) & ~tenders.c.contract_told
    copy = tenders.c.signed_on.is_not(None) & tenders.c.copy_filed_on.is_(None) & ~tenders.c.copy_told
    waiting = select(tenders, _paid).where(tenders.c.awarded_on.is_not(None), or_(contract, copy))
    return list(await tx.execute(waiting.order_by(tenders.c.tender).with_for_update(skip_locked=True, of=tenders)))


async def put_holidays(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write the holidays of a year, in place of those written before."""
    await upsert(tx, holidays, "year", [row])


async def year_tables(view: Reading) -> dict[int, YearTable]:
    """What organisers have written of years."""
    rows = await view.execute(select(holidays))
    return {row.year: YearTable(frozenset(row.free), frozenset(row.worked)) for row in rows}
