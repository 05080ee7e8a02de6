"""Regions as GeoJSON (RFC 7946): longitude first, rings closed, WGS-84.

Only the outer form is checked here; whether rings are closed and do not cross themselves is told by the geo index,
which names the ring that is wrong.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Position = Annotated[list[float], Field(min_length=2, max_length=3, description="[lon, lat], degrees")]
Ring = Annotated[list[Position], Field(min_length=4)]


class Polygon(BaseModel):
    """One area: its outline first, then its holes."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)
    type: Literal["Polygon"]
    coordinates: Annotated[list[Ring], Field(min_length=1)]


class MultiPolygon(BaseModel):
    """Several areas. An area across the antimeridian is two polygons (RFC 7946 §3.1.9)."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)
    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[Annotated[list[Ring], Field(min_length=1)]], Field(min_length=1)]


Region = Annotated[Polygon | MultiPolygon, Field(discriminator="type")]
