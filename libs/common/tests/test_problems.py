"""Problems: words for people in the body, a status for clients in the headers, and the field that is wrong."""

import json
from typing import Annotated

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


def faults(body: object, skip: int = 0) -> Problem:
    with pytest.raises(ValidationError) as caught:
        Ask.model_validate(body)
    errors = [{**error, "loc": ("ask",) * skip + error["loc"]} for error in caught.value.errors()]
    return bad_input(errors, skip=skip)


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
