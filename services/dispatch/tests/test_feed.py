"""Frames from location: read as the contract says, and brought into the index whatever order they come in."""

import json
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shouwang.common.geo import GeoIndex
from shouwang.contracts.location import CellFrame
from shouwang.dispatch.feed import Follower, Frame, UnitShown

A, B = "8741a8d63ffffff", "8741a8d61ffffff"
UNIT = {"unit": "a", "kind": "guard", "lat": 27.7, "lon": 120.6, "time": 100.0}


def decode(raw: bytes) -> Frame:
    return msgspec.json.decode(raw, type=Frame)


def raw(**fields: object) -> bytes:
    return json.dumps({"cell": A, "at": 1.5, "units": [], **fields}).encode()


def values(frame: Frame | CellFrame) -> tuple[object, ...]:
    units = [(u.unit, u.kind, u.lat, u.lon, u.time) for u in frame.units]
    return frame.cell, frame.at, frame.full, units, frame.left


# -- parity with the contract ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        raw(),
        raw(full=True),
        raw(left=["a", "b"]),
        raw(units=[UNIT], full=False, left=[]),
        raw(units=[{**UNIT, "accuracy_m": 5, "battery_pct": None}]),
        raw(units=[{**UNIT, "lat": 27, "lon": -120, "time": 100}]),
        raw(at=1),
        raw(units=[{**UNIT, "a_later_field": {"any": ["thing"]}}], another=1),  # additive inside a major version
    ],
)
def test_a_frame_is_read_as_the_contract_reads_it(body: bytes) -> None:
    assert values(decode(body)) == values(CellFrame.model_validate_json(body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        raw()[:-1],
        raw(units=None),
        raw(units={}),
        raw(left=None),
        raw(left=[1]),
        raw(full=None),
        raw(full="perhaps"),
        raw(at=None),
        raw(cell=None),
        raw(units=[{**UNIT, "unit": None}]),
        raw(units=[{**UNIT, "kind": None}]),
        raw(units=[{**UNIT, "lat": None}]),
        raw(units=[{**UNIT, "time": "2026-11-24T19:00:00Z"}]),
        *(
            json.dumps({k: v for k, v in json.loads(raw()).items() if k != field}).encode()
            for field in ("cell", "at", "units")
        ),
        *(raw(units=[{k: v for k, v in UNIT.items() if k != field}]) for field in UNIT),
    ],
)
def test_what_the_contract_refuses_is_refused(body: bytes) -> None:
    with pytest.raises(ValidationError):
        CellFrame.model_validate_json(body)
    with pytest.raises(msgspec.MsgspecError):
        decode(body)


TOKENS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
SHOWN = st.fixed_dictionaries(
    {"unit": TOKENS, "kind": TOKENS, "lat": st.floats(-90, 90), "lon": st.floats(-180, 180)}
    | {"time": st.floats(allow_nan=False, allow_infinity=False)},
    optional={"accuracy_m": st.none() | st.floats(0, 1e6), "battery_pct": st.none() | st.floats(0, 100)},
)
FRAMES = st.fixed_dictionaries(
    {
        "cell": st.from_regex(r"8[0-9a-f]{14}", fullmatch=True),
        "at": st.floats(0, 2e9),
        "units": st.lists(SHOWN, max_size=3),
    },
    optional={"full": st.booleans(), "left": st.lists(TOKENS, max_size=3)},
)


@given(FRAMES)
@settings(max_examples=100, deadline=None)
def test_any_frame_of_the_contract_is_read_to_the_same_values(frame: dict[str, object]) -> None:
    said = CellFrame.model_validate(frame)
    assert values(decode(said.model_dump_json().encode())) == values(said)
    assert values(decode(json.dumps(frame).encode())) == values(said)


# -- what frames do to the index -------------------------------------------------------------------------------------


@pytest.fixture
def feed() -> Follower:
    return Follower(GeoIndex(), 3600.0)


def shown(unit: str, time: float, lat: float = 27.7, kind: str = "guard") -> UnitShown:
    return UnitShown(unit, kind, lat, 120.6, time)


def known(feed: Follower) -> dict[str, tuple[float, float]]:
    units = (u for u in feed.index.units if u is not None)
    return {p.unit: (p.lat, p.time) for u in units if (p := feed.index.position(u)) is not None}


def test_a_frame_is_put_into_the_index(feed: Follower) -> None:
    feed.apply(Frame(A, 0, [shown("a", 100), shown("b", 100, 27.8, "militia")]))
    assert known(feed) == {"a": (27.7, 100), "b": (27.8, 100)}
    assert feed.kinds == {"a": "guard", "b": "militia"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_frames_of_two_cells_may_overtake_each_other(feed: Follower, order: tuple[int, int]) -> None:
    feed.apply(Frame(A, 0, [shown("a", 100)]))
    moved = (Frame(A, 1, [], left=["a"]), Frame(B, 1, [shown("a", 101, 27.8)]))
    for which in order:
        feed.apply(moved[which])
    assert known(feed) == {"a": (27.8, 101)}
    feed.apply(Frame(A, 2, [], full=True))
    assert known(feed) == {"a": (27.8, 101)}


def test_a_late_frame_does_not_bring_back_an_older_place(feed: Follower) -> None:
    feed.apply(Frame(B, 1, [shown("a", 101, 27.8)]))
    feed.apply(Frame(A, 0, [shown("a", 100, 27.7, "militia")]))
    assert known(feed) == {"a": (27.8, 101)}
    assert feed.kinds == {"a": "guard"}


def test_the_same_fix_again_may_correct_the_kind(feed: Follower) -> None:
    feed.apply(Frame(A, 0, [shown("a", 100)]))
    feed.apply(Frame(A, 1, [shown("a", 100, kind="militia")], full=True))
    assert feed.kinds == {"a": "militia"}


def test_left_forgets_the_unit_unless_it_is_elsewhere_by_now(feed: Follower) -> None:
    feed.apply(Frame(A, 0, [shown("a", 100), shown("b", 100)]))
    feed.apply(Frame(B, 0, [], left=["a"]))  # it is not there
    assert known(feed).keys() == {"a", "b"}
    feed.apply(Frame(A, 0, [], left=["a", "never-seen"]))
    assert known(feed).keys() == feed.kinds.keys() == {"b"}
    feed.apply(Frame(A, 0, [], left=["a"]))
    assert known(feed).keys() == {"b"}


def test_a_full_frame_ends_what_it_does_not_name_in_its_cell_only(feed: Follower) -> None:
    feed.apply(Frame(A, 0, [shown("a", 100), shown("b", 100)]))
    feed.apply(Frame(B, 0, [shown("c", 100)]))
    feed.apply(Frame(A, 1, [shown("b", 100), shown("d", 100)], full=True))
    assert known(feed).keys() == feed.kinds.keys() == {"b", "c", "d"}
    feed.apply(Frame(A, 2, [], full=True))
    assert known(feed).keys() == {"c"}


def test_a_frame_that_is_not_full_ends_nobody(feed: Follower) -> None:
    feed.apply(Frame(A, 0, [shown("a", 100), shown("b", 100)]))
    feed.apply(Frame(A, 1, [shown("b", 101)]))
    assert known(feed).keys() == {"a", "b"}


def test_who_was_forgotten_comes_back_with_any_time(feed: Follower) -> None:
    feed.apply(Frame(A, 0, [shown("a", 100)]))
    feed.apply(Frame(A, 1, [], left=["a"]))
    feed.apply(Frame(B, 2, [shown("a", 50)]))
    assert known(feed) == {"a": (27.7, 50)}


def test_many_in_one_frame_are_placed_at_once(feed: Follower) -> None:
    """As after a start, when a full frame names everybody in a cell; some are known already, some came by elsewhere."""
    feed.apply(Frame(B, 0, [shown("u0", 50, 27.6), shown("u1", 200, 27.6)]))
    feed.apply(Frame(A, 0, [shown(f"u{i}", 100, 27.7 + i / 100_000) for i in range(3000)], full=True))
    assert len(feed.index) == len(known(feed)) == len(feed.kinds) == 3000
    assert known(feed)["u0"] == (27.7, 100)
    assert known(feed)["u1"] == (27.6, 200)  # newer than the frame says
    assert known(feed)["u2999"] == (27.7 + 2999 / 100_000, 100)
    found = [near.unit for near in feed.index.walk(27.7, 120.6, 5.0)]
    assert found == ["u0", "u2", "u3", "u4"]  # 1.1 m apart; u1 is elsewhere


def test_a_place_that_cannot_be_changes_nothing(feed: Follower) -> None:
    feed.apply(Frame(A, 0, [shown("a", 100)]))
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the geo library's
        feed.apply(Frame(A, 1, [shown("a", 101), shown("b", 101, float("nan"))]))
    assert known(feed) == {"a": (27.7, 100)}
    assert feed.kinds.keys() == feed._cell_of.keys() == {"a"}


# -- forgetting ------------------------------------------------------------------------------------------------------


def test_who_was_not_heard_of_for_too_long_is_forgotten(feed: Follower) -> None:
    feed.apply(Frame(A, 0, [shown("a", 100), shown("b", 101), shown("c", 5000)]))
    feed.apply(Frame(B, 0, [shown("d", 100)]))
    feed.forget(3700.0)
    assert known(feed).keys() == {"a", "b", "c", "d"}  # 3600 s is not too long yet
    feed.forget(3700.5)
    assert known(feed).keys() == feed.kinds.keys() == {"b", "c"}
    assert len(feed.index) == 2
    assert [near.unit for near in feed.index.walk(27.7, 120.6, 10_000)] == ["b", "c"]
    feed.forget(1e9)
    assert known(feed).keys() == feed.kinds.keys() == feed._cell_of.keys() == feed._members.keys() == set()


def test_forgetting_goes_by_the_last_fix_and_not_by_when_it_came(feed: Follower) -> None:
    feed.apply(Frame(A, 5000.0, [shown("a", 100)]))
    feed.apply(Frame(A, 5001.0, [shown("a", 100)], full=True))
    feed.forget(3701.0)
    assert known(feed) == {}


def test_nobody_known_nobody_forgotten(feed: Follower) -> None:
    feed.forget(1e9)
    assert len(feed.index) == 0


def test_who_was_forgotten_is_shown_again_with_the_next_frame(feed: Follower) -> None:
    feed.apply(Frame(A, 0, [shown("a", 100), shown("b", 5000)]))
    feed.forget(5000.0)
    feed.apply(Frame(B, 1, [shown("a", 5001, 27.8)]))
    feed.apply(Frame(A, 2, [], left=["a"]))  # from the cell that it was forgotten in
    assert known(feed) == {"a": (27.8, 5001), "b": (27.7, 5000)}


def test_how_long_is_a_setting() -> None:
    feed = Follower(GeoIndex(), 10.0)
    feed.apply(Frame(A, 0, [shown("a", 100), shown("b", 105)]))
    feed.forget(111.0)
    assert known(feed).keys() == {"b"}


async def test_a_frame_that_cannot_be_read_costs_only_itself(feed: Follower) -> None:
    for data in (b"\xff", raw(units=[UNIT]), b"{}"):
        await feed._take(SimpleNamespace(subject=f"location.cell.v1.x.{A}", data=data))
    assert known(feed) == {"a": (27.7, 100.0)}


def assert_the_books_agree(feed: Follower) -> None:
    members = [(cell, unit) for cell, units in feed._members.items() for unit in units]
    assert sorted(members) == sorted((cell, unit) for unit, cell in feed._cell_of.items())
    assert all(feed._members.values())  # a cell without members takes up no room


def unit_of(shown: UnitShown) -> str:
    return shown.unit


CELLS = st.sampled_from([A, B])
ANY_FRAME = st.builds(
    Frame,
    CELLS,
    st.just(0.0),
    st.lists(st.builds(shown, st.sampled_from("abc"), st.integers(0, 9).map(float)), max_size=3),
    st.booleans(),
    st.lists(st.sampled_from("abc"), max_size=2),
)


@given(st.lists(ANY_FRAME, max_size=20))
@settings(max_examples=80, deadline=None)
def test_whatever_comes_the_books_agree(frames: list[Frame]) -> None:
    feed = Follower(GeoIndex(), 3600.0)
    for frame in frames:
        feed.apply(frame)
        assert known(feed).keys() == feed.kinds.keys() == feed._cell_of.keys()
        assert_the_books_agree(feed)


PLACES = st.sampled_from([27.7, 27.7001, 27.71, 27.8])
FRAME_AS_SENT = st.builds(
    Frame,
    CELLS,
    st.just(0.0),
    st.lists(
        st.builds(shown, st.sampled_from("abc"), st.integers(0, 9).map(float), PLACES), max_size=3, unique_by=unit_of
    ),
    st.booleans(),
    st.lists(st.sampled_from("abc"), max_size=2),
)


@given(st.lists(FRAME_AS_SENT | st.integers(0, 12).map(float), max_size=20))
@settings(max_examples=80, deadline=None)
def test_whatever_comes_and_is_forgotten_the_index_agrees_too(steps: list[Frame | float]) -> None:
    feed = Follower(GeoIndex(), 4.0)
    for step in steps:
        if isinstance(step, Frame):
            feed.apply(step)
        else:
            feed.forget(step)
            assert all(time >= step - 4.0 for _, time in known(feed).values())
        assert known(feed).keys() == feed.kinds.keys() == feed._cell_of.keys() == feed.index.slots.keys()
        assert_the_books_agree(feed)
        cells = {slot: cell for cell, slots in feed.index.cells.items() for slot in slots}
        assert len(feed.index) == len(cells) == sum(map(len, feed.index.cells.values())) == len(known(feed))
        assert all(feed.index.cell[slot] == cell for slot, cell in cells.items())
