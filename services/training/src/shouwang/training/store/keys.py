"""The key that codes are signed with."""

from sqlalchemy import select

from shouwang.common.database import Reading
from shouwang.training.tables.base import signing_keys


async def signing_key(view: Reading) -> str:
    """The one that was made with the database."""
    key: str = (await view.execute(select(signing_keys.c.key))).scalar_one()
    return key
