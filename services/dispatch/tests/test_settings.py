"""What dispatch can be told, and what it refuses to be told."""

import os

import pytest
from pydantic import ValidationError

from shouwang.dispatch.domain.choosing import Rules
from shouwang.dispatch.settings import Settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SHOUWANG_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("speed", ["0", "-8", "NaN", "Infinity"])
def test_a_speed_must_be_a_speed(monkeypatch: pytest.MonkeyPatch, speed: str) -> None:
    """0 divides every decision by zero; a negative one puts its kind before everybody; NaN sorts at random."""
    monkeypatch.setenv("SHOUWANG_SPEEDS_MPS", f'{{"car": {speed}}}')
    with pytest.raises(ValidationError):
        Settings()
    monkeypatch.delenv("SHOUWANG_SPEEDS_MPS")
    monkeypatch.setenv("SHOUWANG_SPEED_MPS", speed)
    with pytest.raises(ValidationError):
        Settings()


def test_every_rule_comes_from_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "FRESH_S": "1", "REACH_M": "2", "SPEED_MPS": "3", "SPEEDS_MPS": '{"car": 4}', "OFFER_S": "5",
        "AGAIN_S": "6", "RETRY_SHORT_S": "7",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"SHOUWANG_{name}", value)
    rules = Settings().rules()
    assert rules == Rules(fresh_s=1, reach_m=2, speed_mps=3, speeds_mps={"car": 4}, offer_s=5, again_s=6, retry_s=7)
    assert not any(getattr(rules, name) == getattr(Rules(), name) for name in vars(rules))  # none was overlooked


def test_the_rules_are_the_same_whether_nothing_is_set_or_nothing_is_said() -> None:
    assert Settings().rules() == Rules()


def test_everybody_counts_unless_duty_is_enforced(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().duty == "ignored"
    monkeypatch.setenv("SHOUWANG_DUTY", "enforced")
    assert Settings().duty == "enforced"
    monkeypatch.setenv("SHOUWANG_DUTY", "yes")
    with pytest.raises(ValidationError):
        Settings()
