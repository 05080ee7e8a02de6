"""Patrol rosters (巡防值班表): shifts, who stands on them, who stands in; what member units have promised."""

from typing import Annotated, Literal

from pydantic import Field

from shouwang.contracts.shapes import Fact, Reply, Request
from shouwang.contracts.training.people import Limit, Reason, Refused
from shouwang.contracts.words import Clock, Day, Id, Lat, Lon, Metres, Name, Time, Token

ShiftKind = Literal["night_patrol", "checkpoint", "own_post", "shared_post", "publicity"]
Organiser = Literal["police", "zongzhi", "employer"]
Pay = Literal["unpaid", "allowance", "wage"]
Purpose = Literal["prevention", "support", "publicity", "wage_dispute", "debt_collection"]
RosterStatus = Literal["draft", "planning", "planned", "published"]
AssignmentStatus = Literal["proposed", "offered", "accepted", "declined", "withdrawn", "served", "missed"]
"""`proposed` is known to the organiser only; `offered` waits for the member's own answer."""

Days = Annotated[list[Day], Field(min_length=1, max_length=62)]


# -- what was promised -----------------------------------------------------------------------------------------------


class CommitmentPut(Reply):
    """The promise is on record."""

    organisation: Token


class PutCommitment(Request, name="training.put_commitment.v1", reply=CommitmentPut):
    """What a member unit gives: so many shifts a month. A promise of the unit; each person agrees for itself."""

    organisation: Token
    shifts_a_month: Annotated[int, Field(ge=0, le=400)] = 1
    since: Day
    until: Day | None = None


class CommitmentNow(Reply):
    """A promise, and how far it was kept in a month."""

    organisation: Token
    shifts_a_month: int
    standing: int
    served: int


class CommitmentList(Reply):
    """In the order of their tokens."""

    month: str
    commitments: list[CommitmentNow]


class Commitments(Request, name="training.commitments.v1", reply=CommitmentList):
    """All promises, and how far they were kept in the month of a day."""

    day: Day


# -- rosters ---------------------------------------------------------------------------------------------------------


class RosterDrafted(Reply):
    """The roster is open for shifts."""

    roster: Id


class DraftRoster(Request, name="training.draft_roster.v1", reply=RosterDrafted):
    """Begin a roster for some days, a week or a month."""

    name: Name
    since: Day
    until: Day = Field(description="at most 61 days later")


class ShiftsAdded(Reply):
    """The shifts, in the order of their days."""

    roster: Id
    shifts: list[Id]


class AddShifts(Request, name="training.add_shifts.v1", reply=ShiftsAdded):
    """Add a shift for each of some days, with the same window. A window that ends before it begins passes midnight.

    What the law forbids whoever stands on it is refused with its code: 409.
    """

    roster: Id
    kind: ShiftKind
    days: Days
    start: Clock
    end: Clock
    next_day: bool = Field(default=False, description="begins after midnight, yet belongs to the evening before")
    minimum: Annotated[int, Field(ge=1, le=500)]
    maximum: Annotated[int, Field(ge=1, le=500)]
    lead_officer: Token | None = None
    area: Name | None = None
    lat: Lat | None = Field(default=None, description="the middle of the area: stand-ins are looked for from here")
    lon: Lon | None = None
    organiser: Organiser = "police"
    pay: Pay = "unpaid"
    purpose: Purpose = "prevention"
    insurance: Name | None = None
    client_contract: Name | None = None
    post_of: Token | None = Field(default=None, description="the organisation whose premises an own post is on")
    at_school: bool = False
    requires: list[Token] = Field(default=[], description="kinds of certificates beyond the usual one")


class PlanNow(Reply):
    """A patrol plan that dispatch proposed."""

    plan: Id
    proposed_at: Time
    first: Day
    last: Day
    windows: int
    taken_over: bool


class PlanList(Reply):
    """Newest first."""

    plans: list[PlanNow]


class PatrolPlans(Request, name="training.patrol_plans.v1", reply=PlanList):
    """What dispatch has proposed (警力跟着警情走)."""

    limit: Limit = 20


class TakeOverPlan(Request, name="training.take_over_plan.v1", reply=ShiftsAdded):
    """Make night patrols of a plan's windows that lie within the roster: approved is what is taken over."""

    plan: Id
    roster: Id
    lead_officer: Token
    insurance: Name | None = None


class ShiftRemoved(Reply):
    """The shift is gone, and whoever stood on it is free."""

    shift: Id


class RemoveShift(Request, name="training.remove_shift.v1", reply=ShiftRemoved):
    """Take a shift out of the roster; who stood on it is told."""

    shift: Id


class PlanningBegun(Reply):
    """The planning is under way; `training.roster.planned.v1` tells when it is done."""

    roster: Id
    status: RosterStatus


class PlanRoster(Request, name="training.plan_roster.v1", reply=PlanningBegun):
    """Fill the roster: who stands on it already stays, every place that stays empty is explained."""

    roster: Id
    organisations: list[Token] = Field(default=[], description="only their members; everybody if empty")
    limit_s: Annotated[float, Field(gt=0, le=60)] = 30.0


class RosterPublishedNow(Reply):
    """Who stands on the roster was asked for their answer."""

    roster: Id
    shifts: int
    offered: int


class PublishRoster(Request, name="training.publish_roster.v1", reply=RosterPublishedNow):
    """Offer every proposed place to its member. Nobody is ordered: who does not accept does not stand."""

    roster: Id


class Standing(Reply):
    """A member on a shift."""

    member: Token
    organisation: Token | None
    status: AssignmentStatus


class Unfilled(Reply):
    """Why nobody more could be found: of everybody left, how many could not for which reason."""

    missing: int
    why: dict[Reason, int]


class ShiftNow(Reply):
    """A shift as it stands."""

    shift: Id
    roster: Id
    kind: ShiftKind
    duty_date: Day
    starts_at: Time
    ends_at: Time
    area: str | None
    lead_officer: Token | None
    minimum: int
    maximum: int
    standing: list[Standing]
    unfilled: Unfilled | None = None


class RosterNow(Reply):
    """A roster as it stands."""

    roster: Id
    name: str
    since: Day
    until: Day
    status: RosterStatus
    shifts: int
    places: int = Field(description="the sum of the minimums")
    filled: int
    accepted: int


class RosterList(Reply):
    """Newest first."""

    rosters: list[RosterNow]


class Rosters(Request, name="training.rosters.v1", reply=RosterList):
    """Rosters, newest first, or one."""

    roster: Id | None = None
    before: Id | None = None
    limit: Limit = 100


class ShiftList(Reply):
    """In the order of their beginning."""

    shifts: list[ShiftNow]


class Shifts(Request, name="training.shifts.v1", reply=ShiftList):
    """Shifts by roster, by member, or by day; `after` (an instant) pages on."""

    roster: Id | None = None
    member: Token | None = None
    since: Day | None = None
    until: Day | None = None
    short: bool | None = Field(default=None, description="only those with fewer than their minimum, or only others")
    after: Time | None = None
    limit: Limit = 200


# -- one place -------------------------------------------------------------------------------------------------------


class Assigned(Reply):
    """The member and its place."""

    shift: Id
    member: Token
    status: AssignmentStatus


class Assign(Request, name="training.assign.v1", reply=Assigned):
    """Put a member on a shift by hand, or ask it to stand in. Refused with the reason where a rule forbids it: 409."""

    shift: Id
    member: Token


class Unassign(Request, name="training.unassign.v1", reply=Assigned):
    """Take a member off a shift; it is told."""

    shift: Id
    member: Token


class AnswerShift(Request, name="training.answer_shift.v1", reply=Assigned):
    """A member accepts, or declines, also later: that has no consequences (浙江省志愿服务条例 art. 18)."""

    shift: Id
    answer: Literal["accept", "decline"]


class StandIn(Reply):
    """Somebody who can."""

    member: Token
    organisation: Token | None
    distance_m: Metres | None
    served_min: int


class StandInList(Reply):
    """Nearest first, then who served least; and who cannot, and why."""

    stand_ins: list[StandIn]
    left_out: list[Refused]


class StandIns(Request, name="training.stand_ins.v1", reply=StandInList):
    """Who could stand in on a shift (就近替班)."""

    shift: Id
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class SwapNow(Reply):
    """A swap as it stands."""

    swap: Id
    status: Literal["proposed", "agreed", "refused", "withdrawn"]


class ProposeSwap(Request, name="training.propose_swap.v1", reply=SwapNow):
    """A member gives its shift to another, and takes theirs, if one is named. It needs the other's answer."""

    shift: Id
    with_member: Token
    for_shift: Id | None = None


class AnswerSwap(Request, name="training.answer_swap.v1", reply=SwapNow):
    """The other member agrees, and all rules are looked at again; or it does not; or the first takes it back."""

    swap: Id
    answer: Literal["agree", "refuse", "withdraw"]


class SwapInList(SwapNow):
    """A swap in a list."""

    shift: Id
    member: Token
    with_member: Token
    for_shift: Id | None


class SwapList(Reply):
    """Newest first."""

    swaps: list[SwapInList]


class Swaps(Request, name="training.swaps.v1", reply=SwapList):
    """The swaps that a member has proposed, or was asked for."""

    member: Token
    open: bool | None = None
    limit: Limit = 100


# -- facts -----------------------------------------------------------------------------------------------------------


class RosterPlanned(Fact, name="training.roster.planned.v1", keys=("roster",)):
    """The roster was filled as far as could be."""

    roster: Id
    places: int = Field(description="the minimum of every shift, less who stood there before")
    filled: int
    unfilled: int
    quality: Token = Field(description="optimal, feasible, failed")
    took_s: float
    at: Time


class RosterPublished(Fact, name="training.roster.published.v1", keys=("roster",)):
    """The roster is out."""

    roster: Id
    since: Day
    until: Day
    shifts: int
    at: Time


class ShiftAdded(Fact, name="training.shift.added.v1", keys=("shift",)):
    """A shift was added to a roster."""

    shift: Id
    roster: Id
    kind: ShiftKind
    duty_date: Day
    starts_at: Time
    ends_at: Time
    minimum: int
    maximum: int
    at: Time


class ShiftRemovedFact(Fact, name="training.shift.removed.v1", keys=("shift",)):
    """A shift was taken out."""

    shift: Id
    roster: Id
    at: Time


class ShiftOffered(Fact, name="training.shift.offered.v1", keys=("member", "shift")):
    """A place on a published roster waits for the member's answer."""

    member: Token
    shift: Id
    starts_at: Time
    ends_at: Time
    at: Time


class ShiftAccepted(Fact, name="training.shift.accepted.v1", keys=("member", "shift")):
    """The member will be there."""

    member: Token
    shift: Id
    starts_at: Time
    ends_at: Time
    at: Time


class ShiftDeclined(Fact, name="training.shift.declined.v1", keys=("member", "shift")):
    """The member will not be there; that has no consequences."""

    member: Token
    shift: Id
    at: Time


class ShiftWithdrawn(Fact, name="training.shift.withdrawn.v1", keys=("member", "shift")):
    """The place was taken back: by the organiser, or because something forbids it now."""

    member: Token
    shift: Id
    reason: Reason
    at: Time


class ShiftSwapped(Fact, name="training.shift.swapped.v1", keys=("member", "shift")):
    """The member has given this shift to another."""

    member: Token
    shift: Id
    to_member: Token
    for_shift: Id | None
    at: Time
