"""Beds, meals and equipment (宿舍、用餐、装备), and what a batch costs.

What somebody cannot eat is health data (个人信息保护法 art. 28): it stands in no fact, is shown without names and only
to the kitchen of the batch, and is forgotten soon after the batch.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shouwang.contracts.shapes import Part, Reply, Request
from shouwang.contracts.training.funding import SignedFen
from shouwang.contracts.training.people import Limit, Refused
from shouwang.contracts.words import Day, Id, Name, Text, Time, Token

Diet = Literal["normal", "halal", "vegetarian", "other"]
Sex = Literal["female", "male"]
Meal = Literal["breakfast", "lunch", "dinner", "night"]
Condition = Literal["good", "worn", "damaged", "lost"]
Count = Annotated[int, Field(ge=1, le=10_000)]


class BatchOrSite(BaseModel):
    """One batch, or everybody at a site; both or neither is refused."""

    batch: Id | None = None
    site: Token | None = None
    day: Day


# -- beds ------------------------------------------------------------------------------------------------------------


class RoomPut(Reply):
    """The room is on record."""

    site: Token
    room: Token


class PutRoom(Request, name="training.put_room.v1", reply=RoomPut):
    """Write a room of a site's dormitory, new or changed. Beds that are given keep it from being made smaller: 409."""

    site: Token
    room: Token
    beds: Annotated[int, Field(ge=1, le=200)]
    women_only: bool = False


class StaySet(Reply):
    """What the trainee needs is on record."""

    batch: Id
    member: Token
    needs_bed: bool


class SetStay(Request, name="training.set_stay.v1", reply=StaySet):
    """What a trainee needs while a batch lasts; said a second time it replaces the first.

    A trainee says it for itself. An organiser, or police, may say it for another `member` who has agreed to that.
    """

    batch: Id
    needs_bed: bool
    diet: Diet = "normal"
    allergies: Text | None = Field(default=None, description="seen by the kitchen, without a name")
    sex: Sex | None = Field(default=None, description="for the room; an identity number on record goes before it")
    member: Token | None = None


class BedAssigned(Reply):
    """The bed, and the days that it is held, both included: the day of rest after a night patrol is among them."""

    batch: Id
    member: Token
    room: Token
    bed: int
    since: Day
    until: Day


class AssignBed(Request, name="training.assign_bed.v1", reply=BedAssigned):
    """Give a trainee a bed in a room of the batch's site, for the days of the batch if no others are said."""

    batch: Id
    member: Token
    room: Token
    since: Day | None = None
    until: Day | None = None


class BedsPlanned(Reply):
    """Who got a bed; who did not, and why.

    `no_bed`, `no_room_for_women`, `no_room_for_men`, `sex_unknown`, or `has_a_bed` elsewhere on these days.
    """

    batch: Id
    assigned: list[BedAssigned]
    left_out: list[Refused]


class PlanBeds(Request, name="training.plan_beds.v1", reply=BedsPlanned):
    """Give a bed to everybody enrolled who asked for one and has none yet; who needs none any more gives theirs back.

    Women and men never share a room, and rooms for women go to women only.
    """

    batch: Id


class BedReleased(Reply):
    """How many beds are free again."""

    batch: Id
    member: Token
    beds: int


class ReleaseBed(Request, name="training.release_bed.v1", reply=BedReleased):
    """A trainee gives its bed back: at once if it has not come yet, else from tomorrow on."""

    batch: Id
    member: Token


class Bed(Reply):
    """A bed that is held."""

    bed: int
    batch: Id
    member: Token
    since: Day
    until: Day


class Room(Reply):
    """A room and who has a bed in it on the day."""

    site: Token
    room: Token
    beds: int
    women_only: bool
    held: list[Bed]


class RoomList(Reply):
    """In the order of their names."""

    day: Day
    rooms: list[Room]
    free: int


class Beds(BatchOrSite, Request, name="training.beds.v1", reply=RoomList):
    """The rooms of a site, or of a batch's site, and who has a bed on a day."""


# -- meals -----------------------------------------------------------------------------------------------------------


class MealWanted(Part):
    """A meal."""

    meal: Meal
    menu: Text | None = None


class MealPlanPut(Reply):
    """The plan of the day is on record."""

    site: Token
    day: Day


class PutMealPlan(Request, name="training.put_meal_plan.v1", reply=MealPlanPut):
    """What is served at a site on a day (用餐标准), in place of what was planned before."""

    site: Token
    day: Day
    meals: Annotated[list[MealWanted], Field(min_length=1, max_length=4)]


class MealPlanned(Reply):
    """A meal as planned."""

    meal: Meal
    menu: str | None


class Diets(Reply):
    """How many eat how; who said nothing eats `normal`."""

    normal: int
    halal: int
    vegetarian: int
    other: int


class MealCounts(Reply):
    """How many eat on the day, without names."""

    day: Day
    people: int
    diets: Diets
    allergic: int
    allergies: list[str] | None = Field(
        description="the kitchen list of a batch, in the order of the words; null for a whole site and for trainees"
    )
    plan: list[MealPlanned]


class Meals(BatchOrSite, Request, name="training.meals.v1", reply=MealCounts):
    """How many eat on a day and what they cannot eat: of a batch, or of everybody at a site."""


# -- equipment -------------------------------------------------------------------------------------------------------


class ItemWanted(Part):
    """So many of a kind; a single one, if it has a serial number."""

    item: Token
    serial: Name | None = None
    count: Count = 1


class ItemIssued(Reply):
    """An item that a member has now; it comes back under `issue`."""

    issue: Id
    item: Token
    serial: str | None
    count: int


class EquipmentIssued(Reply):
    """The items in the order in which they were asked for."""

    member: Token
    issued: list[ItemIssued]


class IssueEquipment(Request, name="training.issue_equipment.v1", reply=EquipmentIssued):
    """Hand equipment out. What has a serial number can be with one member only: 409."""

    member: Token
    items: Annotated[list[ItemWanted], Field(min_length=1, max_length=100)]
    due: Day | None = None


class EquipmentReturned(Reply):
    """It is back."""

    issue: Id
    member: Token
    item: Token
    condition: Condition


class ReturnEquipment(Request, name="training.return_equipment.v1", reply=EquipmentReturned):
    """Equipment has come back, or is lost for good."""

    issue: Id
    condition: Condition


class ItemOut(ItemIssued):
    """An item that has not come back."""

    member: Token
    issued_at: Time
    due: Day | None
    overdue: bool


class EquipmentList(Reply):
    """In the order in which it was handed out."""

    out: list[ItemOut]


class EquipmentOut(Request, name="training.equipment_out.v1", reply=EquipmentList):
    """What has not come back; `after` pages on."""

    member: Token | None = None
    overdue: bool = False
    after: Id | None = None
    limit: Limit = 200


# -- cost ------------------------------------------------------------------------------------------------------------


class CostRecorded(Reply):
    """The entry, and what the batch has cost so far."""

    cost: Id
    batch: Id
    total_fen: int


class RecordCost(Request, name="training.record_cost.v1", reply=CostRecorded):
    """Something was spent on a batch."""

    batch: Id
    kind: Token
    amount_fen: SignedFen = Field(description="less than nothing corrects an entry")
    note: Text | None = None


class CostOfKind(Reply):
    """What was spent on one kind of thing."""

    kind: Token
    amount_fen: int


class CostOfBatch(Reply):
    """What a batch has cost; for each trainee rounded to a fen, null while there are none."""

    batch: Id
    total_fen: int
    trainees: int
    per_trainee_fen: int | None


class CostList(Reply):
    """The sum over all batches, and each of them, newest first."""

    total_fen: int
    trainees: int
    per_trainee_fen: int | None
    kinds: list[CostOfKind]
    batches: list[CostOfBatch]


class Costs(Request, name="training.costs.v1", reply=CostList):
    """What a batch, or all batches of a course, have cost for each trainee; both or neither is refused."""

    batch: Id | None = None
    course: Token | None = None
