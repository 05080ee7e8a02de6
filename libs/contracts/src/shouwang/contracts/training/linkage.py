"""Member rings (店铺联动、企业联防): units that warn each other; and where members want word beside the phone app."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shouwang.contracts.shapes import Fact, Live, Reply, Request
from shouwang.contracts.training.people import Limit, OrganisationKind
from shouwang.contracts.words import Clock, Day, Id, Name, Text, Time, Token

PostKind = Literal["warning", "info"]
"""预警 / 互通信息."""

PostText = Annotated[Text, StringConstraints(max_length=500)]


# -- rings -----------------------------------------------------------------------------------------------------------


class RingPut(Reply):
    """The ring is on record."""

    ring: Token


class PutRing(Request, name="training.put_ring.v1", reply=RingPut):
    """Write a ring, new or changed. It is led by a police officer: 409 for anybody else, 404 for who is not known.

    The ring is over on the day after `until`.
    """

    ring: Token
    name: Name
    lead_officer: Token
    since: Day
    until: Day | None = None


class RingMembership(Reply):
    """A unit in a ring: its contact speaks and hears for it, until the day it leaves."""

    ring: Token
    organisation: Token
    contact: Token
    since: Day
    until: Day | None


class JoinRing(Request, name="training.join_ring.v1", reply=RingMembership):
    """An organisation takes part from today on. Asked again, it changes who its contact is.

    404 for a ring, organisation or member that is not known, 409 for a ring that is over or a member who has left.
    """

    ring: Token
    organisation: Token
    contact: Token = Field(description="a member; may speak for several units")


class LeaveRing(Request, name="training.leave_ring.v1", reply=RingMembership):
    """An organisation takes part no longer, from a day on. 404 if it does not."""

    ring: Token
    organisation: Token
    on: Day


class RingInList(Reply):
    """A ring, counted."""

    ring: Token
    name: str
    lead_officer: Token
    since: Day
    until: Day | None
    units: int = Field(description="that take part today")
    open_posts: int = Field(description="neither expired nor withdrawn")


class RingList(Reply):
    """In the order of their tokens."""

    rings: list[RingInList]


class Rings(Request, name="training.rings.v1", reply=RingList):
    """All rings."""


class RingUnit(Reply):
    """A unit that takes part today, and how many shifts of this month its people stand on or have served."""

    organisation: Token
    name: str
    kind: OrganisationKind
    contact: Token
    contact_phone: str | None = Field(description="masked: 138****8000")
    since: Day
    until: Day | None
    standing: int
    served: int = Field(description="of those that stand")


class RingNow(Reply):
    """A ring as it stands; units in the order of their tokens."""

    ring: Token
    name: str
    lead_officer: Token
    since: Day
    until: Day | None
    open_posts: int
    month: str = Field(description="that shifts are counted in, such as 2026-11")
    units: list[RingUnit]


class Ring(Request, name="training.ring.v1", reply=RingNow):
    """One ring with its units."""

    ring: Token


# -- posts -----------------------------------------------------------------------------------------------------------


class PostSent(Reply):
    """The post is out."""

    post: Id
    recipients: int


class PostToRing(Request, name="training.post_to_ring.v1", reply=PostSent):
    """Warn the ring, or let it know something: each unit's contact and the lead officer get it, but for who posts.

    Only they may post: 403. A text with an identity number or a mobile number in it is refused (400, field `text`):
    a ring holds no numbers of people and no details of cases.
    """

    ring: Token
    kind: PostKind
    text: PostText
    needs_ack: bool = True
    expires_at: Time | None = Field(default=None, description="open until withdrawn if not given; must be to come")


class PostAnswered(Reply):
    """How far the post has been acknowledged."""

    post: Id
    acknowledged: int
    waiting: int


class AcknowledgePost(Request, name="training.acknowledge_post.v1", reply=PostAnswered):
    """A recipient has read the post; again is no different, and late is better than never. 403 for anybody else."""

    post: Id


class WithdrawPost(Request, name="training.withdraw_post.v1", reply=PostAnswered):
    """The post is no longer so; its recipients are told. By who posted it or the lead officer: else 403."""

    post: Id


class PostNow(Reply):
    """A post as it stands."""

    post: Id
    ring: Token
    kind: PostKind
    text: str
    needs_ack: bool
    posted_by: Token
    at: Time
    expires_at: Time | None
    withdrawn_at: Time | None
    open: bool
    recipients: int
    acknowledged: int
    waiting: int = Field(description="who has not acknowledged, if it needs that")
    waiting_for: list[Token]


class PostList(Reply):
    """Newest first."""

    posts: list[PostNow]


class Posts(Request, name="training.posts.v1", reply=PostList):
    """The posts of a ring, newest first; `before` pages on. A post that expired or was withdrawn is not open."""

    ring: Token
    open: bool | None = None
    before: Id | None = None
    limit: Limit = 50


class RingNotice(Live, address="user.{member}.notice.ring"):
    """A post, to the phone of each recipient; once more with `withdrawn` when it is no longer so."""

    post: Id
    ring: Token
    kind: PostKind
    text: Text
    needs_ack: bool
    at: Time
    expires_at: Time | None = None
    withdrawn: bool = False


# -- contact cards ---------------------------------------------------------------------------------------------------


class Card(Reply):
    """A contact card: vCard 3.0 (RFC 2426), and the same as a QR code in SVG."""

    vcard: str
    svg: str


class ContactCard(Request, name="training.contact_card.v1", reply=Card):
    """The contact card of a police officer: name, office, post, phone. Officers alone have one: 404 for anybody else.

    These are public on purpose and not masked: the post hangs them up as QR codes, so that residents can add their
    community officer as a contact.
    """

    officer: Token


# -- word beyond the phone app ---------------------------------------------------------------------------------------


class NoticeSettingsNow(Reply):
    """Where the member gets word beside the phone app, and when it is left in peace."""

    member: Token
    channels: list[Token]
    known: list[Token] = Field(description="channels that can be chosen")
    quiet_from: Clock
    quiet_until: Clock


class SetNotices(Request, name="training.set_notices.v1", reply=NoticeSettingsNow):
    """A member says for itself where word shall go beside its phone app (企业微信, 钉钉, 短信, 邮件).

    It takes the place of what was said before. Channels are those that the suite is set up with: one that is not is
    refused (400), as is one that needs a phone number where none is on record (409). A member never names an address.

    What is due in quiet hours waits until they end, but for a shift that begins within three hours, and for the news
    that one within twelve is off. Hours that begin and end at the same time are none.
    """

    channels: Annotated[list[Token], Field(max_length=20)]
    quiet_from: Clock | None = Field(default=None, description="the suite's own if not given, 22:30 unless set")
    quiet_until: Clock | None = Field(default=None, description="the suite's own if not given, 07:00 unless set")


class NoticeSettings(Request, name="training.notice_settings.v1", reply=NoticeSettingsNow):
    """What the asking member has chosen."""


# -- facts -----------------------------------------------------------------------------------------------------------


class RingFormed(Fact, name="training.ring.formed.v1", keys=("ring",)):
    """Units may join."""

    ring: Token
    lead_officer: Token
    since: Day
    until: Day | None
    at: Time


class RingChanged(Fact, name="training.ring.changed.v1", keys=("ring",)):
    """The ring has another lead officer, or other days."""

    ring: Token
    lead_officer: Token
    since: Day
    until: Day | None
    at: Time


class UnitJoined(Fact, name="training.unit.joined.v1", keys=("ring", "organisation")):
    """A unit takes part; said again when its contact changes."""

    ring: Token
    organisation: Token
    kind: OrganisationKind
    contact: Token
    at: Time


class UnitLeft(Fact, name="training.unit.left.v1", keys=("ring", "organisation")):
    """A unit takes part no longer, from a day on."""

    ring: Token
    organisation: Token
    on: Day
    at: Time


class PostPublished(Fact, name="training.post.published.v1", keys=("ring", "post")):
    """The ring was warned, or told something; what, stays in the ring."""

    ring: Token
    post: Id
    kind: PostKind
    needs_ack: bool
    recipients: int
    expires_at: Time | None
    at: Time


class PostAcknowledged(Fact, name="training.post.acknowledged.v1", keys=("ring", "post")):
    """A recipient has read it."""

    ring: Token
    post: Id
    member: Token
    at: Time


class PostWithdrawn(Fact, name="training.post.withdrawn.v1", keys=("ring", "post")):
    """The post is no longer so."""

    ring: Token
    post: Id
    at: Time
