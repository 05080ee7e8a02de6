"""Every fact is kept, in one stream only, and what is for the moment only is not kept at all."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from shouwang.contracts.catalogue import Message, messages
from shouwang.contracts.streams import STREAMS

MESSAGES = list(messages().values())
SUBJECTS = {message.name: re.sub(r"\{\w+\}", "guard-017", message.subject) for message in MESSAGES}


def matches(pattern: str, subject: str) -> bool:
    """Whether a NATS subscription gets a subject: `*` is one token, `>` one or more at the end."""
    wanted, given = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted = wanted[:-1]
        if len(given) <= len(wanted):
            return False
        given = given[: len(wanted)]
    return len(wanted) == len(given) and all(w in ("*", g) for w, g in zip(wanted, given, strict=True))


def overlap(one: str, other: str) -> bool:
    """Whether some subject is matched by both patterns."""
    (a, *more_a), (b, *more_b) = one.split("."), other.split(".")
    if ">" in (a, b):
        return True
    if a != b and "*" not in (a, b):
        return False
    if not more_a or not more_b:
        return not more_a and not more_b
    return overlap(".".join(more_a), ".".join(more_b))


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.*.c", "a.b.c", True),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        (">", "a", True),
        ("*", "a.b", False),
    ],
)
def test_matcher(pattern: str, subject: str, expected: bool) -> None:
    assert matches(pattern, subject) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.*", "a.b", True),
        ("a.*", "*.b", True),
        ("a.*", "*.b.c", False),
        ("a.>", "a", False),
        ("a.>", "a.b", True),
        ("a.>", "*.*.c", True),
        ("a.>", "b.>", False),
        (">", "a", True),
    ],
)
def test_overlap(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


def streams_of(subject: str) -> list[str]:
    return [name for name, stream in STREAMS.items() if any(matches(p, subject) for p in stream["subjects"])]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
def test_what_is_kept_and_where(message: Message) -> None:
    found = streams_of(SUBJECTS[message.name])
    if message.kind == "fact":
        assert found == [message.name.partition(".")[0].upper()], "a fact is kept in the stream of its service"
    elif message.kind == "incoming":
        assert found == ["REPORTS"]
    else:
        assert found == [], "requests, replies and live messages are not kept"


@pytest.mark.parametrize("pair", list(combinations(STREAMS, 2)), ids="-".join)
def test_no_two_streams_overlap(pair: tuple[str, str]) -> None:
    one, other = (STREAMS[name]["subjects"] for name in pair)
    assert not [(a, b) for a in one for b in other if overlap(a, b)], "JetStream refuses the second stream"


@pytest.mark.parametrize("stream", STREAMS.values(), ids=lambda stream: stream["name"])
def test_streams_are_bounded_and_can_be_sent(stream: dict[str, Any]) -> None:
    assert STREAMS[stream["name"]] is stream
    assert 0 < stream["duplicate_window"] <= stream["max_age"], "JetStream refuses a longer window"
    assert stream["max_bytes"] > 0
    assert json.loads(json.dumps(stream)) == stream


def test_examples_of_facts_are_captured_with_their_real_keys() -> None:
    examples = Path(__file__).parents[2] / "libs/contracts/src/shouwang/contracts/examples"
    facts = {message.name: message.model for message in MESSAGES if message.kind == "fact"}
    for name, model in facts.items():
        for path in (examples / name).glob("*.json"):
            read: Any = model.model_validate_json(path.read_text("utf-8"))
            assert len(streams_of(read.subject())) == 1, path
