"""Settings come from the environment, are checked when they are read, and do not change afterwards."""

import os

import pytest
from pydantic import Field, ValidationError

from shouwang.common.settings import ServiceSettings


class Own(ServiceSettings):
    """As a service adds to them."""

    tick_s: float = Field(default=0.5, gt=0)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SHOUWANG_")]:
        monkeypatch.delenv(name)


def test_nothing_has_to_be_set() -> None:
    settings = Own()
    assert settings.nats_url == "nats://127.0.0.1:4222"
    assert settings.http_host == "127.0.0.1"  # not open to the network unless somebody says so
    assert (settings.attempts, settings.keep_days, settings.tick_s) == (8, 7, 0.5)
    assert settings.nats_token is None


def test_every_field_is_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUWANG_NATS_URL", "nats://a:4222,nats://b:4222")
    monkeypatch.setenv("SHOUWANG_HTTP_PORT", "9000")
    monkeypatch.setenv("SHOUWANG_TICK_S", "0.25")
    settings = Own()
    assert (settings.nats_url, settings.http_port, settings.tick_s) == ("nats://a:4222,nats://b:4222", 9000, 0.25)


def test_what_other_services_are_told_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUWANG_SOMETHING_OF_ANOTHER_SERVICE", "x")
    Own()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ATTEMPTS", "0"),
        ("RETRY_S", "0"),
        ("RETRY_MAX_S", "-1"),
        ("STOP_S", "0"),
        ("KEEP_DAYS", "0"),
        ("HTTP_PORT", "http"),
        ("LOG_LEVEL", "LOUD"),
        ("TICK_S", "0"),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SHOUWANG_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Own()


def test_settings_do_not_change() -> None:
    settings = Own()
    with pytest.raises(ValidationError, match="frozen"):
        settings.tick_s = 1.0
