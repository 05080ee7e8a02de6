"""The live view of a drive in a terminal; where there is no terminal, one plain line a second."""

import asyncio
import math
from collections.abc import Iterator
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from shouwang.stack.drive import Drive, Snapshot
from shouwang.stack.drive.scenario import Box

FRAME_S = 0.25
LINE_S = 1.0
HEADER_LINES = 3
NUMBERS_LINES = 14
NUMBERS_WIDTH = 42
SIDE_WIDTH = 58
SIDE_FROM = (98, 27)
"""Columns and lines from which the map stands at the side at full height."""

EVENT_STYLES = {
    "offer": ("●", "green"),
    "closed": ("■", "blue"),
    "declined": ("○", "yellow"),
    "expired": ("○", "yellow"),
    "cancelled": ("○", "yellow"),
    "short": ("▲", "bold red"),
    "refused": ("✖", "magenta"),
    "broker": ("▲", "bold red"),
    "silent": ("○", "red"),
    "offline": ("○", "red"),
}
KIND_STYLES = {"guard": "green", "school_guard": "cyan"}
OTHER_KINDS = "bright_blue"
STATE_STYLES = {"offered": "bright_magenta", "accepted": "bold yellow", "arrived": "bold bright_white"}
PLACE_STYLES = {"waiting": "bold red", "going": "bold yellow", "there": "bold bright_white"}


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def reasons(rejected: dict[str, int]) -> str:
    """`impossible 20 · old 9`"""
    return " · ".join(f"{reason} {count:,}" for reason, count in rejected.items())


# -- the map ---------------------------------------------------------------------------------------------------------

BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of each of the 2 × 4 dots of a character from U+2800, row by row: eight places in one cell, never ambiguous
in width as block characters are in Chinese terminals."""


class Chart:
    """A map of braille dots; what is drawn later takes the colour of its cell."""

    def __init__(self, columns: int, rows: int, box: Box) -> None:
        self.columns, self.rows = columns, rows
        south, west, north, east = box
        self._lat, self._lon = (south + north) / 2, (west + east) / 2
        self._narrower = math.cos(math.radians(self._lat))  # a degree of longitude, measured in degrees of latitude
        width, height = max((east - west) * self._narrower, 1e-6), max(north - south, 1e-6)
        self._per_dot = max(width / (2 * columns - 2), height / (4 * rows - 2))
        self._bits = [[0] * columns for _ in range(rows)]
        self._styles = [[""] * columns for _ in range(rows)]
        self._letters: dict[tuple[int, int], str] = {}

    def _dot(self, lat: float, lon: float) -> tuple[int, int] | None:
        x = round(self.columns + (lon - self._lon) * self._narrower / self._per_dot)
        y = round(2 * self.rows - (lat - self._lat) / self._per_dot)
        return (x, y) if 0 <= x < 2 * self.columns and 0 <= y < 4 * self.rows else None

    def dot(self, lat: float, lon: float, style: str) -> None:
        """Sets one dot."""
        if spot := self._dot(lat, lon):
            x, y = spot
            self._bits[y // 4][x // 2] |= BRAILLE[y % 4][x % 2]
            self._styles[y // 4][x // 2] = style

    def write(self, lat: float, lon: float, text: str, style: str) -> None:
        """Writes text centred on a place, or a line or two off where other text stands; not half off the map."""
        spot = self._dot(lat, lon)
        if not spot:
            return
        column, width = spot[0] // 2 - cell_len(text) // 2, cell_len(text)
        for row in (spot[1] // 4 + aside for aside in (0, 1, -1, 2)):
            taken = any((row, column + n) in self._letters for n in range(-1, width + 1))
            if not taken and 0 <= row < self.rows and 0 <= column <= self.columns - width:
                self._write_at(row, column, text, style)
                return

    def _write_at(self, row: int, column: int, text: str, style: str) -> None:
        for letter in text:
            self._letters[row, column] = letter
            self._styles[row][column] = style
            for extra in range(1, cell_len(letter)):
                self._letters[row, column + extra] = ""
            column += cell_len(letter)

    def text(self) -> Text:
        """The finished map."""
        lines = Text(no_wrap=True)
        for row in range(self.rows):
            for column in range(self.columns):
                bits = self._bits[row][column]
                letter = self._letters.get((row, column), chr(0x2800 + bits) if bits else " ")
                lines.append(letter, self._styles[row][column] or None)
            lines.append("\n" if row + 1 < self.rows else "")
        return lines


def chart(shot: Snapshot, columns: int, rows: int) -> Text:
    """Who is where: patrols by kind, then those with a task, then the incidents on top."""
    drawn = Chart(columns, rows, shot.box)
    for lat, lon in shot.outline:
        drawn.dot(lat, lon, "bright_black")
    busy = [dot for dot in shot.dots if dot.unit in shot.states]
    for dot in shot.dots:
        drawn.dot(dot.lat, dot.lon, KIND_STYLES.get(dot.kind, OTHER_KINDS))
    for dot in busy:
        drawn.dot(dot.lat, dot.lon, STATE_STYLES.get(shot.states[dot.unit], ""))
    for place in shot.places:
        drawn.write(place.lat, place.lon, "✖", PLACE_STYLES[place.state])
    for name, lat, lon in shot.landmarks:
        drawn.write(lat, lon, name, "bold")
    return drawn.text()


# -- panels ----------------------------------------------------------------------------------------------------------


def _rows(shot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """Label, number, and a few words beside it."""
    facts, now = shot.facts, list(shot.states.values())
    yield "在岗 On duty", _count(shot.on_duty), "" if shot.needed is None else f"of {shot.needed} 应到"
    yield "在线 Online", _count(shot.online), ""
    yield "上报 Reports", _count(shot.reports), f"{shot.reports_per_s:,.0f}/s"
    yield "拒收 Rejected", _count(sum(shot.rejected.values())), ""
    yield "警情 Incidents", _count(facts.get("incident.opened", 0)), f"{shot.open_incidents} open"
    yield "派单 Offered", _count(facts.get("task.offered", 0)), f"{now.count('offered')} waiting"
    yield "接受 Accepted", _count(facts.get("task.accepted", 0)), f"{now.count('accepted')} going"
    yield "办结 Completed", _count(facts.get("task.completed", 0)), f"{now.count('arrived')} on scene"
    yield "婉拒 Declined", _count(facts.get("task.declined", 0)), f"{facts.get('task.expired', 0)} expired 未答"
    yield "缺口 Shortfall", _count(shot.short), "incidents" if shot.short else ""


def _numbers(shot: Snapshot, roomy: bool) -> RenderableType:
    rows = list(_rows(shot))
    parts: list[RenderableType] = []
    for part in (rows[:4], rows[4:]):
        table = Table.grid(padding=(0, 1))
        table.add_column(min_width=14, no_wrap=True)
        table.add_column(min_width=7, justify="right", style="bold", no_wrap=True)
        table.add_column(style="bright_black", no_wrap=True)
        for row in part:
            table.add_row(*row)
        parts.append(table)
    told = Text(reasons(shot.rejected) or "–", style="magenta", no_wrap=not roomy, overflow="ellipsis")
    took = Text.assemble(
        "报警→派单 ", ("p50 ", "bright_black"), (_ms(shot.p50_ms), "bold green"),
        ("  p99 ", "bright_black"), (_ms(shot.p99_ms), "bold green"),
    )  # fmt: skip
    return Group(parts[0], told, parts[1], took)


def _header(shot: Snapshot, width: int) -> Panel:
    share = min(1.0, shot.elapsed_s / shot.seconds) if shot.seconds else 1.0
    phase = "接警 taking calls" if shot.calling else "收尾 finishing"
    told = f"  {shot.elapsed_s:.0f} / {shot.seconds:.0f} s  {phase}"
    room = max(8, width - cell_len(told) - 11)
    done = round(room * share)
    line = Text.assemble(
        (f" {shot.clock} ", "bold reverse"), " ", ("━" * done, "green"), ("━" * (room - done), "bright_black"), told,
        no_wrap=True,
    )  # fmt: skip
    return Panel(line, title=f"[bold]守望 Shouwang[/]  {shot.title}", title_align="left", border_style="blue")


def _events(shot: Snapshot, lines: int, width: int) -> Panel:
    shown = Text(no_wrap=True, overflow="ellipsis")
    for event in shot.events[-lines:]:
        mark, style = EVENT_STYLES.get(event.what, ("·", ""))
        text = event.text if cell_len(event.text) <= width - 12 else event.short or event.text
        text = text if cell_len(text) <= width - 12 else set_cell_size(text, width - 13) + "…"
        shown.append_text(Text.assemble((event.clock, "bright_black"), (f" {mark} ", style), text, "\n"))
    return Panel(shown, title="动态 Events", title_align="left", border_style="blue", height=lines + 2)


def _legend(width: int) -> str:
    parts = [("green", "⠿", "巡逻 patrol"), ("yellow", "⠿", "前往 going")][width < 44 :]
    return "  ".join(f"[{style}]{mark}[/] {word}" for style, mark, word in [*parts, ("red", "✖", "警情 call")])


def _map(shot: Snapshot, width: int, height: int) -> Panel:
    inside = width - 2
    return Panel(
        chart(shot, inside, max(1, height - 2)),
        title="地图 Map", title_align="left", subtitle=_legend(inside), border_style="blue", padding=0,
    )  # fmt: skip


def render(shot: Snapshot, width: int, height: int) -> RenderableType:
    """The whole screen: a tall map at the right where there is room, else a small one above the events.

    Made for 80 × 24 and up; below that the map goes first, then the events.
    """
    side = width >= SIDE_FROM[0] and height >= SIDE_FROM[1]
    with_map = side or (width - NUMBERS_WIDTH >= 30 and height >= 18)
    left = SIDE_WIDTH if side else width
    rest = height - HEADER_LINES
    upper = NUMBERS_LINES + side  # room for a second line of reasons
    numbers = Panel(_numbers(shot, side), title="数字 Numbers", title_align="left", border_style="blue")
    events = Layout(_events(shot, max(1, rest - upper - 2), left))
    if side:
        column = Layout(size=SIDE_WIDTH)
        column.split_column(Layout(numbers, size=upper), events)
        body = Layout()
        body.split_row(column, Layout(_map(shot, width - SIDE_WIDTH, rest)))
    else:
        above = Layout(size=upper)
        small = [Layout(_map(shot, width - NUMBERS_WIDTH, upper))] if with_map else []
        above.split_row(Layout(numbers, size=NUMBERS_WIDTH if with_map else None), *small)
        body = Layout()
        body.split_column(above, events)
    screen = Layout()
    screen.split_column(Layout(_header(shot, width - 4), size=HEADER_LINES), body)
    return screen


def line(shot: Snapshot) -> str:
    """The same in one plain line."""
    facts = shot.facts
    on_duty = "" if shot.on_duty is None else f"on duty {shot.on_duty} "
    return (
        f"{shot.clock} +{shot.elapsed_s:.0f}s  {on_duty}online {_count(shot.online)} | "
        f"{shot.reports_per_s:.0f} reports/s, "
        f"rejected {sum(shot.rejected.values())} | open {shot.open_incidents} of {facts.get('incident.opened', 0)} | "
        f"offered {facts.get('task.offered', 0)} accepted {facts.get('task.accepted', 0)} "
        f"declined {facts.get('task.declined', 0)} expired {facts.get('task.expired', 0)} "
        f"completed {facts.get('task.completed', 0)} | p50 {_ms(shot.p50_ms)} p99 {_ms(shot.p99_ms)} | "
        f"short {shot.short}"
    )


def closing(summary: dict[str, Any], title: str) -> Panel:
    """What stays on the terminal when the view has gone."""
    table = Table.grid(padding=(0, 2))
    for key, value in summary.items():
        shown = reasons(value) or "–" if key == "rejected" else value
        if key == "offer_ms":
            shown = f"p50 {_ms(value['p50'])}  p99 {_ms(value['p99'])}"
        if value not in ({}, None):
            table.add_row(Text(key, style="bright_black"), f"{shown:,}" if isinstance(shown, int) else str(shown))
    title = f"[bold]守望 Shouwang[/]  {title}"
    return Panel(table, title=title, title_align="left", border_style="green", expand=False)


# -- on the terminal -------------------------------------------------------------------------------------------------


async def show(drive: Drive, console: Console) -> None:
    """Shows the drive until cancelled."""
    if not console.is_terminal or console.is_dumb_terminal:
        while True:
            await asyncio.sleep(LINE_S)
            console.out(line(drive.snapshot()), highlight=False)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            screen = render(drive.snapshot(), console.width, console.height)
            # Drawing takes milliseconds: in a thread, or an offer that arrives meanwhile would be measured too slow.
            await asyncio.to_thread(live.update, screen, refresh=True)
            await asyncio.sleep(FRAME_S)
