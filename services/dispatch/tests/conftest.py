"""What the tests of dispatch share: a transaction that only writes down what it is asked to do."""

from typing import Any

import pytest


class Notebook:
    """A transaction that writes down what it is asked to do; every question is answered with `rows`."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.statements: list[Any] = []
        self.parameters: list[Any] = []
        self.facts: list[Any] = []
        self.deliveries: list[tuple[str, Any]] = []

    async def execute(self, statement: Any, parameters: Any = None) -> list[Any]:
        self.statements.append(statement)
        self.parameters.append(parameters)
        return self.rows

    def tell(self, fact: Any) -> None:
        self.facts.append(fact)

    def deliver(self, key: str, subject: str, message: Any) -> None:
        self.deliveries.append((subject, message))


@pytest.fixture
def book() -> Notebook:
    """A fresh one."""
    return Notebook()
