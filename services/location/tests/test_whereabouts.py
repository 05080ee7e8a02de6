"""Everybody's last position in memory: what a batch changes, what a refused report must not leave behind."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.location.domain.fixes import Limits
from shouwang.location.domain.presence import Patience, Presence
from shouwang.location.domain.whereabouts import Known, Report, Whereabouts

NOW = 1_700_000_000.0
NAN = math.nan
Make = Callable[..., Report]


def fresh() -> Whereabouts:
    return Whereabouts(Limits(), Patience(), "patroller")


def known(where: Whereabouts, unit: str) -> Known:
    return where.known(where.index.slots[unit])


def names(where: Whereabouts, slots: Sequence[int]) -> list[str]:
    return [known.unit for known in map(where.known, slots)]


def told(where: Whereabouts, now: float) -> dict[str, Presence]:
    """Say the changes of presence, as the sweep does."""
    changes = where.changes_of_presence(now, 1000)
    where.said(changes)
    return {change.unit: change.presence for change in changes}


# -- a batch ---------------------------------------------------------------------------------------------------------


def test_what_a_report_says_is_known(where: Whereabouts, report: Make) -> None:
    applied = where.apply([report("a", NOW, 27.5, 120.5, accuracy_m=4.5, battery_pct=80, kind="guard")], NOW)
    assert names(where, applied.slots.tolist()) == ["a"]
    assert applied.refused == Counter()
    assert known(where, "a") == Known("a", "guard", 27.5, 120.5, NOW, 4.5, 80, Presence.UNKNOWN)


def test_an_empty_batch_changes_nothing(where: Whereabouts) -> None:
    applied = where.apply([], NOW)
    assert (applied.slots.tolist(), applied.refused) == ([], Counter())


def test_reports_of_one_unit_in_a_batch_are_judged_one_after_the_other(where: Whereabouts, report: Make) -> None:
    batch = [
        report("a", NOW - 3, 27.7),
        report("b", NOW),
        report("a", NOW - 1, 27.701),
        report("a", NOW - 2, 27.7005),  # came late
        report("a", NOW - 1, 27.701),  # sent twice
        report("a", NOW, 27.702),
    ]
    applied = where.apply(batch, NOW)
    assert sorted(names(where, applied.slots.tolist())) == ["a", "b"]  # each once, however many reports
    assert applied.refused == Counter(old=1, repeated=1)
    assert known(where, "a").lat == 27.702


def test_a_jump_in_the_batch_is_believed_with_its_second_report(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW - 30)], NOW)
    applied = where.apply([report("a", NOW - 20, 28.7)], NOW)
    assert applied.refused == Counter(jump=1)
    assert known(where, "a").lat == 27.7
    applied = where.apply([report("a", NOW - 10, 28.7005), report("a", NOW, 28.701)], NOW)
    assert applied.refused == Counter()
    assert known(where, "a").lat == 28.701


def test_a_suspicion_ends_with_the_next_believed_fix(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW - 30), report("a", NOW - 20, 28.7), report("a", NOW - 10, 27.7001)], NOW)
    assert where.apply([report("a", NOW, 28.7)], NOW).refused == Counter(jump=1)


@pytest.mark.parametrize(
    ("lat", "lon", "time", "reason"),
    [
        (NAN, 120.6, NOW, "impossible"),
        (91.0, 120.6, NOW, "impossible"),
        (27.7, 120.6, NOW + 61, "impossible"),
        (27.7, 120.6, NOW - 601, "old"),
    ],
)
def test_a_refused_first_report_leaves_no_trace(
    where: Whereabouts, report: Make, lat: float, lon: float, time: float, reason: str
) -> None:
    where.apply([report("known", NOW)], NOW)
    before = dict(where.index.slots)
    applied = where.apply([report("new", time, lat, lon, kind="guard", battery_pct=5)], NOW)
    assert (applied.slots.tolist(), applied.refused) == ([], Counter({reason: 1}))
    assert where.index.slots == before
    where.apply([report("other", NOW)], NOW)  # takes the slot that `new` had for a moment
    assert known(where, "other")[1:] == pytest.approx(
        ("patroller", 27.7, 120.6, NOW, NAN, NAN, Presence.UNKNOWN), nan_ok=True
    )


def test_a_refused_report_says_nothing_of_kind_or_battery(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW - 5, battery_pct=50, kind="guard")], NOW)
    where.apply([report("a", NOW, 28.7, battery_pct=1, kind="militia"), report("a", NAN, kind="militia")], NOW)
    assert known(where, "a") == pytest.approx(
        Known("a", "guard", 27.7, 120.6, NOW - 5, NAN, 50, Presence.UNKNOWN), nan_ok=True
    )


def test_kind_stays_until_another_is_said_while_accuracy_and_battery_are_of_the_last_report(
    where: Whereabouts, report: Make
) -> None:
    where.apply([report("a", NOW - 2, kind="guard", battery_pct=50)], NOW)
    where.apply([report("a", NOW - 1)], NOW)
    assert where.kind_of("a") == "guard"
    assert math.isnan(known(where, "a").battery_pct)
    where.apply([report("a", NOW, kind="militia")], NOW)
    assert where.kind_of("a") == "militia"


def test_growing_keeps_what_is_known(where: Whereabouts, report: Make) -> None:
    where.apply([report("first", NOW, kind="guard", accuracy_m=7)], NOW)
    where.apply([report(f"u{i}", NOW, 27 + i / 10_000) for i in range(5000)], NOW)
    assert known(where, "first")[1:6] == ("guard", 27.7, 120.6, NOW, 7)
    assert known(where, "u4999").lat == 27 + 4999 / 10_000
    assert len(where.index) == 5001


# -- presence --------------------------------------------------------------------------------------------------------


def test_each_change_of_presence_is_told_once(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW)], NOW)
    assert told(where, NOW) == {"a": Presence.ONLINE}
    assert told(where, NOW + 120) == {}
    assert told(where, NOW + 121) == {"a": Presence.SILENT}
    assert told(where, NOW + 600) == {}
    assert told(where, NOW + 601) == {"a": Presence.OFFLINE}
    assert told(where, NOW + 602) == {}
    assert len(where.index) == 0
    where.apply([report("a", NOW + 700)], NOW + 700)
    assert told(where, NOW + 700) == {"a": Presence.ONLINE}


@pytest.mark.parametrize(("most", "portions"), [(1, 5), (2, 3), (5, 1), (1000, 1)])
def test_changes_of_presence_come_in_portions_each_once(
    where: Whereabouts, report: Make, most: int, portions: int
) -> None:
    where.apply([report(f"u{i}", NOW, 27.7 + i / 100) for i in range(5)], NOW)
    for moment, presence in ((NOW, Presence.ONLINE), (NOW + 121, Presence.SILENT), (NOW + 601, Presence.OFFLINE)):
        said: list[str] = []
        for _ in range(portions):
            changes = where.changes_of_presence(moment, most)
            assert len(changes) <= most
            assert {change.presence for change in changes} == {presence}
            said += [change.unit for change in changes]
            where.said(changes)
        assert sorted(said) == [f"u{i}" for i in range(5)]
        assert where.changes_of_presence(moment, most) == []


def test_a_change_that_could_not_be_told_is_told_again(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW)], NOW)
    for _ in range(2):  # the database was away: nothing was said
        changes = where.changes_of_presence(NOW, 1000)
        assert [(change.unit, change.presence) for change in changes] == [("a", Presence.ONLINE)]


def test_who_reports_while_being_given_up_stays(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW)], NOW)
    told(where, NOW)
    changes = where.changes_of_presence(NOW + 700, 1000)
    where.apply([report("a", NOW + 700)], NOW + 700)  # between the commit's start and its end
    where.said(changes)
    assert "a" in where.index
    assert told(where, NOW + 700) == {"a": Presence.ONLINE}  # since offline was told, online has to be


def test_saying_a_unit_that_is_gone_is_no_fault(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW)], NOW)
    changes = where.changes_of_presence(NOW + 700, 1000)
    where.said(changes)
    where.said(changes)
    assert "a" not in where.index


def test_who_is_taken_away_is_known_to_nothing_any_more(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW), report("b", NOW)], NOW)
    where.take_away("a")
    where.take_away("never-seen")
    assert where.index.slots.keys() == {"b"}
    assert [known.unit for known in where.unsaved(9)] == ["b"]
    assert [known.unit for known in where.changes_of_presence(NOW, 9)] == ["b"]


def test_a_slot_that_is_used_again_holds_nothing_of_its_former_unit(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW - 1, kind="guard", accuracy_m=3, battery_pct=9), report("a", NOW, 28.7)], NOW)
    told(where, NOW)
    where.saved(where.unsaved(1000))
    slot = where.index.slots["a"]
    told(where, NOW + 700)
    where.apply([report("b", NOW + 700, 28.7)], NOW + 700)
    assert where.index.slots == {"b": slot}
    assert where.known(slot) == pytest.approx(
        Known("b", "patroller", 28.7, 120.6, NOW + 700, NAN, NAN, Presence.UNKNOWN), nan_ok=True
    )
    assert [known.unit for known in where.unsaved(1000)] == ["b"]
    assert where.apply([report("b", NOW + 701, 27.7)], NOW + 701).refused == Counter(jump=1)  # a's suspect is not b's


def test_a_slot_that_is_used_again_has_not_saved_anything_yet(report: Make) -> None:
    where = Whereabouts(Limits(max_age_s=600), Patience(silent_s=10, offline_s=20), "patroller")
    where.apply([report("a", NOW)], NOW)
    where.saved(where.unsaved(1000))
    told(where, NOW + 21)
    where.apply([report("b", NOW - 1)], NOW + 21)  # an older fix than the one that was saved of a
    assert [known.unit for known in where.unsaved(1000)] == ["b"]


# -- saving and restoring --------------------------------------------------------------------------------------------


def test_only_a_newer_fix_is_unsaved(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW), report("b", NOW)], NOW)
    first = where.unsaved(1000)
    assert sorted(known.unit for known in first) == ["a", "b"]
    where.apply([report("b", NOW + 1, 27.7001)], NOW + 1)  # while the save is under way
    where.saved(first)
    assert [(known.unit, known.time) for known in where.unsaved(1000)] == [("b", NOW + 1)]
    where.saved(where.unsaved(1000))
    assert where.unsaved(1000) == []


@pytest.mark.parametrize(("most", "portions"), [(1, 5), (2, 3), (5, 1), (1000, 1)])
def test_what_is_unsaved_comes_in_portions_each_once(
    where: Whereabouts, report: Make, most: int, portions: int
) -> None:
    where.apply([report(f"u{i}", NOW, 27.7 + i / 100) for i in range(5)], NOW)
    names: list[str] = []
    for _ in range(portions):
        portion = where.unsaved(most)
        assert len(portion) <= most
        names += [known.unit for known in portion]
        where.saved(portion)
    assert sorted(names) == [f"u{i}" for i in range(5)]
    assert where.unsaved(most) == []


def test_whose_presence_was_told_was_saved_with_it(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW), report("b", NOW)], NOW)
    changes = where.changes_of_presence(NOW, 1000)
    where.apply([report("b", NOW + 1, 27.7001)], NOW + 1)  # between the commit's start and its end
    where.said(changes)
    assert [(known.unit, known.time) for known in where.unsaved(1000)] == [("b", NOW + 1)]


def test_telling_an_older_fix_does_not_undo_a_save(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW)], NOW)
    changes = where.changes_of_presence(NOW, 1000)
    where.apply([report("a", NOW + 1)], NOW + 1)
    where.saved(where.unsaved(1000))
    where.said(changes)
    assert where.unsaved(1000) == []


def test_saved_does_not_stumble_over_who_is_gone(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW)], NOW)
    unsaved = where.unsaved(1000)
    told(where, NOW + 700)
    where.saved(unsaved)
    assert where.unsaved(1000) == []


def test_restore_brings_back_what_was_saved(where: Whereabouts, report: Make) -> None:
    where.apply([report("a", NOW, kind="guard", accuracy_m=3, battery_pct=9), report("b", NOW - 300, 27.8)], NOW)
    told(where, NOW)
    rows = [where.known(slot) for slot in where.placed().tolist()]
    again = fresh()
    again.restore(rows)
    assert state(again) == state(where)
    assert again.unsaved(1000) == []
    assert told(again, NOW) == {}  # told before the restart
    assert again.apply([report("a", NOW, 27.9), report("b", NOW - 301)], NOW).refused == Counter(repeated=1, old=1)
    assert told(again, NOW + 301) == {"a": Presence.SILENT, "b": Presence.OFFLINE}


def test_restoring_nobody(where: Whereabouts) -> None:
    where.restore([])
    assert where.placed().tolist() == []


# -- whatever comes --------------------------------------------------------------------------------------------------

UNITS = st.sampled_from(["a", "b", "c"])
PLACES = st.sampled_from([(27.7, 120.6), (27.7005, 120.6), (27.71, 120.6), (28.7, 120.6), (28.7001, 120.6)])
TIMES = st.sampled_from([NOW - 700, NOW - 600, *(NOW + step for step in range(-12, 4)), NOW + 60, NOW + 61])
REPORTS = st.builds(
    lambda unit, place, time, accuracy, kind: Report(unit, *place, time, accuracy, accuracy, kind),
    UNITS,
    PLACES | st.sampled_from([(NAN, 120.6), (27.7, 181.0)]),
    TIMES,
    st.sampled_from([NAN, 5.0]),
    st.sampled_from([None, "guard", "militia"]),
)


def state(where: Whereabouts) -> dict[str, tuple[object, ...]]:
    """All that is known, NaN made comparable."""
    everybody = map(where.known, where.placed().tolist())
    return {k.unit: tuple("nan" if value != value else value for value in k) for k in everybody}


@given(st.lists(REPORTS, max_size=30), st.integers(1, 30))
@settings(max_examples=80, deadline=None)
def test_one_big_batch_is_the_same_as_the_reports_one_by_one(reports: list[Report], size: int) -> None:
    whole, pieces, singly = fresh(), fresh(), fresh()
    at_once = whole.apply(reports, NOW)
    refused: Counter[str] = Counter()
    changed: set[str] = set()
    for one in reports:
        applied = singly.apply([one], NOW)
        refused += applied.refused
        changed.update(names(singly, applied.slots.tolist()))
    for start in range(0, len(reports), size):
        pieces.apply(reports[start : start + size], NOW)
    assert state(whole) == state(singly) == state(pieces)
    assert at_once.refused == refused
    assert set(names(whole, at_once.slots.tolist())) == changed
    probe = [Report(unit, lat, 120.6, NOW + 5, NAN, NAN, None) for unit in "abc" for lat in (27.7, 28.7, 27.7)]
    assert whole.apply(probe, NOW).refused == singly.apply(probe, NOW).refused  # the suspicions are the same too


NUMBERS = st.floats() | st.floats(-90, 90) | st.floats(NOW - 700, NOW + 100)


@given(
    st.lists(st.builds(Report, UNITS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.none()), max_size=20),
)
@settings(max_examples=100, deadline=None)
def test_apply_never_raises_and_shows_only_places_on_earth(reports: list[Report]) -> None:
    where = fresh()
    applied = where.apply(reports, NOW)
    everybody = [where.known(slot) for slot in where.placed().tolist()]
    assert len(everybody) == len(where.index) == len(where.index.slots)  # who has no place has no slot
    for shown in everybody:
        assert abs(shown.lat) <= 90
        assert abs(shown.lon) <= 180
        assert NOW - 600 <= shown.time <= NOW + 60
    assert set(applied.slots.tolist()) == set(where.placed().tolist())


@given(st.lists(st.tuples(UNITS, PLACES, st.integers(0, 200)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_told_presences_of_a_unit_are_a_story_that_makes_sense(steps: list[tuple[str, tuple, int]]) -> None:
    where, now = fresh(), NOW
    story: dict[str, list[Presence]] = {}
    for unit, place, wait_s in steps:
        where.apply([Report(unit, *place, now, NAN, NAN, None)], now)
        now += wait_s
        for name, presence in told(where, now).items():
            story.setdefault(name, []).append(presence)
    for presences in story.values():
        assert all(len(list(run)) == 1 for _, run in groupby(presences))  # never the same twice in a row
    shown = {where.known(slot).unit for slot in where.placed().tolist()}
    assert all(presences[-1] is not Presence.OFFLINE for unit, presences in story.items() if unit in shown)
