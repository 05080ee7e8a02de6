"""Schema and model give the same verdict on JSON: what the one promises the other keeps."""

import copy
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from shouwang.contracts.catalogue import Message, messages, schema
from shouwang.contracts.location import Report

EXAMPLES = Path(__file__).parents[2] / "libs/contracts/src/shouwang/contracts/examples"
MESSAGES = messages()
by_name = pytest.mark.parametrize("message", MESSAGES.values(), ids=lambda message: message.name)
Validator = Callable[[dict[str, Any]], Draft202012Validator]
Place = tuple[Any, Any]

few = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example]
)


def examples(message: Message) -> list[Any]:
    return [json.loads(path.read_text("utf-8")) for path in sorted((EXAMPLES / message.name).glob("*.json"))]


def model_takes(message: Message, instance: Any) -> bool:
    try:
        message.model.model_validate_json(json.dumps(instance))
    except ValidationError:
        return False
    return True


def places(node: Any) -> Iterator[Place]:
    """Every place in a document as (holder, key)."""
    for key, inner in (
        list(node.items()) if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    ):
        yield node, key
        yield from places(inner)


# -- what fits the schema is read ------------------------------------------------------------------------------------


@by_name
@settings(few, max_examples=6)
@given(data=st.data())
def test_what_fits_the_schema_is_read_and_written_so_that_it_fits(
    message: Message,
    data: st.DataObject,
    validator: Validator,
    instances: Callable[[dict[str, Any]], st.SearchStrategy[Any]],
) -> None:
    written = data.draw(instances(schema(message)))
    validator(schema(message)).validate(written)
    read = message.model.model_validate_json(json.dumps(written))
    validator(schema(message)).validate(json.loads(read.model_dump_json()))


# -- what does not fit is refused ------------------------------------------------------------------------------------

WRONG: list[Any] = [None, {}, [], "", "not a token", "2026-11-24T12:30:05", -1, 0.5, 91, 181, 1e9]
"""No `true`, `1` or `"1"`: pydantic makes numbers of them, see `test_what_models_take_beyond_the_schema`."""


@st.composite
def broken(draw: st.DrawFn, message: Message) -> Any:
    """An example with one place changed, taken away or added."""
    document = {"": copy.deepcopy(draw(st.sampled_from(examples(message))))}
    holder, key = draw(st.sampled_from(list(places(document))))
    change = draw(st.sampled_from(["replace", "remove", "add"]))
    if change == "remove" and holder is not document:
        del holder[key]
    elif change == "add" and isinstance(holder, dict) and holder is not document:
        holder["unknown_m"] = 1
    else:
        wrong = draw(st.sampled_from(WRONG))
        # Seconds since 1970 are read as a time everywhere, though only reports promise it.
        lenient = isinstance(wrong, float | int) and is_time(key, holder[key])
        holder[key] = "no time" if lenient else wrong
    return document[""]


def is_time(key: Any, value: Any) -> bool:
    return str(key).endswith("_at") or (isinstance(value, str) and value[4:5] == "-" and "T" in value)


@by_name
@settings(few, max_examples=10)
@given(data=st.data())
def test_one_verdict_on_what_is_broken(message: Message, data: st.DataObject, validator: Validator) -> None:
    instance = data.draw(broken(message))
    assert model_takes(message, instance) is validator(schema(message)).is_valid(instance), instance


@by_name
def test_not_a_number_is_refused(message: Message) -> None:
    """JSON has no NaN, so no schema can speak of it; Python's parsers read it, so the models must refuse it."""
    for number in range(sum(1 for one in examples(message) for _ in numbers(one))):
        for wrong in (math.nan, math.inf, -math.inf):
            documents = examples(message)
            holder, key = [place for one in documents for place in numbers(one)][number]
            holder[key] = wrong
            verdicts = [model_takes(message, one) for one in documents if "altitude_m" not in one]
            assert False in verdicts or "altitude_m" in holder, f"{key} = {wrong}"


def numbers(document: Any) -> Iterator[Place]:
    for holder, key in places(document):
        if isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
            yield holder, key


# -- by hand ---------------------------------------------------------------------------------------------------------

GOOD = {"lat": 27.875, "lon": 120.7, "time": "2026-11-24T12:30:05Z"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"lat": 90}, True),
        ({"lat": 91}, False),
        ({"lat": -90.0000001}, False),
        ({"lon": 180}, True),
        ({"lon": 180.5}, False),
        ({"lat": None}, False),
        ({"lat": [27.875]}, False),
        ({"lat": "north"}, False),
        ({"time": 1795523405}, True),
        ({"time": 1795523405.25}, True),
        ({"time": "2026-11-24T20:30:05+08:00"}, True),
        ({"time": "2026-11-24T12:30:05"}, False),
        ({"time": "2026-11-24"}, False),
        ({"time": "yesterday"}, False),
        ({"time": None}, False),
        ({"datum": "gcj02"}, True),
        ({"datum": "GCJ02"}, False),
        ({"heading_deg": 360}, True),
        ({"heading_deg": 361}, False),
        ({"battery_pct": 101}, False),
        ({"accuracy_m": -1}, False),
        ({"accuracy_m": None}, True),
        ({"kind": "a.b"}, False),
        ({"kind": ""}, False),
        ({"kind": "k" * 64}, True),
        ({"kind": "k" * 65}, False),
        ({"altitude_m": 6}, True),
    ],
)
def test_report(change: dict[str, Any], expected: bool, validator: Validator) -> None:
    instance = {**GOOD, **change}
    assert model_takes(MESSAGES["report"], instance) is expected
    assert validator(schema(MESSAGES["report"])).is_valid(instance) is expected


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("dispatch.open_incident.v1.request", {"summary": "  "}, False),
        ("dispatch.open_incident.v1.request", {"summary": " 示例 "}, True),
        ("dispatch.open_incident.v1.request", {"sumary": "示例"}, False),
        ("dispatch.open_incident.v1.request", {"needed": 0}, False),
        ("dispatch.open_incident.v1.request", {"needed": 2.0}, True),
        ("location.count.v1", {"by_kind": {"guard": 1}}, True),
        ("location.count.v1", {"by_kind": {"a guard": 1}}, False),
        ("location.count.v1", {"by_kind": {"guard": None}}, False),
        ("location.in_region.v1.request", {"region": {"type": "Point", "coordinates": [120.7, 27.9]}}, False),
        ("location.in_region.v1.request", {"region": {"coordinates": []}}, False),
        ("dispatch.task_region.v1.request", {"point": [120.7]}, False),
        ("dispatch.task_region.v1.request", {"point": [27.875, 120.7]}, False),
        ("dispatch.task.accepted.v1", {"task": "01A20D88-E590-7011-8C1E-5F0A2B9D0011"}, False),
    ],
)
def test_by_hand(name: str, change: dict[str, Any], expected: bool, validator: Validator) -> None:
    instance = {**examples(MESSAGES[name])[0], **change}
    assert model_takes(MESSAGES[name], instance) is expected
    assert validator(schema(MESSAGES[name])).is_valid(instance) is expected


@pytest.mark.parametrize("change", [{"lat": "27.875"}, {"lat": True}, {"time": "1795523405"}])
def test_what_models_take_beyond_the_schema(change: dict[str, Any], validator: Validator) -> None:
    """Pydantic turns these into numbers; nobody is promised it, and what is written again fits the schema."""
    instance = {**GOOD, **change}
    assert not validator(schema(MESSAGES["report"])).is_valid(instance)
    read = Report.model_validate_json(json.dumps(instance))
    validator(schema(MESSAGES["report"])).validate(json.loads(read.model_dump_json()))


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_times_outside_the_calendar_are_refused(time: str) -> None:
    """Valid RFC 3339, but outside of Python's calendar once in UTC; a reader must get a ValidationError."""
    assert not model_takes(MESSAGES["report"], {**GOOD, "time": time})
