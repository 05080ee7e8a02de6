"""What the Government Procurement Law (政府采购法) asks of a tender, and what has become of a fund.

Amounts are whole fen. Nothing here blocks but the limit of art. 49; all else is a warning to whoever can still act.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from shouwang.training.domain import workdays
from shouwang.training.domain.workdays import NO_TABLE, WorkingDay, YearTable

BID_DAYS = 20
CONTRACT_DAYS = 30
COPY_WORKING_DAYS = 7
ADDED_PCT = 10
KEEP_YEARS = 15

ARTICLE = {
    "short_bid_period": "政府采购法 第35条",
    "contract_near": "政府采购法 第46条",
    "contract_overdue": "政府采购法 第46条",
    "contract_late": "政府采购法 第46条",
    "no_contract": "政府采购法 第46条",
    "copy_near": "政府采购法 第47条",
    "copy_overdue": "政府采购法 第47条",
    "copy_late": "政府采购法 第47条",
    "added_purchase": "政府采购法 第49条",
}
"""Where a rule stands, by the code of its warning; codes without one are plain sense."""


@dataclass(frozen=True)
class Tender:
    """A tender as the rules see it."""

    tender: str
    published_on: date
    awarded_on: date | None = None
    award_fen: int = 0
    signed_on: date | None = None
    copy_filed_on: date | None = None
    accepted_on: date | None = None
    paid_fen: int = 0

    @property
    def status(self) -> str:
        """How far it has come."""
        if self.accepted_on is not None:
            return "accepted"
        if self.signed_on is not None:
            return "contracted"
        return "published" if self.awarded_on is None else "awarded"

    @property
    def contract_due(self) -> date | None:
        """The last day to sign (art. 46)."""
        return self.awarded_on and self.awarded_on + timedelta(days=CONTRACT_DAYS)

    @property
    def keep_until(self) -> date | None:
        """The last day that the file has to be kept, counted from the acceptance as the end of the purchase."""
        return self.accepted_on and kept_until(self.accepted_on)

    def copy_due(self, tables: Mapping[int, YearTable] = NO_TABLE) -> WorkingDay | None:
        """The last day to file a copy of the contract (art. 47)."""
        return None if self.signed_on is None else copy_due(self.signed_on, tables)


@dataclass(frozen=True)
class Warned:
    """What should be looked at."""

    code: str
    detail: str
    tender: str | None = None
    due: date | None = None

    @property
    def article(self) -> str | None:
        """Where the rule stands."""
        return ARTICLE.get(self.code)


@dataclass(frozen=True)
class Deadline:
    """What is still to be done (`contract` to sign, `copy` to file), and by when."""

    what: str
    due: date
    assumed: bool = False


@dataclass(frozen=True)
class Sums:
    """Of a fund, in fen. Committed is what was awarded and not paid yet."""

    spent: int
    committed: int
    left: int


# -- deadlines -------------------------------------------------------------------------------------------------------


def earliest_award(published_on: date) -> date:
    """The first day of an award that leaves 20 days to bid."""
    return published_on + timedelta(days=BID_DAYS)


def copy_due(signed_on: date, tables: Mapping[int, YearTable] = NO_TABLE) -> WorkingDay:
    """The last day to file a copy of a contract (art. 47)."""
    return workdays.after(signed_on, COPY_WORKING_DAYS, tables)


def kept_until(accepted_on: date) -> date:
    """Fifteen years after the end of a purchase (art. 42)."""
    year = accepted_on.year + KEEP_YEARS
    try:
        return accepted_on.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 3, 1)


def open_deadline(tender: Tender, tables: Mapping[int, YearTable] = NO_TABLE) -> Deadline | None:
    """What a tender waits for: the contract first, then its copy; None if for nothing."""
    if tender.contract_due is not None and tender.signed_on is None:
        return Deadline("contract", tender.contract_due)
    copy_due = tender.copy_due(tables)
    if copy_due is not None and tender.copy_filed_on is None:
        return Deadline("copy", copy_due.day, copy_due.assumed)
    return None


def is_near(deadline: Deadline, today: date, days: int) -> bool:
    """Whether it is time to say so: `days` before, and ever after."""
    return deadline.due - timedelta(days=days) <= today


def warnings(tender: Tender, today: date, days: int, tables: Mapping[int, YearTable] = NO_TABLE) -> list[Warned]:
    """Everything about a tender that should be looked at on a day; a deadline `days` before it."""
    found = [*_of_award(tender), *_of_contract(tender, tables), *(of_payment(tender) if tender.paid_fen else [])]
    deadline = open_deadline(tender, tables)
    if deadline is not None and is_near(deadline, today, days):
        state = "overdue" if deadline.due < today else "near"
        words = {"contract": "the contract is to be signed", "copy": "a copy of the contract is to be filed"}
        detail = f"{words[deadline.what]} by {deadline.due}"
        found.append(Warned(f"{deadline.what}_{state}", detail, tender.tender, deadline.due))
    return found


def _of_award(tender: Tender) -> list[Warned]:
    earliest = earliest_award(tender.published_on)
    if tender.awarded_on is None or tender.awarded_on >= earliest:
        return []
    days = (tender.awarded_on - tender.published_on).days
    detail = f"awarded {days} days after it was published: there were fewer than {BID_DAYS} days to bid"
    return [Warned("short_bid_period", detail, tender.tender, earliest)]


def _of_contract(tender: Tender, tables: Mapping[int, YearTable]) -> list[Warned]:
    found: list[Warned] = []
    due, copy = tender.contract_due, tender.copy_due(tables)
    if due is not None and tender.signed_on is not None and tender.signed_on > due:
        found.append(Warned("contract_late", f"signed {tender.signed_on}, due by {due}", tender.tender, due))
    if copy is not None and tender.copy_filed_on is not None and tender.copy_filed_on > copy.day:
        detail = f"filed {tender.copy_filed_on}, due by {copy.day}"
        found.append(Warned("copy_late", detail, tender.tender, copy.day))
    if copy is not None and copy.assumed and tender.copy_filed_on is None:
        detail = "the holidays of a year are not known yet: Monday to Friday were counted; put_holidays sets it right"
        found.append(Warned("calendar_assumed", detail, tender.tender, copy.day))
    return found


# -- money -----------------------------------------------------------------------------------------------------------


def most_payable(award_fen: int) -> int:
    """The award and a tenth of it: what may be paid at most, supplementary contracts included (art. 49)."""
    return award_fen + award_fen * ADDED_PCT // 100


def may_pay(tender: Tender, amount_fen: int) -> str | None:
    """What forbids a payment; None if nothing does."""
    if tender.awarded_on is None:
        return "nothing was awarded yet"
    paid = tender.paid_fen + amount_fen
    if paid < 0:
        return f"more than the {tender.paid_fen} fen that were paid"
    most = most_payable(tender.award_fen)
    if amount_fen > 0 and paid > most:
        return f"{paid} fen in all; {most} fen are the award and {ADDED_PCT} % for added purchases (政府采购法 第49条)"
    return None


def of_payment(tender: Tender) -> list[Warned]:
    """What should be looked at after a payment."""
    found: list[Warned] = []
    if tender.signed_on is None:
        found.append(Warned("no_contract", "paid before a contract was recorded", tender.tender))
    if tender.paid_fen > tender.award_fen:
        detail = f"{tender.paid_fen - tender.award_fen} fen beyond the award need a supplementary contract"
        found.append(Warned("added_purchase", detail, tender.tender))
    return found


def sums(amount_fen: int, tenders: Iterable[Tender]) -> Sums:
    """What has become of a fund."""
    awarded = [tender for tender in tenders if tender.awarded_on is not None]
    spent = sum(tender.paid_fen for tender in awarded)
    committed = sum(max(0, tender.award_fen - tender.paid_fen) for tender in awarded)
    return Sums(spent, committed, amount_fen - spent - committed)


def of_fund(fund_sums: Sums) -> list[Warned]:
    """What should be looked at about a fund as a whole."""
    if fund_sums.left >= 0:
        return []
    return [Warned("over_fund", f"{-fund_sums.left} fen more were awarded than the fund has")]
