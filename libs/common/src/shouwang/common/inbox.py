"""What was handled already: facts by their id, requests by their idempotency key."""

import re
from http import HTTPStatus

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from shouwang.common.database import Transaction
from shouwang.common.problems import Problem
from shouwang.common.tables import answers, inbox

KEY = re.compile(r"[!-~]{1,200}")


async def first_time(tx: Transaction, consumer: str, message_id: str) -> bool:
    """True if this consumer has not handled the message; a second delivery waits here until the first has ended."""
    row = insert(inbox).values(consumer=consumer, message_id=message_id).on_conflict_do_nothing()
    return (await tx.execute(row)).rowcount == 1


async def claim(tx: Transaction, principal: str, key: str, subject: str, request_hash: str) -> bytes | None:
    """Take an idempotency key for this transaction, or give the reply that its first use got.

    Raises: Problem 409 when the key was used for something else.
    """
    if not KEY.fullmatch(key):
        raise Problem.of_field("Idempotency-Key", "must have 1-200 printable ASCII characters")
    row = {"principal": principal, "idempotency_key": key, "subject": subject, "request_hash": request_hash}
    if (await tx.execute(insert(answers).values(row).on_conflict_do_nothing())).rowcount == 1:
        return None
    used = (
        await tx.execute(
            select(answers.c.subject, answers.c.request_hash, answers.c.reply).where(
                answers.c.principal == principal, answers.c.idempotency_key == key
            )
        )
    ).one()
    if (used.subject, used.request_hash) != (subject, request_hash):
        taken = "this key was used for a different request; take a new key"
        raise Problem.of_field("Idempotency-Key", taken, HTTPStatus.CONFLICT)
    return bytes(used.reply)


async def keep(tx: Transaction, principal: str, key: str, reply: bytes) -> None:
    """Remember the reply under the key that `claim` took."""
    await tx.execute(
        update(answers).where(answers.c.principal == principal, answers.c.idempotency_key == key).values(reply=reply)
    )
