"""Each test here shows a fault that is still there. When one passes, move it to where it belongs."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from shouwang.common.problems import bad_input


class One(BaseModel):
    type: Literal["One"]
    numbers: list[float]


class Other(BaseModel):
    type: Literal["Other"]


class Ask(BaseModel):
    shape: Annotated[One | Other, Field(discriminator="type")]


def test_the_path_is_one_in_the_body_that_was_sent() -> None:
    """pydantic puts the tag of a discriminated union into the path: regions become `region.Polygon.coordinates[0]`."""
    with pytest.raises(ValidationError) as caught:
        Ask.model_validate({"shape": {"type": "One", "numbers": ["x"]}})
    assert bad_input(caught.value.errors()).errors[0]["field"] == "shape.numbers[0]"
