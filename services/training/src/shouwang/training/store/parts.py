"""Parts of statements that several files of SQL use."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, any_, cast, func
from sqlalchemy.dialects.postgresql import ARRAY, insert

from shouwang.common.database import Transaction


def among(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether a column is one of these. One array is sent, not a parameter for each: there may be thousands."""
    found: ColumnElement[bool] = column == any_(cast(list(values), ARRAY(column.type)))
    return found


async def upsert(
    tx: Transaction, table: Any, key: str | tuple[str, ...], rows: Sequence[Mapping[str, Any]], *, keep: bool = False
) -> None:
    """Write rows that all have the same columns; those that are there already get the new values.

    Args:
        keep: a value that is not given leaves the old one as it is.
    """
    if not rows:
        return
    keys = (key,) if isinstance(key, str) else key
    row = insert(table)
    new = {name: row.excluded[name] for name in rows[0] if name not in keys}
    changed = {name: func.coalesce(value, table.c[name]) for name, value in new.items()} if keep else new
    await tx.execute(row.on_conflict_do_update(index_elements=list(keys), set_=changed), list(rows))
