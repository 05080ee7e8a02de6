"""Field types that every contract shares: what a token, a time, a position may be."""

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints, WithJsonSchema

TOKEN_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"  # noqa: S105 - a part of a subject, not a secret
"""A part of a subject. Anything else from outside is refused at the door: `*`, `>` and `.` would widen a subject."""

Token = Annotated[str, StringConstraints(pattern=TOKEN_PATTERN)]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")]
"""Entity ids are UUIDv7 in the usual lower-case form (RFC 9562)."""

Cell = Annotated[str, StringConstraints(pattern=r"^8[0-9a-f]{14}$")]
"""An H3 cell in the hexadecimal form that also stands in subjects."""


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:  # within hours of the years 1 and 9999: a fault of whoever said it, not of ours
        raise ValueError("is outside the years that can be told in UTC") from None


def _no_number(value: object) -> object:
    if isinstance(value, int | float):
        raise ValueError("must be a time such as 2026-11-24T22:00:00+08:00")  # not seconds since 1970
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_no_number), AfterValidator(_in_utc)]
"""RFC 3339; any offset is accepted and kept as UTC. A time without an offset is refused."""


def _day(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)):
        return value
    raise ValueError("must be a day such as 2026-11-24")  # numbers would be taken for seconds since 1970


Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}),
]
"""A calendar day where the suite runs (UTC+8), as RFC 3339 full-date."""

Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of day where the suite runs (UTC+8): 22:00."""

Lat = Annotated[float, Field(ge=-90, le=90, description="WGS-84 latitude in degrees")]
Lon = Annotated[float, Field(ge=-180, le=180, description="WGS-84 longitude in degrees")]
Metres = Annotated[float, Field(ge=0, description="great-circle metres")]
Seconds = Annotated[float, Field(ge=0, description="seconds")]
Text = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=2000, strip_whitespace=True, pattern=r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
    ),
]
"""Words of people: not blanks alone, and any character but U+0000, which no database keeps in a text."""

Name = Annotated[Text, StringConstraints(max_length=100)]
"""What somebody or something is called."""
