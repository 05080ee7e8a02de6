"""Money (经费保障): special funds, public tenders, awards, contracts, payments, and their deadlines.

Amounts are whole fen (1/100 CNY). The rules are those of the Government Procurement Law (政府采购法); the article
stands in each warning.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shouwang.contracts.shapes import Fact, Reply, Request
from shouwang.contracts.words import Day, Id, Name, Text, Time, Token

Deadline = Literal["contract", "copy"]
TenderStatus = Literal["published", "awarded", "contracted", "accepted"]
Year = Annotated[int, Field(ge=2000, le=2100)]
CalendarDays = Annotated[list[Day], Field(max_length=120)]

EXACT = 2**53
"""Up to here every reader of JSON has a whole number as it was written."""


def _exact(value: int) -> int:
    if abs(value) > EXACT:
        raise ValueError("is more than a JSON number can hold")
    return value


SignedFen = Annotated[int, AfterValidator(_exact)]
"""Fen; less than nothing takes back what was written before, so that nothing has to be erased."""

Fen = Annotated[int, Field(ge=0), AfterValidator(_exact)]


class MoneyWarning(Reply):
    """What an organiser should look at; it keeps nothing from being done.

    Codes: contract_near, contract_overdue, contract_late, copy_near, copy_overdue, copy_late, short_bid_period,
    over_fund, added_purchase, no_contract, calendar_assumed.
    """

    code: Token
    detail: str
    tender: Token | None = None
    due: Day | None = None
    article: str | None = Field(default=None, description="where the rule stands")


# -- funds -----------------------------------------------------------------------------------------------------------


class FundPut(Reply):
    """The fund is on record."""

    fund: Token


class PutFund(Request, name="training.put_fund.v1", reply=FundPut):
    """Write a special fund (专项资金) of a year, new or changed."""

    fund: Token
    name: Name
    year: Year
    amount_fen: Fen
    source: Name
    budget_line: Name | None = None


class FundSums(Reply):
    """What has become of a fund; `left` is its amount less what was paid and what is still to be paid on awards."""

    fund: Token
    name: str
    year: int
    source: str
    budget_line: str | None
    amount_fen: int
    spent_fen: int
    committed_fen: int
    left_fen: int = Field(description="less than nothing, if more was awarded than the fund has")


class FundList(Reply):
    """Newest year first."""

    funds: list[FundSums]


class Funds(Request, name="training.funds.v1", reply=FundList):
    """All funds, or those of a year."""

    year: Year | None = None


class TenderNow(Reply):
    """A tender as it stands."""

    tender: Token
    title: str
    status: TenderStatus
    published_on: Day
    supplier: Token | None
    award_fen: int | None
    awarded_on: Day | None
    contract_due: Day | None
    signed_on: Day | None
    copy_due: Day | None
    copy_filed_on: Day | None
    accepted_on: Day | None
    paid_fen: int
    keep_until: Day | None = Field(description="the file is kept until then at least (政府采购法 art. 42)")


class FundNow(FundSums):
    """A fund, its tenders in the order of their publication, and what should be looked at today."""

    tenders: list[TenderNow]
    warnings: list[MoneyWarning]


class Fund(Request, name="training.fund.v1", reply=FundNow):
    """One fund: spent, committed, left; its tenders; deadlines that are near or over."""

    fund: Token


# -- tenders ---------------------------------------------------------------------------------------------------------


class TenderRecorded(Reply):
    """The tender is on record; an award before `earliest_award` would leave fewer than 20 days to bid (art. 35)."""

    tender: Token
    earliest_award: Day


class RecordTender(Request, name="training.record_tender.v1", reply=TenderRecorded):
    """A public tender (公开招标) was published; it may be changed until it is awarded."""

    tender: Token
    fund: Token
    title: Name = Field(description="what is to be bought")
    published_on: Day


class AwardRecorded(Reply):
    """The contract is to be signed within 30 days (政府采购法 art. 46)."""

    tender: Token
    contract_due: Day
    warnings: list[MoneyWarning]


class RecordAward(Request, name="training.record_award.v1", reply=AwardRecorded):
    """The tender was awarded (中标); an award may be corrected until a contract is recorded."""

    tender: Token
    supplier: Token = Field(description="an organisation on record")
    amount_fen: Fen
    awarded_on: Day


class ContractRecorded(Reply):
    """A copy is to be filed within 7 working days of signing (政府采购法 art. 47)."""

    tender: Token
    contract_due: Day
    copy_due: Day
    copy_due_assumed: bool = Field(description="holidays of a year are not known: Monday to Friday were counted")
    copy_filed_on: Day | None
    warnings: list[MoneyWarning]


class RecordContract(Request, name="training.record_contract.v1", reply=ContractRecorded):
    """The contract was signed; asked again, its copy was filed."""

    tender: Token
    signed_on: Day
    copy_filed_on: Day | None = None


class AcceptanceRecorded(Reply):
    """What was bought is accepted; the file is kept for 15 years at least (政府采购法 art. 42)."""

    tender: Token
    keep_until: Day


class RecordAcceptance(Request, name="training.record_acceptance.v1", reply=AcceptanceRecorded):
    """What was bought was looked at and accepted (验收)."""

    tender: Token
    accepted_on: Day
    note: Text | None = None


class PaymentRecorded(Reply):
    """What was paid, and what may still be paid without an added purchase."""

    payment: Id
    tender: Token
    paid_fen: int
    left_fen: int
    warnings: list[MoneyWarning]


class RecordPayment(Request, name="training.record_payment.v1", reply=PaymentRecorded):
    """Something was paid. More than the award and a tenth of it for added purchases is refused: 409 (art. 49)."""

    tender: Token
    amount_fen: SignedFen = Field(description="less than nothing: a refund, or a correction")
    paid_on: Day


# -- working days ----------------------------------------------------------------------------------------------------


class HolidaysPut(Reply):
    """The calendar of the year is on record."""

    year: int
    off: int
    on: int


class PutHolidays(Request, name="training.put_holidays.v1", reply=HolidaysPut):
    """The State Council's holidays of a year, in place of what is known of it: for years that no library knows yet."""

    year: Year
    off: CalendarDays = Field(description="Monday to Friday, yet free")
    on: CalendarDays = Field(description="Saturday or Sunday, yet worked (调休)")


# -- facts -----------------------------------------------------------------------------------------------------------


class AwardRecordedFact(Fact, name="training.award.recorded.v1", keys=("tender",)):
    """A tender was awarded."""

    tender: Token
    fund: Token
    supplier: Token
    amount_fen: int
    awarded_on: Day
    contract_due: Day
    at: Time


class ContractRecordedFact(Fact, name="training.contract.recorded.v1", keys=("tender",)):
    """A contract was signed, or its copy filed."""

    tender: Token
    signed_on: Day
    copy_due: Day
    copy_filed_on: Day | None
    at: Time


class AcceptanceRecordedFact(Fact, name="training.acceptance.recorded.v1", keys=("tender",)):
    """What was bought is accepted."""

    tender: Token
    accepted_on: Day
    at: Time


class PaymentRecordedFact(Fact, name="training.payment.recorded.v1", keys=("tender",)):
    """Something was paid."""

    tender: Token
    payment: Id
    amount_fen: int
    paid_on: Day
    at: Time


class DeadlineNeared(Fact, name="training.deadline.neared.v1", keys=("tender",)):
    """A contract is to be signed, or its copy to be filed, within days, or should have been. Told once for each."""

    tender: Token
    what: Deadline
    due: Day
    at: Time
