"""The feed tells each place who is there now, and who has left; the counts tell how many, and of nobody who."""

import json
from typing import Any

import h3
from nats.aio.msg import Msg

from shouwang.common.testing import becomes, eventually, hearing
from shouwang.contracts.location import CellCount, CellFrame

from .town import Town

APART_M = 4000.0  # surely another feed cell, whose edge is 1.2 km


def subject(kind: str, place: dict[str, float]) -> str:
    """Where a place's cell is told: its area first, so that the broker itself filters by area."""
    index = h3.latlng_to_cell(place["lat"], place["lon"], 9)
    return f"location.{kind}.v1.{h3.cell_to_parent(index, 5)}.{h3.cell_to_parent(index, 7)}"


def frames(heard: list[Msg], place: dict[str, float]) -> list[CellFrame]:
    """Frames of a place's cell."""
    return [CellFrame.model_validate_json(msg.data) for msg in heard if msg.subject == subject("cell", place)]


async def test_a_unit_that_moves_to_another_cell_is_told_there_and_has_left_here(town: Town) -> None:
    async with hearing(town.connection, "location.cell.v1.>") as heard:
        unit = await town.report("a", 0, age_s=100, kind="guard", accuracy_m=5, battery_pct=80)
        await town.report("a", APART_M, kind="guard")
        left = await eventually(lambda: [frame for frame in frames(heard, town.at(0)) if unit in frame.left])
    here, there = frames(heard, town.at(0)), frames(heard, town.at(APART_M))
    shown = next(shown for shown in here[0].units if shown.unit == unit)
    assert (shown.kind, shown.accuracy_m, shown.battery_pct) == ("guard", 5, 80)
    assert (shown.lat, shown.lon) == (town.lat, town.lon)
    assert all(unit not in {shown.unit for shown in frame.units} for frame in left)
    assert unit in {shown.unit for shown in there[-1].units}
    assert all(frame.cell == subject("cell", town.at(0)).rpartition(".")[2] for frame in here)


async def test_a_frame_holds_everybody_of_its_cell_who_has_changed_and_nobody_else(town: Town) -> None:
    await town.patrol(still=0, moving=10)
    async with hearing(town.connection, subject("cell", town.at(0))) as heard:
        await town.report("moving", 20)
        (frame,) = await eventually(lambda: [f for f in frames(heard, town.at(0)) if not f.full])
    assert [shown.unit for shown in frame.units] == [town.unit("moving")]


async def test_an_area_can_be_subscribed_and_nothing_of_another_comes(town: Town) -> None:
    area = subject("cell", town.at(0)).rpartition(".")[0]
    async with hearing(town.connection, f"{area}.>") as heard:
        await town.report("far", 60_000)
        await town.report("near", 0)
        await eventually(lambda: heard)
    shown = {unit["unit"] for msg in heard for unit in json.loads(msg.data)["units"]}
    assert shown == {town.unit("near")}


async def test_the_counts_say_how_many_of_each_kind_and_never_who(town: Town) -> None:
    def said(place: dict[str, float]) -> list[tuple[int, dict[str, int]]]:
        ours = (CellCount.model_validate_json(msg.data) for msg in heard if msg.subject == subject("count", place))
        return [(count.count, count.by_kind) for count in ours][-1:]

    async with hearing(town.connection, "location.count.v1.>") as heard:
        await town.report("a", 0, age_s=100, kind="guard")
        await town.report("b", 10, age_s=100, kind="militia")
        await becomes(lambda: said(town.at(0)), [(2, {"guard": 1, "militia": 1})])
        await town.report("a", APART_M, kind="guard")
        await becomes(lambda: said(town.at(0)), [(1, {"militia": 1})])
        await becomes(lambda: said(town.at(APART_M)), [(1, {"guard": 1})])
        await town.report("b", APART_M, kind="militia")
        await becomes(lambda: said(town.at(0)), [(0, {})])
    assert not any(town.name.encode() in msg.data for msg in heard)
    assert {key for msg in heard for key in json.loads(msg.data)} == {"cell", "at", "count", "by_kind"}


async def test_refresh_feed_tells_every_cell_whole_on_the_feed_itself(town: Town) -> None:
    await town.patrol(a=0, b=10, c=APART_M)

    def whole(place: dict[str, float]) -> list[set[str]]:
        return [{shown.unit for shown in frame.units} for frame in frames(heard, place) if frame.full]

    async with hearing(town.connection, "location.cell.v1.>") as heard:
        answer = await town.ask("location.refresh_feed", {})
        await becomes(lambda: whole(town.at(0))[-1:], [{town.unit("a"), town.unit("b")}])
        await becomes(lambda: whole(town.at(APART_M))[-1:], [{town.unit("c")}])
    full = [msg for msg in heard if _decoded(msg)["full"]]
    assert answer.body == {"frames": len({msg.subject for msg in full})}


def _decoded(msg: Msg) -> dict[str, Any]:
    return json.loads(msg.data)  # type: ignore[no-any-return]
