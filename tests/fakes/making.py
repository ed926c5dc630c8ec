"""Domain objects with everything filled in but what a test is about."""

from collections import defaultdict
from collections.abc import Mapping
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.quiet_hours import QuietHours
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.campaigns.domain.chunks import Chunk, ChunkKey
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import Content, EmailContent, TextContent

NOON: Final = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
BUSINESS_ID: Final = "salon-juniper"
CAMPAIGN_ID: Final = "01M7W6ARGFEXM6PVNM0V1C8F0N"
RUN_ID: Final = "01M7W6C3805FEE6AD6R1F2WA02"
GREETING: Final = EmailContent("Hello ##{{first_name}}", "<p>Hi ##{{first_name}}</p>", "Hi ##{{first_name}}")
SHORT_GREETING: Final = TextContent("Hi ##{{first_name}}")
NO_SUCH_MAILBOX: Final = "Permanent/NoEmail"
SOFT: Final = "Transient/General"
NO_QUIET_HOURS: Final = QuietHours(sms=None, email=None)


def at(seconds: float = 0) -> datetime:
    """A time so many seconds after noon of the day on which all tests happen."""
    return NOON + timedelta(seconds=seconds)


def id_of(number: int) -> str:
    """The customer id with a number, which spreads over the whole id space as real ids do."""
    return f"{(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % (1 << 128):032x}"


def business(**given: Any) -> Business:
    defaults: dict[str, Any] = {
        "business_id": BUSINESS_ID,
        "name": "Salon Juniper",
        "country": "US",
        "time_zone": "America/New_York",
        "email_from": "hello@juniper.example.com",
        "text_from": "+14155550100",
        "text_rate": 1000.0,
        "text_provider": Provider.TWILIO,
        "quiet_hours": NO_QUIET_HOURS,
    }
    return Business(**{**defaults, **given})


def customer(number: int = 1, **given: Any) -> Customer:
    defaults: dict[str, Any] = {
        "business_id": BUSINESS_ID,
        "customer_id": id_of(number),
        "first_name": f"Ana{number}",
        "last_name": "Silva",
        "created_at": NOON,
        "updated_at": NOON,
        "email": f"ana{number}@example.com",
        "mobile_phone": f"+1415556{number:04d}",
    }
    return Customer(**{**defaults, **given})


def contacts_of(*customers: Customer) -> list[Contact]:
    """The contacts of new customers, as they are before their first write."""
    users: defaultdict[ContactKey, set[str]] = defaultdict(set)
    for each in customers:
        for key in each.contact_keys:
            users[key].add(each.customer_id)
    return [Contact(key, customer_ids=frozenset(ids)) for key, ids in users.items()]


def campaign(channel: Channel = Channel.EMAIL, **given: Any) -> Campaign:
    content: Content = GREETING if channel is Channel.EMAIL else SHORT_GREETING
    defaults: dict[str, Any] = {
        "business_id": BUSINESS_ID,
        "campaign_id": CAMPAIGN_ID,
        "name": "Autumn offer",
        "category": Category.MARKETING,
        "channel": channel,
        "selection": Selection(filter={"all": []}),
        "content": content,
        "created_at": NOON,
        "status": CampaignStatus.EXPANDING,
    }
    return Campaign(**{**defaults, **given})


def message_key(number: int = 1, message_id: str = RUN_ID) -> MessageKey:
    return MessageKey(BUSINESS_ID, id_of(number), message_id)


def message(number: int = 1, status: MessageStatus = MessageStatus.SENT, **given: Any) -> Message:
    defaults: dict[str, Any] = {
        "key": message_key(number),
        "channel": Channel.EMAIL,
        "category": Category.MARKETING,
        "address": f"ana{number}@example.com",
        "status": status,
        "campaign_id": CAMPAIGN_ID,
        "queued_at": NOON,
    }
    return Message(**{**defaults, **given})


def receipt(outcome: Outcome = Outcome.DELIVERED, seconds: float = 0, **given: Any) -> Receipt:
    defaults: dict[str, Any] = {
        "provider": Provider.SES,
        "outcome": outcome,
        "occurred_at": at(seconds),
        "key": message_key(),
    }
    return Receipt(**{**defaults, **given})


def contact_key(number: int = 1, channel: Channel = Channel.EMAIL) -> ContactKey:
    key = customer(number).contact_key(channel)
    assert key is not None
    return key


def chunk(name: str = "chunk#000#0000000", recipients: int = 3, **given: Any) -> Chunk:
    ids = tuple(id_of(number) for number in range(1, recipients + 1))
    new = Chunk(ChunkKey(BUSINESS_ID, CAMPAIGN_ID, name), ids, ids, created_at=NOON)
    return replace(new, **given)


def everybody() -> Mapping[str, Any]:
    return {"all": []}


def bare(event: Any) -> Any:
    """An event without what is added to it when it is published."""
    added = {"event_id": None, "occurred_at": None, "external_ids": (), "external_id": None}
    return replace(event, **{name: value for name, value in added.items() if name in event.__struct_fields__})
