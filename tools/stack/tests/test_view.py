import asyncio
import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from shouwang.stack.drive import Drive, Endpoints, Snapshot
from shouwang.stack.drive.board import Event, Place
from shouwang.stack.tangxia import POST, TangxiaNight
from shouwang.stack.view import Chart, closing, line, render, show

NIGHT = TangxiaNight(60, 7)
OFFERED = "韩田 打架 → guard-017, 214 m, offered in 6 ms"

SHOT = Snapshot(
    title=NIGHT.title,
    clock="22:41",
    elapsed_s=23.4,
    seconds=60,
    calling=True,
    online=150,
    on_duty=147,
    needed=145,
    reports=13_214,
    reports_per_s=149.6,
    rejected={"impossible": 20, "repeated": 9, "old": 7, "malformed": 6, "jump": 5},
    facts={"incident.opened": 27, "task.offered": 41, "task.accepted": 33, "task.declined": 5, "task.completed": 22},
    open_incidents=6,
    states={"guard-001": "offered", "guard-002": "accepted", "guard-003": "arrived"},
    places=[Place(*POST), Place(POST[0], POST[1] + 0.00001, "going"), Place(POST[0] + 0.005, POST[1], "there")],
    p50_ms=4.21,
    p99_ms=9.87,
    short=1,
    refused={},
    events=[Event("22:40", "declined", f"event {n}") for n in range(30)]
    + [
        Event("22:41", "offer", OFFERED, "韩田 打架 → guard-017, 214 m, in 6 ms"),
        Event("22:42", "refused", "长" * 200),
    ],
    dots=NIGHT.dots(23.4),
    box=NIGHT.box,
    landmarks=NIGHT.landmarks,
    outline=NIGHT.outline,
)


def screen(shot: Snapshot, width: int, height: int) -> list[str]:
    console = Console(record=True, width=width, height=height, file=io.StringIO(), force_terminal=True)
    console.print(render(shot, width, height), end="")
    return console.export_text().splitlines()


@pytest.mark.parametrize(("width", "height"), [(100, 30), (80, 24), (120, 40), (98, 27), (200, 60), (60, 20)])
def test_the_screen_is_full_and_every_line_as_wide_as_it(width: int, height: int) -> None:
    lines = screen(SHOT, width, height)
    assert len(lines) == height
    assert {cell_len(shown) for shown in lines} == {width}
    text = "\n".join(lines)
    for wanted in (
        "22:41",
        "在岗 On duty",
        "of 145 应到",
        "在线 Online",
        "150",
        "13,214",
        "150/s",
        "impossible 20",
        "6 open",
        "p50 4.2 ms  p99 9.9 ms",
    ):
        assert wanted in text


def test_the_sizes_that_it_is_made_for_show_everything() -> None:
    for width, height, events in ((100, 30, 10), (80, 24, 5)):
        text = "\n".join(screen(SHOT, width, height))
        assert OFFERED in text or "guard-017, 214 m, in 6 ms" in text
        assert text.count("event ") == events - 2
        assert text.count("✖") == 3 + 1 + 1  # calls on the map, the refused event, the legend
        assert all(name in text for name in ("陈宅", "赵宅", "韩田", "1 incidents", "…"))
        assert "示例数据" in text


@pytest.mark.parametrize(("width", "height"), [(40, 12), (20, 8), (10, 4)])
def test_a_tiny_terminal_is_no_error(width: int, height: int) -> None:
    assert len(screen(SHOT, width, height)) == height


def test_before_anything_has_happened() -> None:
    empty = replace(SHOT, online=None, rejected={}, facts={}, events=[], dots=[], states={}, places=[], p50_ms=None)
    assert "在线 Online          –" in "\n".join(screen(replace(empty, elapsed_s=0.0, seconds=0.0), 80, 24))


def test_text_on_the_map_never_covers_other_text() -> None:
    chart = Chart(20, 5, (0.0, 0.0, 1.0, 1.0))
    chart.write(0.5, 0.5, "韩田", "")
    chart.write(0.5, 0.5, "✖", "")
    chart.write(0.5, 0.0, "off the edge of the map", "")
    chart.dot(9.0, 9.0, "")
    lines = chart.text().plain.split("\n")
    assert [cell_len(shown) for shown in lines] == [20] * 5
    assert lines[2].strip() == "韩田"
    assert lines[3].strip() == "✖"


def test_a_map_without_any_extent() -> None:
    chart = Chart(10, 4, (1.0, 2.0, 1.0, 2.0))
    chart.dot(1.0, 2.0, "")
    assert chart.text().plain.strip()


def test_one_plain_line_says_the_same() -> None:
    assert line(SHOT) == (
        "22:41 +23s  on duty 147 online 150 | 150 reports/s, rejected 47 | open 6 of 27 | "
        "offered 41 accepted 33 declined 5 "
        "expired 0 completed 22 | p50 4.2 ms p99 9.9 ms | short 1"
    )


def test_what_stays_on_the_terminal() -> None:
    console = Console(record=True, width=100, file=io.StringIO())
    summary = {"reports": 1234, "rejected": {"old": 2}, "offer_ms": {"p50": 4.2, "p99": None}, "nearest_exact": None}
    console.print(closing(summary, "a night"))
    text = console.export_text()
    assert all(wanted in text for wanted in ("1,234", "old 2", "p50 4.2 ms  p99 –", "a night"))
    assert "nearest_exact" not in text


async def test_on_a_terminal_the_view_takes_the_screen_and_gives_it_back() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, height=24, legacy_windows=False)
    showing = asyncio.create_task(show(Drive(Endpoints("nats://nowhere", {}), NIGHT, 60), console))
    await asyncio.sleep(0.7)
    showing.cancel()
    await asyncio.gather(showing, return_exceptions=True)
    written = out.getvalue()
    assert written.count("\x1b[?1049h") == written.count("\x1b[?1049l") == 1
    assert "守望 Shouwang" in written
    assert "\x1b[2J" not in written.split("\x1b[?1049h")[1]  # frames overwrite, they do not clear: no flicker
