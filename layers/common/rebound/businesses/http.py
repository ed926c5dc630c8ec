"""The settings of a business: shapes. Their routes are in ``preferences``, as a change may ask somebody."""

import re
from datetime import time
from enum import StrEnum
from operator import attrgetter
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from rebound.businesses.domain.business import (
    BASIC,
    MAX_TEXT_RATE,
    MIN_TEXT_RATE,
    MOST_TEST_RECIPIENTS,
    RECIPIENT_LIMIT,
    AnsweredBy,
    Bundle,
    Business,
    TextAnswers,
)
from rebound.businesses.domain.frequency import (
    HIGHEST_CAP,
    LONGEST_LOYALTY_INTERVAL,
    LONGEST_WITHIN_DAYS,
    MOST_CAPS,
    FrequencyCap,
)
from rebound.businesses.domain.layout_style import Style, all_of
from rebound.businesses.domain.quiet_hours import HELD_UNLESS_SAID, QuietWindow
from rebound.businesses.domain.sender_names import VARIABLES
from rebound.contacts.domain.reachability import HIGHEST_COUNT, PolicyPreset, ReachabilityPolicy, counts_of, policy_of
from rebound.kernel.categories import Category
from rebound.kernel.channels import MAX_EMAIL, MAX_PHONE, Channel
from rebound.kernel.events import MESSAGE_EVENTS
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.local_time import MAX_ZONE
from rebound.kernel.provider_codes import DEFAULT_TEXT_PROVIDER, TEXT_PROVIDERS
from rebound.kernel.written_text import one_line
from rebound.platform.http.shapes import Answer, DocumentedAs, Line, Request, Time, one_of, text_of

FORMER: Final[dict[str, Any]] = {"deprecated": True}
"""In the OpenAPI document: a name from before."""


class PolicyCounts(Request):
    """How many failures of a class in a row make an address invalid; a class that is left out never does."""

    invalid: int | None = Field(default=None, ge=1, le=HIGHEST_COUNT, description="The address is bad.")
    unreachable: int | None = Field(default=None, ge=1, le=HIGHEST_COUNT, description="Out of reach this time.")


class PolicyRequest(Request):
    """When failures make an address invalid: a preset, or with ``custom`` the counts of one's own."""

    preset: Annotated[PolicyPreset, Field(strict=False)] = Field(
        description="strict: only addresses that do not exist; standard: bad addresses and full mailboxes at once, "
        "unreachable ones after 5 failures in a row; custom: as counts say.",
    )
    counts: PolicyCounts | None = Field(default=None, description="Only with custom, and required there.")

    def read(self) -> ReachabilityPolicy:
        """The policy. Raises ``InvalidInputError``."""
        return policy_of(self.preset, None if self.counts is None else self.counts.model_dump(exclude_none=True))


class PolicyAnswer(Answer):
    """When failures make an address invalid."""

    preset: PolicyPreset
    counts: dict[str, int] | None = Field(
        description="Failures in a row by class (invalid, unreachable), with the preset custom."
    )

    @model_validator(mode="before")
    @classmethod
    def _of(cls, policy: ReachabilityPolicy) -> dict[str, Any]:
        return {"preset": policy.preset, "counts": counts_of(policy)}


class RecoveryRequest(Request):
    """How addresses that are flagged for a cause that passes are tried again; an option left out keeps its value."""

    spaced: bool = Field(
        default=False,
        description="Try everything but marketing only 1, 2, 4 … 32 days after the last failure, not every time.",
    )
    probe_marketing: bool = Field(
        default=False, description="Let one marketing message through on the same schedule, instead of none."
    )


class RecoveryAnswer(Answer):
    """How addresses that are flagged for a cause that passes (a full mailbox, an unreachable phone) are tried again."""

    spaced: bool
    probe_marketing: bool


class SwitchesRequest(Request):
    """What goes out at all; a switch left out keeps its value."""

    email: bool = Field(default=True, description="Off: nothing goes out by email, whatever it is.")
    sms: bool = Field(default=True, description="Off: nothing goes out by text, whatever it is.")
    text: bool = Field(default=True, description="Another name of sms, from before.", json_schema_extra=FORMER)
    text_confirmations: bool = Field(
        default=True,
        description="Off: no texts that ask the customer to confirm an appointment (asks_confirmation). On, they need "
        "the premium bundle too.",
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if {"sms", "text"} <= self.model_fields_set and self.sms != self.text:
            raise ValueError("The switch sms is also called text, and the two differ: leave text out.")
        return self

    def read(self) -> dict[str, bool]:
        """The switches that are named, by the names that they have now."""
        return {"sms" if name == "text" else name: on for name, on in self if name in self.model_fields_set}


class SwitchesAnswer(Answer):
    """What goes out at all."""

    email: bool
    sms: bool
    text: bool = Field(validation_alias=AliasChoices("sms"), description="The same as sms.", json_schema_extra=FORMER)
    text_confirmations: bool


class DoubleOptInRequest(Request):
    """Where marketing goes only to those who have confirmed that they want it; a channel left out keeps its value."""

    email: bool = Field(default=False, description="Marketing by email only after a confirmation.")
    sms: bool = Field(default=False, description="Marketing by text only after a YES, or any other START word.")


class DoubleOptInAnswer(Answer):
    """Where marketing goes only to those who have confirmed that they want it."""

    email: bool
    sms: bool


class FrequencyCapRequest(Request):
    """How many messages of some kinds one customer may get within some days."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(one_line)] = Field(
        description="What it is called where it keeps a message back; no two have the same name."
    )
    categories: Annotated[list[Annotated[Category, Field(strict=False)]], Field(min_length=1)] = Field(
        description="The kinds of messages that count, and that are held to it."
    )
    channel: Annotated[Channel, Field(strict=False)] | None = Field(
        default=None, description="Only messages on this channel; null for those on all channels together."
    )
    at_most: Annotated[int, Field(ge=1, le=HIGHEST_CAP)]
    within_days: Annotated[int, Field(ge=1, le=LONGEST_WITHIN_DAYS)] = Field(
        description="Rolling and exact: a message counts for so many times 24 hours from its hand-over."
    )
    per_segment: bool = Field(
        default=False,
        description="Count the messages of campaigns for different saved segments apart; everything that is sent "
        "without a segment_id counts together.",
    )

    def read(self) -> FrequencyCap:
        """The cap."""
        return FrequencyCap(**{**dict(self), "categories": tuple(dict.fromkeys(self.categories))})


class FrequencyCapAnswer(Answer):
    """How many messages of some kinds one customer may get within some days."""

    name: str
    categories: list[Category]
    channel: Channel | None
    at_most: int
    within_days: int
    per_segment: bool


def _named_apart(caps: list[FrequencyCapRequest]) -> list[FrequencyCapRequest]:
    names = [cap.name.strip().casefold() for cap in caps]
    if len(set(names)) < len(names):
        raise ValueError("No two caps may have the same name.")
    return caps


_WAITING: Final = sorted(
    (each for each in Category if each in HELD_UNLESS_SAID), key=lambda category: not category.is_promotional
)
"""What sells comes first."""
CLOCK: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_ON_A_CLOCK: Final = re.compile(CLOCK)


def _clock_time(value: str) -> str:
    if not _ON_A_CLOCK.fullmatch(value):
        raise ValueError("Must be a time of day as HH:MM, from 00:00 to 23:59.")
    return value


ClockTime = Annotated[
    str,
    AfterValidator(_clock_time),
    text_of(pattern=CLOCK),
    Field(description="HH:MM, as the recipient's clock shows it.", examples=["21:00"]),
]


class QuietWindowRequest(Request):
    """From when until when messages wait; the same both ways is no window: ``null`` in its place switches it off."""

    from_: ClockTime = Field(alias="from")
    until: ClockTime = Field(description="The first minute that is allowed again; over midnight if it is earlier.")
    categories: Annotated[list[Annotated[Category, Field(strict=False)]], Field(min_length=1)] = Field(
        default_factory=lambda: sorted(HELD_UNLESS_SAID),
        description=f"What waits; the rest goes out at any hour. If left out: {', '.join(_WAITING)}.",
    )

    @model_validator(mode="after")
    def _is_a_window(self) -> Self:
        if self.from_ == self.until:
            raise ValueError("from and until must differ; null in place of the window switches it off.")
        return self

    def read(self) -> QuietWindow:
        """The window."""
        return QuietWindow(time.fromisoformat(self.from_), time.fromisoformat(self.until), frozenset(self.categories))


class QuietHoursRequest(Request):
    """Per channel, a window or ``null`` for none; a channel that is left out keeps what it has."""

    sms: QuietWindowRequest | None = None
    email: QuietWindowRequest | None = None


class QuietWindowAnswer(Answer):
    """From when until when messages of some kinds wait, by the recipient's clock."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    from_: Annotated[str, text_of(pattern=CLOCK)] = Field(serialization_alias="from")
    until: Annotated[str, text_of(pattern=CLOCK)]
    categories: list[Category]

    @model_validator(mode="before")
    @classmethod
    def _of(cls, window: QuietWindow) -> dict[str, Any]:
        clock = {"from_": f"{window.start:%H:%M}", "until": f"{window.end:%H:%M}"}
        return {**clock, "categories": sorted(window.categories)}


class QuietHoursAnswer(Answer):
    """When messages wait instead of being handed over; null where they never do."""

    sms: QuietWindowAnswer | None
    email: QuietWindowAnswer | None


class TextAnswersRequest(Request):
    """How the business answers, and is answered, by text; an option left out keeps its value."""

    keywords: Annotated[AnsweredBy, Field(strict=False)] = Field(
        default=AnsweredBy.REBOUND,
        description="Who answers STOP, START and HELP: rebound, except where Twilio says that it has (OptOutType), or "
        "twilio, where it answers by itself without saying so.",
    )
    language: Annotated[str, one_of(LANGUAGES)] = Field(
        default="en",
        description="Of answers, footers and the pages behind links, for customers without one: de, en, es, fr, it or "
        "pt.",
    )
    confirmation_words: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=20)]], Field(min_length=1, max_length=10)
    ] = Field(
        default_factory=lambda: list(TextAnswers().confirmation_words),
        description="The words by which a customer confirms an appointment, in any case.",
    )


class TextAnswersAnswer(Answer):
    """How the business answers, and is answered, by text."""

    keywords: AnsweredBy
    language: Annotated[str, one_of(LANGUAGES)]
    confirmation_words: list[str]


Email = Annotated[str, text_of(maxLength=MAX_EMAIL)]
MAX_SENDER: Final = max(MAX_PHONE, len("MG") + 32)


class TextProvider(StrEnum):
    """Who carries the business's texts."""

    vars().update({provider.name: provider.value for provider in TEXT_PROVIDERS})


_OF_MESSAGES: Final = "The events about each single message that the event bus gets; none unless it is asked for."


def _style_shape() -> object:
    from rebound.platform.http.struct_shapes import model_of  # noqa: PLC0415 - only for the document

    return model_of(Style)


class BusinessChangeRequest(Request):
    """Fields to set; ``null`` empties one that may be empty."""

    name: Line = Field(default="", description="1 to 200 characters.")
    country: Annotated[str, text_of(pattern="^[A-Za-z]{2}$")] = Field(
        default="", description="ISO 3166-1 alpha-2; numbers without a country code are read in it."
    )
    time_zone: Annotated[str, text_of(maxLength=MAX_ZONE)] = Field(default="", description="IANA name.")
    owner_email: Email | None = None
    email_from: Email | None = Field(default=None, description="One of senders.email.")
    email_from_name: Annotated[Line, AfterValidator(one_line)] | None = Field(
        default=None,
        description="The name that emails come from, beside email_from; quoted and encoded as it must be. It may have "
        f"{' and '.join(f'##{{{{{name}}}}}' for name in VARIABLES)}.",
        examples=["##{{business_name}}, front desk"],
    )
    reply_to: Email | None = Field(default=None, description="Where answers to emails go; null for email_from.")
    postal_address: Annotated[Line, AfterValidator(one_line)] | None = Field(
        default=None,
        description="On one line. Emails that sell say it, in the footer or where ##{{postal_address}} stands.",
        examples=["12 High Street, Springfield, OR 97477, USA"],
    )
    text_provider: Annotated[TextProvider, Field(strict=False)] = TextProvider(DEFAULT_TEXT_PROVIDER)
    text_from: Annotated[str, text_of(maxLength=MAX_SENDER)] | None = Field(
        default=None,
        description="One of senders.sms: a phone number, a short code, a Twilio messaging service (MG…), or a name of "
        "up to 11 characters where the country allows it. Nobody can answer a name: texts that sell must then have "
        "##{{stop_url}}, and none can ask for a confirmation.",
    )
    text_rate: Annotated[float, Field(ge=MIN_TEXT_RATE, le=MAX_TEXT_RATE, strict=False)] | None = Field(
        default=None,
        description="Texts a second that the sender may send, as the provider has granted; null for what its kind "
        f"allows at least: {', '.join(provider.traits.rates for provider in TEXT_PROVIDERS)}. Where others send over "
        "the same account or sender, only whoever runs Rebound can set more than that.",
    )
    negative_points: bool = Field(
        default=False, description="Whether points may be taken off a customer who has fewer: a balance below 0."
    )
    smart_encoding: bool = Field(
        default=False,
        description="Replace typographic quotes, dashes, spaces and the like by plain ones before a text is sent, "
        "where it then takes fewer segments; letters stay. POST /v1/texts/measure shows the difference.",
    )
    voucher_reward_percent: Annotated[int, Field(ge=0, le=100, description="Of what vouchers brought in.")] = 10
    policy: PolicyRequest = Field(default_factory=lambda: PolicyRequest(preset=PolicyPreset.STANDARD))
    recovery: RecoveryRequest = Field(default_factory=RecoveryRequest)
    switches: SwitchesRequest = Field(default_factory=SwitchesRequest)
    double_opt_in: DoubleOptInRequest = Field(default_factory=DoubleOptInRequest)
    frequency_caps: Annotated[list[FrequencyCapRequest], Field(max_length=MOST_CAPS), AfterValidator(_named_apart)] = (
        Field(
            default_factory=list,
            description="All caps, in place of those that there are. A message is left out (frequency_cap) when one of "
            "those that cover it has no room. A cap counts what has been handed over since it was set.",
        )
    )
    loyalty_interval_days: Annotated[int, Field(ge=1, le=LONGEST_LOYALTY_INTERVAL)] | None = Field(
        default=7,
        description="How many days loyalty campaigns to the same saved segment or tier are apart at least; those to "
        "neither count together. null for no limit.",
    )
    quiet_hours: QuietHoursRequest = Field(default_factory=QuietHoursRequest)
    text_answers: TextAnswersRequest = Field(default_factory=TextAnswersRequest)
    layout_style: Annotated[dict[str, Any], DocumentedAs(_style_shape)] | None = Field(
        default=None,
        description="Colours and fonts of all layouts that do not say others; an option that is left out keeps its "
        "value, null gives one its default, or all of them.",
    )
    message_events: Annotated[list[Annotated[str, one_of(MESSAGE_EVENTS)]], Field(max_length=len(MESSAGE_EVENTS))] = (
        Field(default_factory=list, description=f"{_OF_MESSAGES} Webhooks get those that they name, whatever is here.")
    )
    test_recipients: Annotated[
        list[Annotated[str, StringConstraints(min_length=3, max_length=MAX_EMAIL)]],
        Field(max_length=MOST_TEST_RECIPIENTS),
    ] = Field(
        default_factory=list,
        description="Email addresses and numbers that tests of campaigns may be sent to, in place of those that there "
        "are. Each gets a message with a link, at most once a day, and counts once its owner has confirmed it there. "
        "Naming one again asks again.",
    )
    booking_block_message: Annotated[Line, AfterValidator(one_line)] | None = Field(
        default=None, description="For customers with the online_booking block; null for a sentence in their language."
    )


class FormerBundle(StrEnum):
    """The bundles that there once were."""

    BASIC = BASIC
    PREMIUM = Bundle.PREMIUM.value


class SendersAnswer(Answer):
    """What a business may send from: email addresses; numbers, short codes, Twilio messaging services and names."""

    email: list[str]
    sms: list[str]
    text: list[str] = Field(
        validation_alias=AliasChoices("sms"), description="The same as sms.", json_schema_extra=FORMER
    )


class HoldAnswer(Answer):
    """A hold on an account that mostly sends bulk: campaigns that need consent to marketing are refused."""

    since: Time
    bulk: int = Field(description="Recipients of its campaigns within the 30 days before, or since the last hold.")
    single: int = Field(description="Its single messages in the same time.")
    contact: str = Field(description="Whom to ask.")


class LiftedHoldAnswer(Answer):
    """A hold that the operator has lifted."""

    since: Time
    lifted_at: Time
    reason: str


class BusinessAnswer(Answer):
    """The settings of a business."""

    business_id: str
    name: str
    country: str
    time_zone: str
    owner_email: str | None
    email_from: str | None
    email_from_name: str | None
    reply_to: str | None
    postal_address: str | None
    text_provider: TextProvider
    text_from: str | None
    text_rate: float | None
    smart_encoding: bool
    negative_points: bool
    voucher_reward_percent: int
    policy: PolicyAnswer
    recovery: RecoveryAnswer
    switches: SwitchesAnswer
    double_opt_in: DoubleOptInAnswer
    text_answers: TextAnswersAnswer
    layout_style: Annotated[dict[str, Any], BeforeValidator(all_of), DocumentedAs(_style_shape)]
    bundles: Annotated[list[Bundle], BeforeValidator(sorted)] = Field(
        description="What the business has booked: premium comes with text confirmations, marketing with bulk email to "
        f"{RECIPIENT_LIMIT} recipients and more a day. Only whoever runs Rebound can change it."
    )
    bundle: FormerBundle = Field(description="premium if it is among bundles, else basic.", json_schema_extra=FORMER)
    frequency_caps: list[FrequencyCapAnswer]
    loyalty_interval_days: int | None
    quiet_hours: QuietHoursAnswer
    message_events: list[Annotated[str, one_of(MESSAGE_EVENTS)]] = Field(description=_OF_MESSAGES)
    test_recipients: list[Annotated[str, BeforeValidator(attrgetter("address"))]] = Field(
        description="Whom tests of campaigns may be sent to, confirmed or not."
    )
    confirmed_test_recipients: list[str] = Field(description="Those of them who have confirmed it.")
    booking_block_message: str | None
    senders: SendersAnswer = Field(description="What email_from and text_from are chosen from; the operator grants it.")
    hold: HoldAnswer | None = Field(description="Only whoever runs Rebound can lift it. null while there is none.")
    lifted_holds: list[LiftedHoldAnswer] = Field(description="Those of before, the latest last; at most 20.")

    @classmethod
    def of(cls, business: Business) -> Self:
        """The answer for a business."""
        return cls.model_validate(business, from_attributes=True)


def given(request: Request) -> dict[str, Any]:
    """What a request names, as the settings have it."""
    return {name: _read(value) for name, value in request if name in request.model_fields_set}


def _read(value: object) -> object:
    match value:
        case PolicyRequest() | QuietWindowRequest() | FrequencyCapRequest() | SwitchesRequest():
            return value.read()
        case Request():
            return given(value)
        case list():
            return tuple(map(_read, value))
        case _:
            return value
