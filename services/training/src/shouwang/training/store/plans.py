"""Patrol plans that dispatch has proposed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from shouwang.common.database import Reading, Transaction
from shouwang.training.tables.rosters import patrol_plans


async def keep(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Keep a plan; one that is known already stays as it is."""
    await tx.execute(insert(patrol_plans).values(row).on_conflict_do_nothing())


async def plan(view: Reading, token: str) -> Row[Any] | None:
    """One plan."""
    return (await view.execute(select(patrol_plans).where(patrol_plans.c.plan == token))).one_or_none()


async def taken_over(tx: Transaction, token: str) -> None:
    """Somebody has approved it."""
    await tx.execute(update(patrol_plans).where(patrol_plans.c.plan == token).values(taken_over=True))


async def plan_list(view: Reading, limit: int) -> list[Row[Any]]:
    """Plans, newest first, with how many windows they have."""
    columns = [column for column in patrol_plans.c if column.name != "windows"]
    wanted = select(*columns, func.jsonb_array_length(patrol_plans.c.windows).label("windows"))
    return list(await view.execute(wanted.order_by(patrol_plans.c.plan.desc()).limit(limit)))
