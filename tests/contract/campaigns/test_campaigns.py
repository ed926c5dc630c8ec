"""Campaigns: one suite against the fake and the tables."""

from copy import replace
from datetime import date, datetime

import pytest

from rebound.campaigns.domain.campaigns import CampaignStatus, FinalWords, Rollback, single_id
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.ids import derived_ulid, id_of_external
from rebound.messages.domain.goals import Goal, GoalKind
from rebound.messages.domain.variants import Split, Variant
from rebound.messages.domain.vouchers import Voucher, VoucherKind
from rebound.messages.domain.winners import Because, Choice, ChosenBy, Untried, WinnerRule
from rebound.segments.domain.matching import Moment
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import EmailContent, MadeFrom, TemplateContent, TextContent
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    CAMPAIGN_ID,
    at,
    campaign,
    id_of,
)

CAMPAIGNS = [
    campaign(),
    campaign(
        Channel.SMS,
        selection=Selection(customer_ids=(id_of(2), id_of(1))),
        content=TextContent("é"),
        include_customer_ids=frozenset({id_of(3)}),
        exclude_failed=False,
        send_at=at(60),
        local_time=datetime(2026, 12, 1, 9, 30),  # noqa: DTZ001 - a clock on the wall
        expires_at=at(7200),
        started_at=at(61),
        completed_at=at(62.000001),
        run_id="run",
        failure="No such segment.",
        status=CampaignStatus.FAILED,
    ),
    campaign(
        status=CampaignStatus.PAUSED,
        paused_because="Too much bounced.",
        window=2,
        bounce_warning=FinalWords(1000, 3, 51),
        rollback=Rollback("01M7W6ARGFEXM6PVNM0V1C8F0N", at(70), since=at(60.5), bounces=3, done=True),
    ),
    campaign(
        selection=Selection(
            "vips", {"segment": "x", "filter": {"tag": "vip"}}, as_of=Moment(at(3), date(2026, 11, 20))
        ),
        content=EmailContent("s", None, "t"),
    ),
    campaign(name="", single=True, campaign_id="single-1", appointment_id="a-1", asks_confirmation=True),
    campaign(single=True, campaign_id="single-2", asks_consent=True),
    campaign(
        voucher=Voucher(
            kind=VoucherKind.AMOUNT,
            value="10.00",
            currency="EUR",
            valid_from="2026-12-01",
            valid_until="2026-12-31T10:00:00.000Z",
            number=7,
        )
    ),
    campaign(voucher=Voucher(kind=VoucherKind.FREE_MINUTES, value="30", valid_days=14)),
    campaign(
        split=Split(
            "another",
            (
                Variant("A", 3_334, TextContent("Hello.", EmailContent("Hello", None, "Hello."))),
                Variant("B", 6_666, TextContent("Hi.")),
            ),
            1_250,
            WinnerRule(2_000, 24, ChosenBy.GOAL, 5),
            at(86_400),
            Choice("B", Because.MORE, 7),
            Untried(7, at(900)),
        ),
        goal=Goal(GoalKind.VISIT, 14),
    ),
    campaign(
        selection=Selection(
            customer_ids=tuple(id_of_external(BUSINESS_ID, each) for each in ("é/1", "7")),
            external_ids=("é/1", "7", "7 "),
        ),
        include_customer_ids=frozenset({id_of(3), id_of_external(BUSINESS_ID, "8")}),
        include_external_ids=frozenset({"8"}),
        exclude_customer_ids=frozenset({id_of(4), id_of_external(BUSINESS_ID, "9")}),
        exclude_external_ids=frozenset({"9"}),
    ),
    campaign(
        content=TemplateContent(
            MadeFrom("class.email", 3, {"price": {"amount": "12.50", "currency": "EUR"}, "é": "ü"}), mark="[Test] "
        )
    ),
    campaign(content=TemplateContent(MadeFrom("class.email"))),
]


@pytest.mark.parametrize(
    "what",
    CAMPAIGNS,
    ids=[
        "filter",
        "list",
        "paused",
        "segment",
        "single",
        "question",
        "voucher",
        "minutes",
        "variants",
        "own-ids",
        "template",
        "draft",
    ],
)
def test_a_campaign_is_kept_whole(ports: EveryPorts, what: object) -> None:
    given = next(known for known in CAMPAIGNS if known is what)
    ports.campaigns.add(given)

    assert ports.campaigns.get(BUSINESS_ID, given.campaign_id) == replace(given, version=1)


def test_a_campaign_is_added_once(ports: EveryPorts) -> None:
    ports.campaigns.add(campaign())
    with pytest.raises(ConcurrentChangeError):
        ports.campaigns.add(campaign(name="Another"))


def test_a_campaign_is_replaced_if_nobody_wrote_it_since_it_was_read(ports: EveryPorts) -> None:
    ports.campaigns.add(campaign())
    read = ports.campaigns.get(BUSINESS_ID, CAMPAIGN_ID)
    ports.campaigns.replace(read, replace(read, status=CampaignStatus.PAUSED))
    with pytest.raises(ConcurrentChangeError):
        ports.campaigns.replace(read, replace(read, status=CampaignStatus.FAILED))
    paused = ports.campaigns.get(BUSINESS_ID, CAMPAIGN_ID)
    ports.campaigns.replace(paused, replace(paused, status=read.status))
    # The status is what it was, and still it is not the campaign that was read.
    with pytest.raises(ConcurrentChangeError):
        ports.campaigns.replace(read, replace(read, status=CampaignStatus.FAILED))

    assert ports.campaigns.get(BUSINESS_ID, CAMPAIGN_ID) == replace(read, version=3)
    with pytest.raises(ConcurrentChangeError):
        ports.campaigns.replace(campaign(campaign_id="new"), campaign(campaign_id="new"))


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_campaigns_come_newest_first_without_single_messages(ports: EveryPorts, limit: int) -> None:
    ids = [f"01M7W6ARGFEXM6PVNM0V1C8F0{n}" for n in range(3)]
    for name in ids:
        ports.campaigns.add(campaign(campaign_id=name))
        ports.campaigns.add(campaign(campaign_id=f"single-{name}", single=True))
    ports.campaigns.add(campaign(business_id="other"))
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(9):
        page = ports.campaigns.page(BUSINESS_ID, limit, cursor)
        seen.extend(item.campaign_id for item in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == ids[::-1]


def test_single_messages_are_counted_from_a_time_on_and_no_further_than_asked(ports: EveryPorts) -> None:
    for seconds in (1, 2, 3):
        made = at(seconds)
        ports.campaigns.add(campaign(campaign_id=single_id(derived_ulid(made, "x")), single=True, created_at=made))
        ports.campaigns.add(campaign(campaign_id=derived_ulid(made, "y"), created_at=made))
    ports.campaigns.add(campaign(business_id="cedar", campaign_id=single_id(derived_ulid(at(3), "x")), single=True))

    assert [ports.single_messages.count_since(BUSINESS_ID, at(since), 10) for since in (0, 1, 2.5, 3)] == [3, 2, 1, 0]
    assert ports.single_messages.count_since(BUSINESS_ID, at(0), 2) == 2
