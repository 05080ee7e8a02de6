"""Who goes: incidents (警情), the tasks offered to units, and what became of them."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shouwang.contracts.geojson import Region
from shouwang.contracts.shapes import Fact, Live, Reply, Request
from shouwang.contracts.words import Id, Lat, Lon, Metres, Text, Time, Token

IncidentKind = Token
"""Own codes after `DOMAIN` §6: property, other_criminal, public_order, dispute, traffic, help, tip, fire, other ..."""

Priority = Literal["low", "normal", "high", "urgent"]
IncidentStatus = Literal["reported", "dispatched", "accepted", "arrived", "handling", "closed"]
Outcome = Literal["settled", "case_opened", "transferred", "false", "no_trace"]
TaskStatus = Literal["offered", "accepted", "declined", "expired", "arrived", "completed", "cancelled"]
Answer = Literal["accept", "decline", "arrive", "complete"]
Reason = Token
"""A code, such as `nearest`, `busy`, `silent`, `declined`: never free text, since it also stands in facts."""

Limit = Annotated[int, Field(ge=1, le=1000)]


# -- incidents -------------------------------------------------------------------------------------------------------


class Offer(Reply):
    """A task offered to a unit, and why this one."""

    task: Id
    unit: Token
    distance_m: Metres
    reason: Reason


class LeftOut(Reply):
    """A unit that was nearer but was not offered the task, and why."""

    unit: Token
    reason: Reason


class IncidentOpened(Reply):
    """The incident, who was offered it, who was left out, and how many hands are still missing."""

    incident: Id
    tasks: list[Offer]
    left_out: list[LeftOut]
    shortfall: Annotated[int, Field(ge=0)]


class OpenIncident(Request, name="dispatch.open_incident.v1", reply=IncidentOpened):
    """Take a call and offer it to the nearest who can go. The same `external_id` opens one incident only."""

    kind: IncidentKind
    lat: Lat
    lon: Lon
    summary: Text
    needed: Annotated[int, Field(ge=1, le=50)] = 1
    priority: Priority = "normal"
    external_id: Token | None = None


class TaskNow(Reply):
    """A task as it stands."""

    task: Id
    incident: Id | None
    unit: Token
    status: TaskStatus
    distance_m: Metres
    reason: Reason
    offered_at: Time
    expires_at: Time
    answered_at: Time | None = None
    arrived_at: Time | None = None
    ended_at: Time | None = None


class IncidentNow(Reply):
    """An incident as it stands."""

    incident: Id
    kind: IncidentKind
    lat: Lat
    lon: Lon
    summary: str
    needed: int
    priority: Priority
    external_id: Token | None
    status: IncidentStatus
    outcome: Outcome | None
    shortfall: int
    opened_at: Time
    closed_at: Time | None
    tasks: list[TaskNow]
    left_out: list[LeftOut] | None = Field(default=None, description="of the last decision; only for a single incident")


class Incident(Request, name="dispatch.incident.v1", reply=IncidentNow):
    """One incident with all its tasks."""

    incident: Id


class IncidentList(Reply):
    """Newest first."""

    incidents: list[IncidentNow]


class Incidents(Request, name="dispatch.incidents.v1", reply=IncidentList):
    """Incidents, newest first; `before` pages on."""

    open: bool | None = None
    before: Id | None = None
    limit: Limit = 100


class IncidentClosedReply(Reply):
    """The incident is closed."""

    incident: Id
    status: IncidentStatus


class CloseIncident(Request, name="dispatch.close_incident.v1", reply=IncidentClosedReply):
    """End an incident; tasks that are still live are cancelled."""

    incident: Id
    outcome: Outcome = "settled"
    note: Text | None = None


# -- tasks -----------------------------------------------------------------------------------------------------------


class TaskAnswered(Reply):
    """The task after the answer."""

    task: Id
    status: TaskStatus


class Respond(Request, name="dispatch.respond.v1", reply=TaskAnswered):
    """A unit answers for its own task; only the unit that was offered it may."""

    task: Id
    answer: Answer
    note: Text | None = None


class TaskList(Reply):
    """Newest first."""

    tasks: list[TaskNow]


class Tasks(Request, name="dispatch.tasks.v1", reply=TaskList):
    """Tasks of a unit, of an incident, or all; `live` asks for those not ended."""

    unit: Token | None = None
    incident: Id | None = None
    live: bool | None = None
    limit: Limit = 100


class CancelTask(Request, name="dispatch.cancel_task.v1", reply=TaskAnswered):
    """Take a task back; the incident is offered to the next nearest."""

    task: Id
    reason: Text | None = None


class TaskDelivery(Live, address="user.{unit}.task"):
    """The offer as it reaches the unit's phone."""

    task: Id
    incident: Id | None = None
    instruction: str
    lat: Lat
    lon: Lon
    distance_m: Metres
    offered_at: Time
    expires_at: Time


class TaskNotice(Live, address="user.{unit}.notice"):
    """Word to the unit that its task ended without it: nobody waits for it any more."""

    task: Id
    status: Literal["expired", "cancelled"]
    at: Time


class RegionTasked(Reply):
    """Everybody in the region who was tasked, and who was not."""

    task_group: Id
    tasks: list[Offer]
    left_out: list[LeftOut]


class TaskRegion(Request, name="dispatch.task_region.v1", reply=RegionTasked):
    """画图作战: task whoever is inside a drawn region, or the nearest of them to a point."""

    region: Region
    instruction: Text
    nearest: Annotated[int, Field(ge=1, le=1000)] | None = None
    point: tuple[Lon, Lat] | None = Field(default=None, description="[lon, lat], as in GeoJSON")


class RaiseSos(Request, name="dispatch.raise_sos.v1", reply=IncidentOpened):
    """One press: an urgent incident at the presser's last known place."""

    note: Text | None = None


# -- facts -----------------------------------------------------------------------------------------------------------


class OpenedFact(Fact, name="dispatch.incident.opened.v1", keys=("incident",)):
    """An incident was opened. Its summary stays inside: free text may name people."""

    incident: Id
    kind: IncidentKind
    lat: Lat
    lon: Lon
    needed: int
    priority: Priority
    at: Time


class ClosedFact(Fact, name="dispatch.incident.closed.v1", keys=("incident",)):
    """An incident was closed."""

    incident: Id
    outcome: Outcome
    at: Time


class ShortfallDeclared(Fact, name="dispatch.shortfall.declared.v1", keys=("incident",)):
    """Nobody else can be offered the incident at present; it is tried again when somebody becomes free."""

    incident: Id
    missing: Annotated[int, Field(ge=1)]
    left_out: int
    at: Time


class TaskOffered(Fact, name="dispatch.task.offered.v1", keys=("unit", "task")):
    """A task was offered to a unit."""

    task: Id
    unit: Token
    incident: Id | None
    distance_m: Metres
    reason: Reason
    at: Time
    expires_at: Time


class TaskStep(BaseModel):
    """What every step of a task says."""

    task: Id
    unit: Token
    incident: Id | None
    at: Time


class TaskAccepted(TaskStep, Fact, name="dispatch.task.accepted.v1", keys=("unit", "task")):
    """The unit goes."""


class TaskDeclined(TaskStep, Fact, name="dispatch.task.declined.v1", keys=("unit", "task")):
    """The unit does not go, or no longer."""


class TaskExpired(TaskStep, Fact, name="dispatch.task.expired.v1", keys=("unit", "task")):
    """The unit did not answer in time."""


class TaskArrived(TaskStep, Fact, name="dispatch.task.arrived.v1", keys=("unit", "task")):
    """The unit is at the place."""


class TaskCompleted(TaskStep, Fact, name="dispatch.task.completed.v1", keys=("unit", "task")):
    """The unit is done and free again."""


class TaskCancelled(TaskStep, Fact, name="dispatch.task.cancelled.v1", keys=("unit", "task")):
    """The task was taken back."""
