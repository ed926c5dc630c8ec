"""A business: the tenant, its settings, and how it sends."""

import re
from copy import replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from rebound.businesses.domain.frequency import FrequencyCap
from rebound.businesses.domain.holds import AccountHold, LiftedHold
from rebound.businesses.domain.layout_style import Style
from rebound.businesses.domain.quiet_hours import QuietHours
from rebound.businesses.domain.sender_names import filled_name, mailbox
from rebound.businesses.domain.senders import Senders
from rebound.businesses.domain.text_plan import TextPlan
from rebound.contacts.domain.contacts import Recovery
from rebound.contacts.domain.reachability import STANDARD_POLICY, ReachabilityPolicy
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import DEFAULT_TEXT_PROVIDER, Provider
from rebound.kernel.text_senders import kind_of


class DoubleOptIn(Struct, frozen=True):
    """The channels on which marketing needs an opt-in in the recipient's own word (``Consent.is_confirmed``)."""

    email: bool = False
    sms: bool = False

    def is_asked_for(self, channel: Channel) -> bool:
        """Whether marketing on the channel needs a double opt-in."""
        return self.email if channel is Channel.EMAIL else self.sms


class SendingAccount(Struct, frozen=True):
    """An account that messages go out over. ``rate`` is messages a second; ``None`` where the provider reports it."""

    name: str
    rate: float | None = None


EMAIL_ACCOUNT: Final = SendingAccount("ses")
"""SES's rate and quota are those of the AWS account and region, for all businesses of a deployment."""


class AnsweredBy(StrEnum):
    """Who answers STOP, START and HELP where the provider does not say that it has."""

    REBOUND = "rebound"
    TWILIO = "twilio"
    """Twilio answers by itself, which it does for numbers without Advanced Opt-Out unless it was asked not to."""


class TextAnswers(Struct, frozen=True):
    """How the business answers, and is answered, by text.

    ``language`` (ISO 639-1) is for customers who have none of their own, also on the pages behind links and in email
    footers. ``confirmation_words`` are the words that confirm an appointment.
    """

    keywords: AnsweredBy = AnsweredBy.REBOUND
    language: str = "en"
    confirmation_words: tuple[str, ...] = ("C", "CONFIRM", "YES")


class Bundle(StrEnum):
    """What a business can book with whoever runs the stack, who alone can change it."""

    PREMIUM = "premium"
    """With text confirmations."""
    MARKETING = "marketing"
    """With bulk email to ``RECIPIENT_LIMIT`` and more a day."""


BASIC: Final = "basic"
"""What having none is called."""
RECIPIENT_LIMIT: Final = 75
"""Of bulk email on one local day of the business: so many, and none gets it without the marketing bundle."""


class Barrier(StrEnum):
    """What in the settings keeps a message back, whoever it is for."""

    SWITCHED_OFF = "switched_off"
    """The channel is switched off."""
    CONFIRMATIONS_OFF = "confirmations_off"
    NO_BUNDLE = "no_bundle"
    """The bundle has no text confirmations."""
    NO_SENDER = "no_sender"
    """No sender is set for the channel."""
    NO_STOP_URL = "no_stop_url"
    """The text sells, its sender is a name, and it has no link to stop such texts with."""
    NO_ANSWERS = "no_answers"
    """The text asks to be answered, and its sender is a name, which nobody can answer."""


class Switches(Struct, frozen=True):
    """What goes out at all.

    A text confirmation is a text that asks the customer to confirm an appointment by answering it; every other text
    about an appointment is a reminder, for which ``sms`` alone counts. Stored settings call ``sms`` ``text``.
    """

    email: bool = True
    sms: bool = field(default=True, name="text")
    text_confirmations: bool = True


class WantedEvents(Struct, frozen=True):
    """The names of the events that one webhook of the business wants."""

    webhook_id: str
    events: tuple[str, ...]


BUSINESS_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""What whoever runs Rebound may call a business. It stands in keys of rows, tokens, links and the tags of emails."""
NO_BUSINESS_ID: Final = "Must be 1 to 64 of a–z, 0–9, - and _, and begin with a letter or a digit."
RESERVED_IDS: Final = frozenset({"failures"})
"""What stands in the place of a business id in rows that belong to none, and could be one."""


class RecipientOfTests(Struct, frozen=True):
    """An address that tests of campaigns may be sent to, once its owner has said so behind a link."""

    channel: Channel
    address: str
    """An email address, or a number in E.164."""
    confirmed_at: datetime | None = None


MOST_TEST_RECIPIENTS: Final = 5
MIN_TEXT_RATE: Final = 0.1
MAX_TEXT_RATE: Final = 1000.0


class Business(Struct, frozen=True):
    """The settings of one business.

    ``country`` (ISO 3166-1 alpha-2) is where numbers without a country code are read; ``time_zone`` is an IANA name.
    ``email_from_name`` stands beside ``email_from``, with placeholders (``sender_names``); ``reply_to`` is where
    answers to emails go, if not to ``email_from``; ``postal_address`` is one line.
    ``text_from`` is what texts come from (``text_senders``); ``text_rate`` is how many texts it may send a second,
    ``None`` for the minimum of its kind. With ``smart_encoding``, quotes, dashes and the like become plain ones where
    that makes a text smaller. ``senders`` are what the operator has granted; the business chooses among
    them. Loyalty campaigns to the same people are ``loyalty_interval_days`` apart, unless that is ``None``.
    Balances of points may be below zero where ``negative_points`` says so.
    ``message_events`` are the names of events about single messages that the bus is to get, and ``webhooks`` what
    its webhooks want, whose settings are kept elsewhere. While there is a ``hold``, no bulk goes out; ``lifted_holds``
    are those of before. Without a ``text_plan`` nobody counts its texts. ``customers_indexed`` says that the index that
    finds customers has all of its own, which those of a new business are from the start. It is no setting; neither are
    ``has_waivers``, set once one is posted, and ``version``, which counts writes of the stored row.
    ``shares_customers`` is the operator's word that who visits or buys elsewhere on the stack owns their profile here.
    ``booking_block_message`` is what customers who may not book online read, ``None`` for a sentence in their language.
    ``goals_until`` is no setting either: until then, what customers do may reach the goal of a campaign.
    """

    business_id: str
    name: str
    country: str
    time_zone: str
    owner_email: str | None = None
    email_from: str | None = None
    email_from_name: str | None = None
    reply_to: str | None = None
    postal_address: str | None = None
    text_provider: Provider = DEFAULT_TEXT_PROVIDER
    text_from: str | None = None
    text_rate: float | None = None
    smart_encoding: bool = False
    voucher_reward_percent: int = 10
    policy: ReachabilityPolicy = field(default=STANDARD_POLICY)
    recovery: Recovery = field(default_factory=Recovery)
    switches: Switches = field(default_factory=Switches)
    double_opt_in: DoubleOptIn = field(default_factory=DoubleOptIn)
    bundles: frozenset[Bundle] = frozenset(Bundle)
    frequency_caps: tuple[FrequencyCap, ...] = ()
    loyalty_interval_days: int | None = 7
    negative_points: bool = False
    quiet_hours: QuietHours = field(default_factory=QuietHours)
    text_answers: TextAnswers = field(default_factory=TextAnswers)
    layout_style: Style = field(default_factory=Style)
    senders: Senders = field(default_factory=Senders)
    message_events: tuple[str, ...] = ()
    webhooks: tuple[WantedEvents, ...] = ()
    test_recipients: tuple[RecipientOfTests, ...] = ()
    hold: AccountHold | None = None
    lifted_holds: tuple[LiftedHold, ...] = ()
    text_plan: TextPlan | None = None
    customers_indexed: bool = False
    has_waivers: bool = False
    shares_customers: bool = False
    booking_block_message: str | None = None
    goals_until: datetime | None = None
    version: int = 0

    def barrier(
        self, channel: Channel, *, asks_confirmation: bool = False, lacks_stop_url: bool = False
    ) -> Barrier | None:
        """The first setting that keeps the business from sending on a channel; ``None`` when none does.

        ``asks_confirmation`` is for a message that asks the customer to confirm an appointment, ``lacks_stop_url`` for
        a text that sells and can only be stopped by an answer.
        """
        is_email = channel is Channel.EMAIL
        if not (self.switches.email if is_email else self.switches.sms):
            return Barrier.SWITCHED_OFF
        if asks_confirmation and not is_email:
            if not self.switches.text_confirmations:
                return Barrier.CONFIRMATIONS_OFF
            if Bundle.PREMIUM not in self.bundles:
                return Barrier.NO_BUNDLE
            if not self.can_be_texted:
                return Barrier.NO_ANSWERS
        if lacks_stop_url and not is_email and not self.can_be_texted:
            return Barrier.NO_STOP_URL
        return None if self._has_sender(channel) else Barrier.NO_SENDER

    @property
    def confirmed_test_recipients(self) -> tuple[str, ...]:
        """The addresses that tests may be sent to."""
        return tuple(each.address for each in self.test_recipients if each.confirmed_at is not None)

    @property
    def can_be_texted(self) -> bool:
        """Whether the sender of texts is none that nobody can answer."""
        return self.text_from is None or kind_of(self.text_from).takes_answers

    def _has_sender(self, channel: Channel) -> bool:
        """Whether a sender is set for the channel, or the provider needs none."""
        if channel is Channel.EMAIL:
            return self.email_from is not None
        return self.text_from is not None or not self.text_provider.traits.needs_sender

    @property
    def bundle(self) -> str:
        """Which of the two that there once were is booked: ``premium``, or ``basic`` without text confirmations."""
        return Bundle.PREMIUM if Bundle.PREMIUM in self.bundles else BASIC

    def local_day(self, at: datetime) -> date:
        """The date on the business's calendar."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()

    def counts_goals(self, at: datetime) -> bool:
        """Whether what customers do may reach a campaign's goal, as far as is known of that time."""
        return self.goals_until is not None and at <= self.goals_until

    def recipient_limit(self, channel: Channel, category: Category) -> int | None:
        """How many recipients campaigns like this must stay below on one local day together; ``None`` for no limit."""
        is_limited = channel is Channel.EMAIL and category.is_bulk and Bundle.MARKETING not in self.bundles
        return RECIPIENT_LIMIT if is_limited else None

    @property
    def email_sender(self) -> str:
        """What emails come from: ``email_from`` with its name, as a From line has it; empty without an address."""
        if self.email_from is None or self.email_from_name is None:
            return self.email_from or ""
        values = {"business_name": self.name, "postal_address": self.postal_address or ""}
        return mailbox(filled_name(self.email_from_name, values), self.email_from)

    def is_capped(self, category: Category, channel: Channel) -> bool:
        """Whether any cap counts such messages; where none does, nothing is read or written for caps."""
        return any(cap.covers(category, channel) for cap in self.frequency_caps)

    @property
    def language(self) -> str:
        """The language in which Rebound itself writes to customers who have none of their own."""
        return self.text_answers.language

    @property
    def text_account(self) -> SendingAccount:
        """The account that the business's texts go out over; businesses with the same sender share its rate."""
        provider, sender = self.text_provider, self.text_from
        name = f"{provider}#{sender}" if provider.traits.rates_senders else str(provider)
        return SendingAccount(name, self.text_rate or provider.traits.rate_of(sender))


def for_tests(business: Business) -> Business:
    """The settings under which tests are sent: at any hour, however many, to whoever has confirmed that."""
    return replace(
        business, quiet_hours=QuietHours(sms=None, email=None), frequency_caps=(), double_opt_in=DoubleOptIn()
    )


class Recopying(Struct, frozen=True):
    """A copying of all flags of a business, or the rest of one that ran out of time.

    ``cursor`` is where to go on, and ``began_under`` the policy that was in force when the first page was copied. One
    that ``fills`` goes through the customers in the same way, copies no flags, and writes the index by which they are
    found.
    """

    business_id: str
    cursor: str | None = None
    began_under: ReachabilityPolicy | None = None
    fills: bool = False
