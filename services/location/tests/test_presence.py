"""Online, silent, offline: the borders belong to the better side."""

import math

import numpy as np
import pytest

from shouwang.location.domain.presence import Patience, Presence, presence, presences

PATIENCE = Patience(silent_s=120, offline_s=600)
TABLE = [
    (-60, Presence.ONLINE),  # a clock that runs ahead
    (0, Presence.ONLINE),
    (120, Presence.ONLINE),
    (120.001, Presence.SILENT),
    (600, Presence.SILENT),
    (600.001, Presence.OFFLINE),
    (math.inf, Presence.OFFLINE),
]


@pytest.mark.parametrize(("age_s", "expected"), TABLE)
def test_presence(age_s: float, expected: Presence) -> None:
    assert presence(age_s, PATIENCE) is expected


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    ages, expected = zip(*TABLE, strict=True)
    assert presences(np.array(ages), PATIENCE).tolist() == list(expected)
    assert presences(np.empty(0), PATIENCE).shape == (0,)


def test_unknown_is_never_the_answer_of_an_age() -> None:
    assert Presence.UNKNOWN not in presences(np.linspace(-1e6, 1e6, 1001), PATIENCE)
