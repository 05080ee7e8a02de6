"""Figures of a period, beside those of the period before (环比) and of the same days a year before (同比)."""

from pydantic import Field

from shouwang.contracts.shapes import Reply, Request
from shouwang.contracts.training.people import MemberKind
from shouwang.contracts.words import Day


class Figure(Reply):
    """A count, always beside what it is compared with. A change from nothing is null, shown as a dash, not 100 %.

    On a public screen a count smaller than 3 is null and marked so, and so is what would give it away.
    """

    count: int | None
    before: int | None
    year_before: int | None
    change_pct: float | None = Field(description="环比, against the period before")
    year_change_pct: float | None = Field(description="同比, against the same days a year before")
    suppressed: bool = False


class KindFigure(Figure):
    """The same of one kind of members."""

    kind: MemberKind


class Share(Reply):
    """A part of a whole."""

    part: int | None
    whole: int | None
    pct: float | None
    suppressed: bool = False


class Whole(Reply):
    """A single whole number."""

    value: int | None
    suppressed: bool = False


class Average(Reply):
    """A mean; null while there is nothing to take it of."""

    value: float | None
    suppressed: bool = False


class Days(Reply):
    """Days, both included."""

    since: Day
    until: Day


class Figures(Reply):
    """Courses are counted to the day on which a batch begins, shifts to their duty date.

    `trainees` are places taken: who sits in two batches counts twice. Served minutes are hidden by the number of people
    who served them. A promise is one of a unit for one whole month of the period.
    """

    period: Days
    before: Days
    year_before: Days
    public: bool
    courses: Figure
    batches: Figure
    trainees: Figure
    trainees_by_kind: list[KindFigure]
    attendance: Share
    exams_passed: Figure
    certificates_issued: Figure
    certificates_expiring_30_days: Whole = Field(description="after the last day of the period")
    certificates_expiring_90_days: Whole
    shifts_held: Figure
    places_needed: Figure
    places_filled: Figure
    places_served: Figure
    filled: Share
    served: Share
    minutes_served: Figure
    minutes_by_kind: list[KindFigure]
    promises: Figure
    promises_kept: Figure
    guards_shared: Figure
    cost_fen: Figure
    cost_per_trainee_fen: Whole
    feedback: Figure
    feedback_average: Average = Field(description="of 1 to 5")


class Statistics(Request, name="training.statistics.v1", reply=Figures):
    """The figures of some days; whole months are compared with as many whole months before."""

    since: Day
    until: Day = Field(description="at most ten years later")
    public: bool = Field(default=False, description="for a screen that everybody sees")
