"""Members and the organisations that they come from; what the law asks of them before they go on patrol."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from shouwang.contracts.shapes import Fact, Reply, Request
from shouwang.contracts.words import Day, Id, Lat, Lon, Name, Text, Time, Token

MemberKind = Literal[
    "militia", "teacher", "doctor", "civil_servant", "guard", "school_guard", "shop_volunteer", "villager", "student",
    "community_officer", "hometown_officer", "police_officer",
]  # fmt: skip
OrganisationKind = Literal[
    "guard_company", "self_hiring_unit", "school", "shop", "hotel", "mall", "firm", "entertainment", "police_post",
    "government", "village", "other",
]  # fmt: skip
GuardEntity = Literal["guard_company", "self_hiring_unit"]
Consent = Literal["patrol", "tracking", "shared_duty"]
BarGround = Literal[
    "drug_rehabilitation", "administrative_detentions", "criminal_record", "certificate_revoked",
    "certificate_revoked_twice",
]  # fmt: skip
"""保安服务管理条例 art. 17."""

Reason = Token
"""A code, such as `not_certified`, `rest`, `double_booked`: never free text, since it also stands in facts."""

Limit = Annotated[int, Field(ge=1, le=1000)]
Tokens = Annotated[list[Token], Field(min_length=1, max_length=5000)]
Phone = Annotated[str, StringConstraints(pattern=r"^[0-9+ -]{5,20}$")]


class Refused(Reply):
    """A member that something could not be done for, and why."""

    member: Token
    reason: Reason


class Whom(BaseModel):
    """Either members, or all members of an organisation; both or neither is refused."""

    members: Tokens | None = None
    organisation: Token | None = None


class Done(Reply):
    """How many members it was written for."""

    members: int


# -- organisations ---------------------------------------------------------------------------------------------------


class OrganisationPut(Reply):
    """The organisation is on record."""

    organisation: Token


class PutOrganisation(Request, name="training.put_organisation.v1", reply=OrganisationPut):
    """Write an organisation, new or changed. The same token is the same organisation.

    `entity` says that it employs guards (保安从业单位). Entertainment venues may not hire their own (保安服务管理条例
    art. 13), state organs may not run a guard company (art. 40): 409.
    """

    organisation: Token
    kind: OrganisationKind
    name: Name
    credit_code: Annotated[str, Field(max_length=18)] | None = None
    entity: GuardEntity | None = None
    contact: Token | None = Field(default=None, description="the member who speaks for it")
    contact_name: Name | None = None
    contact_phone: Phone | None = None
    lat: Lat | None = None
    lon: Lon | None = None


class ConsentToShare(Request, name="training.consent_to_share.v1", reply=OrganisationPut):
    """An employer lets its guards stand on shared duty, or no longer. Only its contact can say so."""

    organisation: Token
    consents: bool


class OrganisationNow(Reply):
    """An organisation as it stands."""

    organisation: Token
    kind: OrganisationKind
    name: str
    credit_code: str | None
    entity: GuardEntity | None
    contact: Token | None
    contact_name: str | None = Field(default=None, description="masked")
    contact_phone: str | None = Field(default=None, description="masked")
    shares_guards: bool
    lat: float | None
    lon: float | None
    members: int


class OrganisationList(Reply):
    """In the order of their tokens."""

    organisations: list[OrganisationNow]


class Organisations(Request, name="training.organisations.v1", reply=OrganisationList):
    """Organisations; `after` pages on."""

    kind: OrganisationKind | None = None
    entity: GuardEntity | None = None
    after: Token | None = None
    limit: Limit = 200


# -- members ---------------------------------------------------------------------------------------------------------


class MemberPut(Reply):
    """The member is on record."""

    member: Token


class PutMember(Request, name="training.put_member.v1", reply=MemberPut):
    """Write a member, new or changed. The token is also the principal and the unit of the member's phone."""

    member: Token
    kind: MemberKind
    name: Name
    id_number: Annotated[str, Field(max_length=18)] | None = None
    born: Day | None = Field(default=None, description="only without an identity number, which has it")
    phone: Phone | None = None
    organisation: Token | None = None
    since: Day | None = Field(default=None, description="of the membership; today if not given")
    guardian_consents: bool = False
    night_protected_until: Day | None = Field(
        default=None, description="no night duty until then (劳动法 art. 61, 63); the reason is nobody's business"
    )


class EndMembership(Request, name="training.end_membership.v1", reply=MemberPut):
    """A member leaves: from that day on nothing can be asked of them, and shifts to come are taken back."""

    member: Token
    on: Day


class CertificateNow(Reply):
    """A certificate as it stands."""

    certificate: Id
    kind: Token
    number: str
    issued_on: Day
    valid_until: Day | None
    revoked: bool


class MemberNow(Reply):
    """A member as it stands; name, numbers and birth date are masked (陈**, 138****8000)."""

    member: Token
    kind: MemberKind
    name: str
    id_number: str | None
    phone: str | None
    organisation: Token | None
    left_on: Day | None
    consents: list[Consent]
    agreement_until: Day | None
    insured_until: Day | None
    certificates: list[CertificateNow]
    cleared: bool
    cleared_until: Day | None
    reasons: list[Reason]


class Member(Request, name="training.member.v1", reply=MemberNow):
    """One member, and everything that keeps them from patrol today."""

    member: Token


class MemberInList(Reply):
    """A line of a list; masked."""

    member: Token
    kind: MemberKind
    name: str
    organisation: Token | None
    cleared: bool


class MemberList(Reply):
    """In the order of their tokens."""

    members: list[MemberInList]


class Members(Request, name="training.members.v1", reply=MemberList):
    """Members; `after` pages on."""

    kind: MemberKind | None = None
    organisation: Token | None = None
    cleared: bool | None = None
    after: Token | None = None
    limit: Limit = 200


class MemberRevealed(Reply):
    """The masked fields in full."""

    member: Token
    name: str
    id_number: str | None
    phone: str | None
    born: Day | None


class RevealMember(Request, name="training.reveal_member.v1", reply=MemberRevealed):
    """See what is masked. Who asked, when and why is kept (个人信息保护法 art. 51)."""

    member: Token
    reason: Text = Field(description="at least four characters: a dot is no reason")


# -- what the law asks -----------------------------------------------------------------------------------------------


class ConsentGiven(Reply):
    """What the member agrees to now."""

    member: Token
    consents: list[Consent]


class GiveConsent(Request, name="training.give_consent.v1", reply=ConsentGiven):
    """A member agrees, for itself alone: nobody can do it in another's name (志愿服务条例 art. 25)."""

    consents: Annotated[list[Consent], Field(min_length=1)]


class WithdrawConsent(Request, name="training.withdraw_consent.v1", reply=ConsentGiven):
    """A member no longer agrees: it is off duty at once, and shifts to come that need it are free for others."""

    consents: Annotated[list[Consent], Field(min_length=1)]


class RecordAgreement(Whom, Request, name="training.record_agreement.v1", reply=Done):
    """A written agreement was signed (浙江省志愿服务条例 art. 21); the risks were told (志愿服务条例 art. 12)."""

    since: Day
    until: Day | None = None
    risks_told: bool
    overtime_agreed: bool = False


class RecordInsurance(Whom, Request, name="training.record_insurance.v1", reply=Done):
    """Accident insurance is in force for these days (志愿服务条例 art. 17, 保安服务管理条例 art. 20)."""

    policy: Name
    since: Day
    until: Day


class RecordCheck(Whom, Request, name="training.record_check.v1", reply=Done):
    """Records of offences against minors were looked up and nothing was found (未成年人保护法 art. 62)."""

    checked_on: Day


class RecordBar(Request, name="training.record_bar.v1", reply=MemberPut):
    """The law bars this member from guard work (保安服务管理条例 art. 17). Only that it does is shown to others."""

    member: Token
    ground: BarGround
    since: Day
    until: Day | None = Field(default=None, description="the first day on which it is over")


class LiftBar(Request, name="training.lift_bar.v1", reply=MemberPut):
    """The bar was an error, or has ended."""

    member: Token
    ground: BarGround


# -- import ----------------------------------------------------------------------------------------------------------


class Fault(Reply):
    """What is wrong at a place of a file, as its user sees it: row 1 is the first line."""

    row: int
    column: str | None
    code: Token
    detail: str


class ImportReport(Reply):
    """What a file holds. Nothing is imported while there is a fault."""

    imported: bool
    records: int = Field(description="rows with data")
    created: int
    changed: int
    fault_count: int
    faults: list[Fault] = Field(description="the first of them, by row")
    notes: list[Fault] = Field(default=[], description="what was left out, such as columns that nobody knows")


class ImportFile(Request, name="training.import_file.v1", reply=ImportReport):
    """Read a CSV or XLSX file from the object store bucket `imports`: all of it, or, if it has faults, nothing.

    A dry run writes nothing. Once imported the file is deleted; a file that is not is gone after a day.
    """

    object: Annotated[str, StringConstraints(pattern=r"^[^\u0000*>]{1,200}$")] = Field(
        description="its name in the bucket"
    )
    holds: Literal["members", "organisations"]
    dry_run: bool = True


# -- facts -----------------------------------------------------------------------------------------------------------


class OrganisationRegistered(Fact, name="training.organisation.registered.v1", keys=("organisation",)):
    """An organisation takes part."""

    organisation: Token
    kind: OrganisationKind
    entity: GuardEntity | None
    at: Time


class MemberRegistered(Fact, name="training.member.registered.v1", keys=("member",)):
    """Somebody takes part."""

    member: Token
    kind: MemberKind
    organisation: Token | None
    at: Time


class MemberLeft(Fact, name="training.member.left.v1", keys=("member",)):
    """Somebody no longer takes part."""

    member: Token
    on: Day
    at: Time


class MemberCleared(Fact, name="training.member.cleared.v1", keys=("member",)):
    """Nothing forbids the member to be on patrol: certified, insured, agreed. `until`: as far as is known today."""

    member: Token
    kind: MemberKind
    until: Day | None
    at: Time


class MemberSuspended(Fact, name="training.member.suspended.v1", keys=("member",)):
    """Something forbids the member to be on patrol."""

    member: Token
    kind: MemberKind
    reason: Reason
    at: Time
