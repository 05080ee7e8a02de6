"""Online, silent, offline: told once each, in this order, when fixes stop; and online again when they come back."""

import signal
from collections.abc import AsyncIterator

import nats
import pytest
from nats.aio.client import Client

from shouwang.common.testing import Kept, becomes, eventually, hearing, kept
from shouwang.contracts.location import CellFrame, UnitOffline, UnitOnline
from shouwang.stack.suite import Suite

from .town import FeedEar, Town
from .trouble import back, end

HASTE = {"SHOUWANG_SILENT_S": "2", "SHOUWANG_OFFLINE_S": "4", "SHOUWANG_SWEEP_S": "0.1", "SHOUWANG_SETTLE_S": "0.5"}


@pytest.fixture(scope="module")
async def hasty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Suite]:
    """Location alone, that gives up on people within seconds."""
    async with Suite(tmp_path_factory.mktemp("hasty"), print, only=["location"], env=HASTE) as suite:
        yield suite


@pytest.fixture(scope="module")
async def hasty_wire(hasty: Suite) -> AsyncIterator[Client]:
    """The test's connection to its broker."""
    connection = await nats.connect(hasty.nats.url)
    yield connection
    await connection.close()


@pytest.fixture
async def hasty_town(hasty_wire: Client) -> Town:
    """A place in it."""
    ear = FeedEar()
    await ear.listen(hasty_wire)
    return Town(hasty_wire, ear)


async def facts(town: Town, word: str) -> list[Kept]:
    """What has been told of a unit's presence."""
    return await kept(town.connection, "LOCATION", f"location.unit.*.v1.{town.unit(word)}")


async def told(town: Town, word: str) -> list[str]:
    """The same, in words."""
    return [fact.subject.split(".")[2] for fact in await facts(town, word)]


async def test_who_stops_reporting_is_silent_then_offline_then_online_again(hasty: Suite, hasty_town: Town) -> None:
    town = hasty_town
    async with hearing(town.connection, "location.cell.v1.>") as heard:
        unit = await town.report("a", 0, kind="guard")
        await becomes(lambda: told(town, "a"), ["online"])
        assert (await town.ask("location.unit", {"unit": unit})).body["presence"] == "online"

        async def has_come_to_an_end() -> bool:
            await town.report("goes-on", 100)
            return "offline" in await told(town, "a")

        await eventually(has_come_to_an_end, every_s=0.2)
        await eventually(lambda: any(unit in CellFrame.model_validate_json(msg.data).left for msg in heard))
    assert await told(town, "a") == ["online", "silent", "offline"]
    assert await told(town, "goes-on") == ["online"]
    near = await town.ask("location.nearby", {**town.at(0), "k": 5, "max_m": 1000})
    assert [found["unit"] for found in near.body["units"]] == [town.unit("goes-on")]
    first, _, last = await facts(town, "a")
    assert (UnitOnline.model_validate(first.json).kind, UnitOffline.model_validate(last.json).unit) == ("guard", unit)

    await end(hasty, "location", signal.SIGTERM)  # who is offline is not forgotten, nor told again
    await back(hasty, "location")
    answer = (await town.ask("location.unit", {"unit": unit})).body
    assert (answer["presence"], answer["kind"], answer["lat"]) == ("offline", "guard", town.lat)

    await town.report("a", 10)
    await becomes(lambda: told(town, "a"), ["online", "silent", "offline", "online"])
    assert len({fact.headers["ce-id"] for fact in await facts(town, "a")}) == 4
