"""What the handlers of training have alike."""

from collections.abc import Sequence
from typing import Annotated, Any

from sqlalchemy import Row

from shouwang.common.clock import Clock
from shouwang.common.database import Reading, Transaction
from shouwang.common.doors import Given
from shouwang.common.problems import Problem
from shouwang.contracts.training.people import Whom
from shouwang.training.settings import Settings
from shouwang.training.store import courses, people

Now = Annotated[Clock, Given("clock")]
Rules = Annotated[Settings, Given("settings")]
Key = Annotated[str, Given("signing_key")]
"""Signs the codes that are shown to strangers (`domain/codes.py`)."""

AT_ONCE = 8
"""Requests of one kind that are worked on side by side."""


async def whom(view: Reading, ask: Whom) -> list[str]:
    """The members that a request is about.

    Raises: Problem 400 if both or neither are given, 404 naming who is not known.
    """
    if (ask.members is None) == (ask.organisation is None):
        raise Problem.of_field("members", "say either members or organisation")
    if ask.organisation is not None:
        if await people.organisation(view, ask.organisation) is None:
            raise Problem.of_field("organisation", f"{ask.organisation} is not known", 404)
        return await people.members_of(view, ask.organisation)
    return await known(view, "members", ask.members or [])


async def known(view: Reading, field: str, members: Sequence[str]) -> list[str]:
    """These members, each once, if all are on record.

    Raises: Problem 404 naming who is not.
    """
    missing = set(members) - await people.members_known(view, members)
    if missing:
        some = ", ".join(sorted(missing)[:10])
        raise Problem.of_field(field, f"not known: {some}" + (" …" if len(missing) > 10 else ""), 404)
    return list(dict.fromkeys(members))


async def lock_batch(tx: Transaction, batch: str) -> Row[Any]:
    """A batch with its course, held until this transaction ends.

    Raises: Problem 404 if it is not known.
    """
    row = await courses.lock_batch(tx, batch)
    if row is None:
        raise Problem.of_field("batch", f"{batch} is not known", 404)
    return row
