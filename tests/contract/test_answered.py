"""Which requests a service answers is known, and said in the reference."""

import pytest

from shouwang.common.service import Service
from shouwang.contracts.catalogue import AHEAD, messages
from shouwang.dispatch import main as dispatch
from shouwang.dispatch.settings import Settings as Dispatch
from shouwang.location import main as location
from shouwang.location.settings import Settings as Location
from shouwang.training import main as training
from shouwang.training.settings import Settings as Training


@pytest.fixture(scope="module")
def answered() -> set[str]:
    """The subjects that the assembled services listen to, without starting them."""
    services: list[Service] = [
        location.assemble(Location()),
        dispatch.assemble(Dispatch()),
        training.assemble(Training()),
    ]
    return {
        channel["address"]
        for service in services
        for channel in service.app.schema.to_specification().to_jsonable()["channels"].values()
    }


def test_every_request_is_answered_or_named_as_ahead(answered: set[str]) -> None:
    for message in messages().values():
        if message.kind == "request":
            ahead = message.name.removesuffix(".request") in AHEAD
            assert (message.subject in answered) is not ahead, message.subject


def test_what_is_ahead_is_a_message() -> None:
    assert {name.removesuffix(".request") for name in messages()} >= AHEAD
