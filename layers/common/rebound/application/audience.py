"""From customers to decisions: the part that preview and expansion share, so that a preview is what a send would do."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from rebound.application.ports import ContactBook
from rebound.domain.business import Business
from rebound.domain.campaigns import Audience, Campaign, CampaignStatus, Category, Selection, TextContent
from rebound.domain.channels import Channel
from rebound.domain.customers import Customer
from rebound.domain.eligibility import Exclusion, decide
from rebound.domain.segments import Matcher


@dataclass(frozen=True, slots=True)
class Selected:
    """Who of some customers is meant, and who of those gets the message."""

    audience: Audience
    recipients: tuple[str, ...]


def select(
    customers: Sequence[Customer], matcher: Matcher, contacts: ContactBook, business: Business, campaign: Campaign
) -> Selected:
    """Decide for the customers that match, on the contacts as they were a moment ago: the sender decides again."""
    matched = [customer for customer in customers if matcher(customer)]
    keys = {customer.customer_id: customer.contact_key(campaign.channel) for customer in matched}
    known = contacts.get_many({key for key in keys.values() if key is not None}, consistent=False)
    excluded: Counter[str] = Counter()
    recipients: list[str] = []
    for customer in matched:
        key = keys[customer.customer_id]
        decision = decide(customer, known[key] if key is not None else None, business, campaign)
        if isinstance(decision, Exclusion):
            excluded[decision] += 1
        else:
            recipients.append(customer.customer_id)
    return Selected(Audience(len(matched), MappingProxyType(dict(excluded))), tuple(recipients))


def missing(customer_ids: Sequence[str], found: Mapping[str, Customer]) -> Audience:
    """The listed customers that do not exist: meant, and left out."""
    absent = sum(customer_id not in found for customer_id in customer_ids)
    return Audience(absent, MappingProxyType({Exclusion.NOT_FOUND: absent} if absent else {}))


def supposed_campaign(
    business_id: str,
    channel: Channel,
    category: Category,
    now: datetime,
    *,
    filter_: Mapping[str, Any] | None = None,
    exclude_failed: bool = True,
) -> Campaign:
    """A campaign that nobody posts, to ask what would happen if somebody did."""
    return Campaign(
        business_id=business_id,
        campaign_id="",
        name="",
        category=category,
        channel=channel,
        selection=Selection(filter=filter_),
        content=TextContent(""),
        created_at=now,
        status=CampaignStatus.EXPANDING,
        exclude_failed=exclude_failed,
    )
