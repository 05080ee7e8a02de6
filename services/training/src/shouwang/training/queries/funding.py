"""What has become of a fund, and which deadlines are near."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.doors import View, lookups
from shouwang.common.problems import Problem
from shouwang.contracts.training.funding import Fund, FundList, FundNow, Funds, FundSums, TenderNow
from shouwang.training import SERVICE
from shouwang.training.domain import funding as rules
from shouwang.training.domain.days import day_of
from shouwang.training.domain.funding import Tender
from shouwang.training.domain.workdays import YearTable
from shouwang.training.handlers.funding import said_of
from shouwang.training.handlers.parts import Now, Rules
from shouwang.training.store import funding

router: NatsRouter = lookups()
AT_ONCE = 4


@router.subscriber(Funds.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def funds(ask: Funds, view: View) -> FundList:
    """All funds, or those of a year."""
    of_fund: dict[str, list[Tender]] = defaultdict(list)
    for row in await funding.tenders_of(view):
        of_fund[row.fund].append(funding.as_tender(row))
    rows = await funding.fund_list(view, ask.year)
    return FundList(funds=[FundSums(**_sums(row, of_fund[row.fund])) for row in rows])


@router.subscriber(Fund.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def fund(ask: Fund, view: View, clock: Now, settings: Rules) -> FundNow:
    """One fund, its tenders, and what should be looked at today."""
    row, today = await funding.fund(view, ask.fund), day_of(clock())
    if row is None:
        raise Problem.of_field("fund", f"{ask.fund} is not known", 404)
    rows, tables = await funding.tenders_of(view, ask.fund), await funding.year_tables(view)
    tenders = [funding.as_tender(one) for one in rows]
    sums = rules.sums(row.amount_fen, tenders)
    warned = [w for tender in tenders for w in rules.warnings(tender, today, settings.deadline_days, tables)]
    return FundNow(
        **_sums(row, tenders),
        tenders=[_tender(one, tender, tables) for one, tender in zip(rows, tenders, strict=True)],
        warnings=said_of([*rules.of_fund(sums), *warned]),
    )


def _sums(row: Row[Any], tenders: Sequence[Tender]) -> dict[str, Any]:
    sums = rules.sums(row.amount_fen, tenders)
    return {**row._mapping, "spent_fen": sums.spent, "committed_fen": sums.committed, "left_fen": sums.left}


def _tender(row: Row[Any], tender: Tender, tables: Mapping[int, YearTable]) -> TenderNow:
    due = tender.copy_due(tables)
    known = {
        "status": tender.status, "contract_due": tender.contract_due, "copy_due": due and due.day,
        "keep_until": tender.keep_until,
    }  # fmt: skip
    return TenderNow.model_validate({**row._mapping, **known})
