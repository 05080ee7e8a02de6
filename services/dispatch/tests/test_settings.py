"""What dispatch can be told, and what it refuses to be told."""

import pytest
from pydantic import ValidationError

from shouwang.dispatch.domain.choosing import Rules
from shouwang.dispatch.settings import Settings


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
    }.items():  # fmt: skip
        monkeypatch.setenv(f"SHOUWANG_{name}", value)
    assert Settings().rules() == Rules(fresh_s=1, reach_m=2, speed_mps=3, speeds_mps={"car": 4}, offer_s=5)
