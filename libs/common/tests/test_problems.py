"""Problems: words for people in the body, a status for clients in the headers, and the field that is wrong."""

import json
import re
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shouwang.common.problems import Problem, bad_input

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


class Area(BaseModel):
    type: str
    coordinates: list[list[list[float]]]


class Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")
    region: Area
    k: Annotated[int, Field(ge=1)] = 1
    point: tuple[float, float] | None = None


class Polygon(BaseModel):
    type: Literal["Polygon"]
    coordinates: list[list[tuple[float, float]]]


class MultiPolygon(BaseModel):
    type: Literal["MultiPolygon"]
    coordinates: list[list[list[tuple[float, float]]]]


Drawn = Annotated[Polygon | MultiPolygon, Field(discriminator="type")]


class Draw(BaseModel):
    """As requests with a region are: pydantic puts the tag (`Polygon`) into the location of a fault."""

    model_config = ConfigDict(extra="forbid")
    region: Drawn
    others: list[Drawn] = []
    named: dict[str, Drawn] = {}
    name: str = ""


def faults(body: object, skip: int = 0, model: type[BaseModel] = Ask) -> Problem:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    errors = [{**error, "loc": ("ask",) * skip + error["loc"]} for error in caught.value.errors()]
    return bad_input(errors, body, skip=skip)


# -- the body --------------------------------------------------------------------------------------------------------


def test_a_problem_is_a_problem_document() -> None:
    problem = Problem(404, "unit: 老王 is not known", [{"field": "unit", "detail": "is not known"}])
    assert str(problem) == "unit: 老王 is not known"
    assert json.loads(problem.body()) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "unit: 老王 is not known",
        "errors": [{"field": "unit", "detail": "is not known"}],
    }
    assert "老王".encode() in problem.body()  # for people: not as \\u escapes


def test_no_errors_no_field_for_them() -> None:
    assert json.loads(Problem(409, "taken").body()).keys() == {"type", "title", "status", "detail"}


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500, 503])
def test_every_status_of_the_house_has_a_title(status: int) -> None:
    document = json.loads(Problem(status, "x").body())
    assert (document["status"], bool(document["title"])) == (status, True)


# -- the headers -----------------------------------------------------------------------------------------------------


def test_headers_by_which_a_client_knows_an_error() -> None:
    assert Problem(409, "taken by another").headers() == {
        "Nats-Service-Error": "taken by another",
        "Nats-Service-Error-Code": "409",
        "content-type": "application/problem+json",
    }


@pytest.mark.parametrize(
    ("detail", "header"),
    [
        ("值班员 is off", "??? is off"),
        ("one\r\ntwo\nthree", "one  two three"),
        ("x" * 500, "x" * 200),
        ("", ""),
    ],
)
def test_headers_are_one_short_line_of_ascii(detail: str, header: str) -> None:
    assert Problem(400, detail).headers()["Nats-Service-Error"] == header


@given(TEXT)
@settings(deadline=None)
def test_no_detail_can_break_a_header_or_a_body(detail: str) -> None:
    problem = Problem(400, detail, [{"field": detail, "detail": detail}])
    for value in problem.headers().values():
        assert value.isascii()
        assert not set(value) & {"\r", "\n"}
    assert json.loads(problem.body())["detail"] == detail


# -- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ((), "body"),
        (("lat",), "lat"),
        (("region", "coordinates", 0, 2), "region.coordinates[0][2]"),
        (("a", 0, "b", 1, "c"), "a[0].b[1].c"),
        ((0, "a"), "[0].a"),
    ],
)
def test_the_path_to_a_fault(location: tuple[str | int, ...], path: str) -> None:
    problem = bad_input([{"loc": location, "msg": "is wrong"}])
    assert problem.errors == [{"field": path, "detail": "is wrong"}]
    assert problem.detail == f"{path}: is wrong"
    assert problem.status == 400


def test_leading_parts_that_are_ours_are_not_shown() -> None:
    assert bad_input([{"loc": ("ask", "lat"), "msg": "x"}], skip=1).errors[0]["field"] == "lat"
    assert bad_input([{"loc": ("ask",), "msg": "x"}], skip=1).errors[0]["field"] == "body"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["region"]),
        ({"region": {"type": "Polygon", "coordinates": [[[1, "x"]]]}}, ["region.coordinates[0][0][1]"]),
        ({"region": {"coordinates": [[[1], 2]]}, "k": 0}, ["region.type", "region.coordinates[0][1]", "k"]),
        ({"region": {"type": "x", "coordinates": []}, "kk": 1}, ["kk"]),
        ({"region": {"type": "x", "coordinates": []}, "point": [1, "y"]}, ["point[1]"]),
    ],
)
def test_what_pydantic_finds_is_named_by_field(body: object, fields: list[str]) -> None:
    problem = faults(body, skip=1)
    assert [error["field"] for error in problem.errors] == fields
    assert all(f"{field}: " in problem.detail for field in fields)


def test_a_thousand_faults_are_not_a_thousand_lines() -> None:
    problem = faults({"region": {"type": "x", "coordinates": [[["?"] * 1000]]}})
    assert len(problem.errors) == 50
    assert problem.detail.count(";") == 4


@pytest.mark.parametrize(
    "body",
    [
        {"region": {"type": "x", "coordinates": []}, "k" * 1_000_000: 1},
        {"region": {"type": "x", "coordinates": []}} | {f"{i}" + "守" * 10_000: 1 for i in range(60)},
        {"region": {"type": "x", "coordinates": [["?"] * 1000]}},
    ],
    ids=["a long name", "many long names", "many faults"],
)
def test_a_problem_fits_in_a_message_whatever_was_sent(body: object) -> None:
    problem = faults(body, skip=1)
    assert problem.errors
    assert len(problem.body()) < 100_000


def test_a_tag_that_is_as_long_as_a_message_is_not_repeated() -> None:
    problem = faults({"region": {"type": "x" * 1_000_000}}, skip=1, model=Draw)
    assert [error["field"] for error in problem.errors] == ["region"]
    assert len(problem.body()) < 10_000


def test_a_problem_of_one_field() -> None:
    problem = Problem.of_field("region", "crosses itself")
    assert (problem.status, problem.detail) == (400, "region: crosses itself")
    assert problem.errors == [{"field": "region", "detail": "crosses itself"}]
    assert Problem.of_field("unit", "is not known", 404).status == 404


# -- bad input by the body that was sent -----------------------------------------------------------------------------

SQUARE = {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]}


def square(**fields: Any) -> dict[str, Any]:
    return {**SQUARE, **fields}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"region": square(coordinates=[[[1, 2], [3, 4], 5]])}, ["region.coordinates[0][2]"]),
        ({"region": square(coordinates=[[[1, 2], [3, "x"]]])}, ["region.coordinates[0][1][1]"]),
        (
            {"region": {"type": "MultiPolygon", "coordinates": [[], [[[1, 2]], [[1]]]]}},
            ["region.coordinates[1][1][0][1]"],
        ),
        ({"region": square(coordinates="x")}, ["region.coordinates"]),
        ({"region": square(coordinates=None)}, ["region.coordinates"]),
        ({"region": {"type": "Polygon"}}, ["region.coordinates"]),  # what is missing is named all the same
        ({"region": {"type": "Circle"}}, ["region"]),
        ({"region": {}}, ["region"]),
        ({"region": []}, ["region"]),
        ({"region": "Polygon"}, ["region"]),
        ({}, ["region"]),
        ({"region": SQUARE, "Polygon": 1}, ["Polygon"]),
        ({"region": SQUARE, "others": [SQUARE, square(coordinates=[[7]])]}, ["others[1].coordinates[0][0]"]),
        ({"region": SQUARE, "others": [{"type": "Polygon"}]}, ["others[0].coordinates"]),
        ({"region": SQUARE, "others": {"type": "Polygon"}}, ["others"]),
        ({"region": SQUARE, "named": {"Polygon": {"type": "Polygon"}}}, ["named.Polygon.coordinates"]),
        ({"region": SQUARE, "named": {"a": square(coordinates=[[[1, 2], 3]])}}, ["named.a.coordinates[0][1]"]),
        ({"region": {"type": "Polygon"}, "name": 5, "kk": 1}, ["region.coordinates", "name", "kk"]),
        ([], ["body"]),
        ("x", ["body"]),
    ],
)
@pytest.mark.parametrize("skip", [0, 1])
def test_the_path_is_one_in_the_body_that_was_sent(body: object, fields: list[str], skip: int) -> None:
    """The caller knows nothing of the names of our variants."""
    problem = faults(body, skip, Draw)
    assert [error["field"] for error in problem.errors] == fields
    assert all(f"{field}: " in problem.detail for field in fields)


@pytest.mark.parametrize(
    ("location", "body", "path"),
    [
        ((0, "Tag", "a"), [{"a": 1}], "[0].a"),
        ((1, 0), [1, [2]], "[1][0]"),
        ((2, "a"), [{"a": 1}], "[2].a"),  # past the end: still named as pydantic named it
        (("a", "Tag", "b", "Tag", "c"), {"a": {"b": {"c": 1}}}, "a.b.c"),
        (("a", "One", "Two", "b"), {"a": {"b": 1}}, "a.b"),
        (("a", "Tag"), {"a": {}}, "a.Tag"),  # the last part is the fault's own: it may be a missing field
        (("a", "Tag", "b"), {"a": "text"}, "a.Tag.b"),
        (("a", "Tag", "b"), {"a": None}, "a.Tag.b"),
        (("a", "b"), None, "a.b"),
        (("a", "b"), 5, "a.b"),
        (("a",), {"a": {"a": 1}}, "a"),
        (("a", "a", "a"), {"a": {"a": {"a": 1}}}, "a.a.a"),
        ((), {"a": 1}, "body"),
    ],
)
def test_a_part_that_is_not_in_the_body_is_left_out(location: tuple[Any, ...], body: object, path: str) -> None:
    assert bad_input([{"loc": location, "msg": "x"}], body).errors[0]["field"] == path


KEYS = st.sampled_from(["region", "others", "named", "type", "coordinates", "name", "x"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
TYPED = st.fixed_dictionaries(
    {"type": st.sampled_from(["Polygon", "MultiPolygon", "Circle"])}, optional={"coordinates": ANYTHING}
)
BODIES = ANYTHING | st.fixed_dictionaries(
    {"region": TYPED | ANYTHING},
    optional={
        "others": st.lists(TYPED, max_size=2) | ANYTHING,
        "named": st.dictionaries(KEYS, TYPED, max_size=2) | ANYTHING,
        "name": ANYTHING,
    },
)


def follow(body: Any, field: str) -> Any:
    """What stands in a body at the path of a fault; raises LookupError or TypeError where nothing does."""
    for key, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", field):
        body = body[int(number)] if number else body[key]
    return body


@given(BODIES)
@settings(max_examples=150, deadline=None)
def test_every_path_leads_to_the_fault_or_to_where_something_is_missing(body: Any) -> None:
    try:
        Draw.model_validate(body)
    except ValidationError as caught:
        errors = caught.errors()
    else:
        return
    for error, fault in zip(errors, bad_input(errors, body).errors, strict=False):
        field = fault["field"]
        if error["type"] == "missing":
            with pytest.raises(LookupError):
                follow(body, field)
            field = re.sub(r"(^|\.)[^.\[\]]+$|\[\d+\]$", "", field)
        assert follow(body, "" if field == "body" else field) == error["input"]
