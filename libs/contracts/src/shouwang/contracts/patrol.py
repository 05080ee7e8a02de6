"""Patrol plans (警力跟着警情走): windows and beats that dispatch proposes where and when incidents were."""

from typing import Annotated

from pydantic import BaseModel, Field

from shouwang.contracts.shapes import Fact
from shouwang.contracts.words import Clock, Day, Id, Lat, Lon, Time, Token


class PatrolWindow(BaseModel):
    """Where and when a patrol is worth its while, and how many incidents say so."""

    duty_date: Day
    start: Clock
    end: Clock = Field(description="one that ends before it begins passes midnight")
    next_day: bool = Field(default=False, description="begins after midnight, yet belongs to the evening before")
    beat: Token
    lat: Lat
    lon: Lon
    needed: Annotated[int, Field(ge=1, le=500)]
    incidents: Annotated[int, Field(ge=0)] = Field(description="in the weeks looked at, in this window and beat")


class PatrolPlanProposed(Fact, name="dispatch.patrol_plan.proposed.v1", keys=("plan",)):
    """A plan for some days; an organiser takes it over, or not. It has no effect by itself."""

    plan: Id
    weeks: Annotated[int, Field(ge=1)] = Field(description="how far back incidents were counted")
    windows: Annotated[list[PatrolWindow], Field(min_length=1, max_length=500)]
    at: Time
