"""Which idempotency keys are taken; what becomes of a key that is taken, the component tests say."""

from types import SimpleNamespace
from typing import Any

import pytest

from shouwang.common import inbox
from shouwang.common.problems import Problem


class Notebook:
    """A transaction in which every row is new, and that counts what it is asked to do."""

    def __init__(self) -> None:
        self.statements: list[Any] = []

    async def execute(self, statement: Any, _: Any = None) -> SimpleNamespace:
        self.statements.append(statement)
        return SimpleNamespace(rowcount=1)


@pytest.mark.parametrize(
    "key",
    [
        "",
        " ",
        "a b",
        " a",
        "a ",
        "\x00",
        "a\x00b",  # PostgreSQL has none in a text
        "a\n",
        "\n",
        "a\tb",
        "\x7f",
        "钥匙",
        "a\udcff",  # what the client makes of bytes that are not UTF-8
        "x" * 201,
        "x" * 100_000,
    ],
)
async def test_a_key_that_cannot_be_kept_is_refused_before_the_database_is_asked(key: str) -> None:
    book: Any = Notebook()
    with pytest.raises(Problem, match="Idempotency-Key") as caught:
        await inbox.claim(book, "duty", key, "request.duty.x", "hash")
    assert caught.value.status == 400
    assert book.statements == []
    assert [error["field"] for error in caught.value.errors] == ["Idempotency-Key"]


@pytest.mark.parametrize("key", ["a", "!~", "x" * 200, "0197a3c2-8d4e-7c11-9a55-0f6d8b1c2e3f", "{'a':\"b\\c%\"}"])
async def test_any_printable_key_is_taken_as_it_is(key: str) -> None:
    book: Any = Notebook()
    assert await inbox.claim(book, "duty", key, "request.duty.x", "hash") is None
    (statement,) = book.statements
    row = statement.compile().params
    assert (row["principal"], row["idempotency_key"], row["subject"]) == ("duty", key, "request.duty.x")
