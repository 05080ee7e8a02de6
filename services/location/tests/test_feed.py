"""The feed: frames by cell, and that whoever follows them ends with exactly what is known here.

The follower is dispatch's own, so that the two sides of the wire are held together by what they do.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from shouwang.common.geo import AREA_RES, FEED_RES, GeoIndex, cell_at, parent, token
from shouwang.contracts.location import CellCount, CellFrame
from shouwang.dispatch.feed import Follower, Frame
from shouwang.location import feed as feed_module
from shouwang.location.domain.fixes import Limits
from shouwang.location.domain.presence import Patience
from shouwang.location.domain.whereabouts import Report, Whereabouts
from shouwang.location.feed import EMPTY_TOLD_S, PORTION, Feed
from shouwang.location.metrics import Metrics

NOW = 1_700_000_000.0
NAN = math.nan
A, B, C = (27.70, 120.60), (27.75, 120.60), (28.70, 120.60)  # three feed cells; C lies in another area
Make = Callable[..., Report]
Messages = list[tuple[str, bytes]]


def feed_cell(place: tuple[float, float]) -> str:
    return token(parent(cell_at(*place), FEED_RES))


def subject(place: tuple[float, float], what: str = "cell") -> str:
    area = token(parent(cell_at(*place), AREA_RES))
    return f"location.{what}.v1.{area}.{feed_cell(place)}"


def read(messages: Iterable[tuple[str, bytes]]) -> dict[str, CellFrame]:
    """Frames by subject, read through the contract."""
    messages = list(messages)
    frames = {subject: CellFrame.model_validate_json(body) for subject, body in messages}
    assert len(frames) == len(messages), "one frame a cell"
    return frames


class Sender:
    """Location's side: its memory and its feed, driven as the rounds drive them."""

    def __init__(self) -> None:
        # Nobody is too fast here: these tests move units from one end of the county to the other.
        self.where = Whereabouts(Limits(max_speed_mps=1e9), Patience(), "patroller")
        self.feed = Feed(self.where, Metrics(CollectorRegistry()))

    def report(self, *reports: Report, now: float = NOW) -> None:
        self.feed.changed(self.where.apply(reports, now).slots)

    def frames(self) -> dict[str, CellFrame]:
        return read(self.feed.frames(NOW))

    def take_away(self, unit: str, now: float = NOW) -> None:
        """As `Watch.see_off` does with who is off duty."""
        self.where.take_away(unit)
        self.feed.take_away(unit, now)

    def sweep(self, now: float) -> Messages:
        """Give up who is offline, as `Rounds.sweep` does."""
        changes = self.where.changes_of_presence(now, 1000)
        self.where.said(changes)
        gone = [change.unit for change in changes if change.unit not in self.where.index]
        return [frame for unit in gone if (frame := self.feed.gone(unit, now))]


@pytest.fixture
def sender() -> Sender:
    return Sender()


def test_the_places_of_these_tests_are_what_they_are_said_to_be() -> None:
    assert len({feed_cell(A), feed_cell(B), feed_cell(C)}) == 3
    assert subject(A).split(".")[3] == subject(B).split(".")[3] != subject(C).split(".")[3]


# -- frames ----------------------------------------------------------------------------------------------------------


def test_a_frame_shows_who_changed_in_a_cell(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A, accuracy_m=4.5, battery_pct=80, kind="guard"), report("b", NOW, *C))
    frames = sender.frames()
    assert frames.keys() == {subject(A), subject(C)}
    frame = frames[subject(A)]
    assert (frame.cell, frame.at, frame.full, frame.left) == (feed_cell(A), NOW, False, [])
    assert [unit.model_dump() for unit in frame.units] == [
        {"unit": "a", "kind": "guard", "lat": A[0], "lon": A[1], "time": NOW, "accuracy_m": 4.5, "battery_pct": 80.0}
    ]
    shown = frames[subject(C)].units[0]
    assert (shown.accuracy_m, shown.battery_pct) == (None, None)  # what was not said is not there, not NaN


def test_what_has_not_changed_since_is_not_told_again(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A), report("b", NOW, *A))
    sender.frames()
    assert sender.frames() == {}
    sender.report(report("a", NOW + 1, *A))
    assert [unit.unit for unit in sender.frames()[subject(A)].units] == ["a"]


def test_several_reports_between_two_frames_are_one_position(sender: Sender, report: Make) -> None:
    for step in range(3):
        sender.report(report("a", NOW + step, A[0] + step / 10_000, A[1]))
    frames = sender.frames()
    assert [unit.time for unit in frames[subject(A)].units] == [NOW + 2]


@pytest.mark.parametrize(("portion", "calls"), [(1, 5), (2, 3), (4, 2), (5, 1), (PORTION, 1)])
def test_very_much_is_told_in_portions_and_nobody_twice(
    monkeypatch: pytest.MonkeyPatch, sender: Sender, report: Make, portion: int, calls: int
) -> None:
    monkeypatch.setattr(feed_module, "PORTION", portion)
    sender.report(*(report(f"u{i}", NOW, *(A if i % 2 else C)) for i in range(5)))
    told = []
    for _ in range(calls):
        units = [unit.unit for frame in sender.frames().values() for unit in frame.units]
        assert 0 < len(units) <= portion
        told += units
    assert sorted(told) == [f"u{i}" for i in range(5)]
    assert sender.frames() == {}


def test_who_moves_on_while_waiting_for_its_portion_is_told_where_it_is_then(
    monkeypatch: pytest.MonkeyPatch, sender: Sender, report: Make
) -> None:
    sender.report(report("a", NOW, *A), report("b", NOW, *A))
    sender.frames()
    monkeypatch.setattr(feed_module, "PORTION", 1)
    sender.report(report("a", NOW + 1, *A), report("b", NOW + 1, *A))
    first = sender.frames()[subject(A)].units[0].unit
    other = "b" if first == "a" else "a"
    sender.report(report(other, NOW + 2, *B))
    assert {s: ([(u.unit, u.time) for u in f.units], f.left) for s, f in sender.frames().items()} == {
        subject(A): ([], [other]),
        subject(B): ([(other, NOW + 2)], []),
    }
    assert sender.frames() == {}


def test_a_cell_that_a_unit_left_is_told_so(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A), report("b", NOW, *B))
    sender.frames()
    sender.report(report("a", NOW + 1, *B), report("b", NOW + 1, *A))
    frames = sender.frames()
    assert {s: ([u.unit for u in f.units], f.left) for s, f in frames.items()} == {
        subject(A): (["b"], ["a"]),
        subject(B): (["a"], ["b"]),
    }


def test_there_and_back_between_two_frames_is_no_leaving(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A))
    sender.frames()
    sender.report(report("a", NOW + 1, *C))
    sender.report(report("a", NOW + 2, *A))
    assert {s: f.left for s, f in sender.frames().items()} == {subject(A): []}


def test_gone_is_told_once_in_the_cell_where_the_unit_was_shown(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A))
    sender.frames()
    messages = sender.sweep(NOW + 700)
    assert {s: (f.units, f.left) for s, f in read(messages).items()} == {subject(A): ([], ["a"])}
    assert sender.sweep(NOW + 701) == []
    assert sender.feed.gone("a", NOW) is None
    assert sender.feed.gone("never-seen", NOW) is None


def test_gone_before_it_was_ever_told_says_nothing(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A))
    assert sender.sweep(NOW + 700) == []
    assert sender.frames() == {}


def test_who_is_taken_away_is_told_with_the_next_frames_after_whatever_is_on_its_way(
    sender: Sender, report: Make
) -> None:
    sender.report(report("a", NOW, *A), report("b", NOW, *A))
    on_its_way = sender.frames()
    sender.take_away("a")
    follower = Follower(GeoIndex(), 3600.0)
    for frames in (on_its_way, sender.frames()):
        for frame in frames.values():
            follower.apply(msgspec.json.decode(frame.model_dump_json(), type=Frame))
    assert follower.kinds.keys() == {"b"}
    assert sender.frames() == {}


def test_who_is_taken_away_is_in_no_full_frame_from_that_moment_on(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A), report("b", NOW, *A))
    sender.frames()
    sender.take_away("a")
    (frame,) = read(sender.feed.full_frames(NOW)).values()
    assert [unit.unit for unit in frame.units] == ["b"]
    assert [body["count"] for body in map(msgspec.json.decode, (b for _, b in sender.feed.counts(NOW)))] == [1]


def test_who_is_taken_away_before_it_was_ever_told_says_nothing(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A))
    sender.take_away("a")
    sender.take_away("never-seen")
    assert sender.frames() == {}


@pytest.mark.parametrize("place", [A, B])
def test_who_is_taken_away_and_comes_back_between_two_frames_is_shown(
    sender: Sender, report: Make, place: tuple[float, float]
) -> None:
    sender.report(report("a", NOW, *A))
    sender.frames()
    sender.take_away("a")
    sender.report(report("a", NOW + 1, *place))
    frames = sender.frames()
    assert [unit.unit for unit in frames[subject(place)].units] == ["a"]
    assert frames[subject(A)].left == ([] if place == A else ["a"])


def test_a_slot_that_changed_hands_between_two_frames_shows_its_new_unit_only(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A))
    sender.frames()
    sender.report(report("a", NOW + 1, *A))  # changed, not told yet
    slot = sender.where.index.slots["a"]
    gone = sender.sweep(NOW + 700)
    sender.report(report("b", NOW + 700, *B), now=NOW + 700)
    assert sender.where.index.slots == {"b": slot}
    assert read(gone)[subject(A)].left == ["a"]
    frames = sender.frames()
    assert {s: ([u.unit for u in f.units], f.left) for s, f in frames.items()} == {subject(B): (["b"], [])}
    full = {s: [u.unit for u in f.units] for s, f in read(sender.feed.full_frames(NOW)).items()}
    assert full == {subject(A): [], subject(B): ["b"]}  # the cell that was left by all is told as empty


def test_who_comes_back_into_another_slot_is_shown_from_there(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A))
    sender.frames()
    sender.sweep(NOW + 700)
    sender.report(report("b", NOW + 700, *A), report("a", NOW + 700, *B), now=NOW + 700)
    sender.frames()
    full = read(sender.feed.full_frames(NOW))
    assert {s: [(u.unit, u.lat) for u in f.units] for s, f in full.items()} == {
        subject(A): [("b", A[0])],
        subject(B): [("a", B[0])],
    }


def test_full_frames_name_everybody(sender: Sender, report: Make) -> None:
    sender.report(*(report(f"u{i}", NOW, *A) for i in range(3)), report("c", NOW, *C))
    assert list(sender.feed.full_frames(NOW)) == []  # nobody was told yet: the next frames tell all
    sender.frames()
    full = read(sender.feed.full_frames(NOW))
    assert {s: (f.full, sorted(u.unit for u in f.units)) for s, f in full.items()} == {
        subject(A): (True, ["u0", "u1", "u2"]),
        subject(C): (True, ["c"]),
    }


def test_full_frames_are_made_one_by_one_and_say_what_is_so_by_then(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A), report("b", NOW, *B), report("c", NOW, *C))
    sender.frames()
    making = iter(sender.feed.full_frames(NOW))
    first = read([next(making)])
    assert [len(frame.units) for frame in first.values()] == [1]
    sender.sweep(NOW + 700)  # everybody is given up while the rest is being sent
    sender.report(report("late", NOW + 700, *A), now=NOW + 700)
    sender.frames()
    rest = read(making)
    assert {**first, **rest}.keys() == {subject(A), subject(B), subject(C)}
    assert {s: [u.unit for u in f.units] for s, f in rest.items()} == {
        s: ["late"] if s == subject(A) else [] for s in rest
    }


def test_a_cell_that_all_have_left_is_told_as_empty_for_an_hour(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A))
    sender.frames()
    sender.sweep(NOW + 700)  # its message may be lost: who missed it would keep a ghost
    for seconds, told in ((1, True), (EMPTY_TOLD_S - 1, True), (EMPTY_TOLD_S, False)):
        full = read(sender.feed.full_frames(NOW + 700 + seconds))
        assert {s: (f.full, f.units) for s, f in full.items()} == ({subject(A): (True, [])} if told else {})


def test_an_emptied_cell_that_somebody_enters_is_told_once_and_not_as_empty(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A))
    sender.frames()
    sender.sweep(NOW + 700)
    sender.report(report("b", NOW + 700, *A), now=NOW + 700)
    sender.frames()
    full = read(sender.feed.full_frames(NOW + 701))
    assert {s: [u.unit for u in f.units] for s, f in full.items()} == {subject(A): ["b"]}


# -- after a restart -------------------------------------------------------------------------------------------------


@pytest.fixture
def restarted(sender: Sender, report: Make) -> Sender:
    """A new process that remembers whom an earlier one told in A: two units, nobody else."""
    sender.report(report("a", NOW, *A), report("b", NOW, *A))
    again = Sender()
    again.where.restore([sender.where.known(slot) for slot in sender.where.placed().tolist()])
    again.feed.remember(again.where.placed())
    return again


def test_who_has_gone_since_an_earlier_process_told_it_is_taken_away_from_there(restarted: Sender) -> None:
    messages = restarted.sweep(NOW + 700)
    assert sorted(CellFrame.model_validate_json(body).left for _, body in messages) == [["a"], ["b"]]
    assert {subject for subject, _ in messages} == {subject(A)}
    assert {s: f.units for s, f in read(restarted.feed.full_frames(NOW + 701)).items()} == {subject(A): []}


def test_who_has_moved_since_is_told_so_in_both_cells(restarted: Sender, report: Make) -> None:
    restarted.report(report("a", NOW + 1, *B))
    restarted.feed.changed(restarted.where.placed())
    assert {s: ([u.unit for u in f.units], f.left) for s, f in restarted.frames().items()} == {
        subject(A): (["b"], ["a"]),
        subject(B): (["a"], []),
    }


def test_whoever_is_remembered_is_in_the_full_frames_and_counts(restarted: Sender) -> None:
    full = read(restarted.feed.full_frames(NOW))
    assert {s: sorted(u.unit for u in f.units) for s, f in full.items()} == {subject(A): ["a", "b"]}
    assert counted(restarted.feed.counts(NOW)) == {subject(A, "count"): (2, {"patroller": 2})}


# -- counts ----------------------------------------------------------------------------------------------------------


def counted(messages: Messages) -> dict[str, tuple[int, dict[str, int]]]:
    read = {subject: CellCount.model_validate_json(body) for subject, body in messages}
    assert all(count.count == sum(count.by_kind.values()) for count in read.values())
    return {subject: (count.count, count.by_kind) for subject, count in read.items()}


def test_counts_of_the_cells_that_somebody_entered_or_left(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A, kind="guard"), report("b", NOW, *A), report("c", NOW, *B))
    sender.frames()
    assert counted(sender.feed.counts(NOW)) == {
        subject(A, "count"): (2, {"guard": 1, "patroller": 1}),
        subject(B, "count"): (1, {"patroller": 1}),
    }
    assert sender.feed.counts(NOW) == []
    sender.report(report("a", NOW + 1, A[0] + 0.0001, A[1]))
    sender.frames()
    assert sender.feed.counts(NOW) == []  # moved, but within the cell
    sender.report(report("c", NOW + 1, *A))
    sender.frames()
    assert counted(sender.feed.counts(NOW)) == {
        subject(A, "count"): (3, {"guard": 1, "patroller": 2}),
        subject(B, "count"): (0, {}),
    }


def test_counts_everywhere_and_after_everybody_is_gone(sender: Sender, report: Make) -> None:
    sender.report(report("a", NOW, *A), report("c", NOW, *C))
    sender.frames()
    sender.feed.counts(NOW)
    assert counted(sender.feed.counts(NOW, everywhere=True)).keys() == {subject(A, "count"), subject(C, "count")}
    sender.sweep(NOW + 700)
    assert counted(sender.feed.counts(NOW)) == {subject(A, "count"): (0, {}), subject(C, "count"): (0, {})}
    emptied = {subject(A, "count"): (0, {}), subject(C, "count"): (0, {})}
    assert counted(sender.feed.counts(NOW, everywhere=True)) == emptied  # told again: the first 0 may have been missed


def test_a_count_names_nobody(sender: Sender, report: Make) -> None:
    sender.report(report("somebody-by-name", NOW, *A))
    sender.frames()
    assert not any(b"somebody" in body for _, body in sender.feed.counts(NOW))


# -- sending ---------------------------------------------------------------------------------------------------------


class Wire:
    """As much of a NATS client as `Feed.send` needs."""

    def __init__(self, *, is_connected: bool) -> None:
        self.is_connected = is_connected
        self.sent: list[tuple[str, bytes]] = []

    async def publish(self, subject: str, body: bytes) -> None:
        self.sent.append((subject, body))


async def test_nothing_is_kept_for_a_broker_that_is_away(sender: Sender) -> None:
    here, away = Wire(is_connected=True), Wire(is_connected=False)
    assert await sender.feed.send(here, [("a", b"1"), ("b", b"2")]) == 2
    assert await sender.feed.send(away, [("a", b"1")]) == 0
    assert (here.sent, away.sent) == ([("a", b"1"), ("b", b"2")], [])


async def test_nothing_is_made_for_a_broker_that_is_away(sender: Sender) -> None:
    def messages() -> Iterator[tuple[str, bytes]]:
        raise AssertionError("work for nobody")
        yield "a", b"1"

    assert await sender.feed.send(Wire(is_connected=False), messages()) == 0


async def test_what_was_sent_is_counted(registry: CollectorRegistry, where: Whereabouts) -> None:
    feed = Feed(where, Metrics(registry))
    assert await feed.send(Wire(is_connected=True), iter([("a", b"1"), ("b", b"2")])) == 2
    assert await feed.send(Wire(is_connected=False), [("a", b"1")]) == 0
    assert await feed.send(Wire(is_connected=True), []) == 0
    assert registry.get_sample_value("location_frames_total") == 2


async def test_others_come_in_between_while_much_is_sent(sender: Sender) -> None:
    wire = Wire(is_connected=True)
    seen: list[int] = []

    async def other() -> None:
        while len(seen) < 3:
            seen.append(len(wire.sent))
            await asyncio.sleep(0)

    work = asyncio.create_task(other())
    await sender.feed.send(wire, [(str(i), b"") for i in range(100)])
    await work
    assert seen[-1] < 10  # not only when all was sent


# -- whoever follows -------------------------------------------------------------------------------------------------

UNITS = st.sampled_from(["a", "b", "c", "d"])
PLACES = st.sampled_from([A, (A[0] + 0.0005, A[1]), B, C])
KINDS = st.sampled_from([None, "guard", "militia"])
STEPS = st.lists(
    st.tuples(st.just("report"), UNITS, PLACES, KINDS)
    | st.tuples(st.just("flush"), st.booleans())  # whether it arrives
    | st.tuples(st.just("wait"), st.sampled_from([1, 200, 700]), st.booleans())
    | st.tuples(st.just("full"), st.booleans())
    | st.tuples(st.just("off"), UNITS),
    max_size=40,
)


class Both:
    """A sender, a follower, and the wire between them that may lose what is sent."""

    def __init__(self) -> None:
        self.sender, self.follower, self.now = Sender(), Follower(GeoIndex(), 3600.0), NOW

    def send(self, messages: Iterable[tuple[str, bytes]], *, arrives: bool = True) -> None:
        for _, body in messages:
            if arrives:
                self.follower.apply(msgspec.json.decode(body, type=Frame))

    def do(self, step: tuple, *, lossy: bool) -> None:
        arrives = not lossy or bool(step[-1])
        if step[0] == "report":
            _, unit, place, kind = step
            self.now += 1
            self.sender.report(Report(unit, *place, self.now, NAN, NAN, kind), now=self.now)
        elif step[0] == "flush":
            self.send(self.sender.feed.frames(self.now), arrives=arrives)
        elif step[0] == "full":
            self.send(self.sender.feed.full_frames(self.now), arrives=arrives)
        elif step[0] == "off":
            self.sender.take_away(step[1], self.now)
        else:
            self.now += step[1]
            self.send(self.sender.sweep(self.now), arrives=arrives)

    def shown(self) -> dict[str, tuple[object, ...]]:
        where = self.sender.where
        return {k.unit: (k.lat, k.lon, k.time, k.kind) for k in map(where.known, where.placed().tolist())}

    def followed(self) -> dict[str, tuple[object, ...]]:
        index = self.follower.index
        slots = np.flatnonzero(index.cell).tolist()
        return {
            u: (float(index.lat[slot]), float(index.lon[slot]), float(index.time[slot]), self.follower.kinds[u])
            for slot in slots
            if (u := index.units[slot]) is not None
        }


@given(STEPS)
@settings(max_examples=100, deadline=None)
def test_a_follower_of_every_frame_ends_with_exactly_what_the_sender_knows(steps: list[tuple]) -> None:
    both = Both()
    for step in steps:
        both.do(step, lossy=False)
        if step[0] == "flush":
            assert both.followed() == both.shown()
    both.send(both.sender.feed.frames(both.now))
    assert both.followed() == both.shown()
    assert both.follower.kinds.keys() == both.shown().keys()


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_in_portions_of_one_it_ends_the_same(steps: list[tuple]) -> None:
    both = Both()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed_module, "PORTION", 1)
        for step in steps:
            both.do(step, lossy=False)
        while messages := both.sender.feed.frames(both.now):
            both.send(messages)
    both.send(both.sender.feed.frames(both.now))
    assert both.followed() == both.shown()
    assert both.follower.kinds.keys() == both.shown().keys()


@given(STEPS)
@settings(max_examples=100, deadline=None)
def test_full_frames_mend_whatever_was_lost_within_the_hour(steps: list[tuple]) -> None:
    both = Both()
    for step in steps:
        if both.now < NOW + EMPTY_TOLD_S - 800 or step[0] != "wait":
            both.do(step, lossy=True)
    both.send(both.sender.feed.frames(both.now))
    both.send(both.sender.feed.full_frames(both.now))
    assert both.followed() == both.shown()
    assert both.follower.kinds.keys() == both.shown().keys()


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_the_counts_add_up_to_the_truth(steps: list[tuple]) -> None:
    both, told = Both(), dict[str, Counter[str]]()
    for step in [*steps, ("flush", True)]:
        both.do(step, lossy=False)
        if step[0] in ("flush", "wait"):
            for _, body in both.sender.feed.counts(both.now, everywhere=step[0] == "wait"):
                count = CellCount.model_validate_json(body)
                told[count.cell] = Counter(count.by_kind)
    told |= {
        c.cell: Counter(c.by_kind)
        for _, body in both.sender.feed.counts(both.now, everywhere=True)
        for c in [CellCount.model_validate_json(body)]
    }
    truth: dict[str, Counter[str]] = {}
    for lat, lon, _, kind in both.shown().values():
        truth.setdefault(feed_cell((lat, lon)), Counter())[kind] += 1
    assert {cell: by_kind for cell, by_kind in told.items() if by_kind} == truth
