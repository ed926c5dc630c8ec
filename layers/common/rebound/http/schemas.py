"""The shapes of requests and answers. What they say is the OpenAPI document; a field that is not here is refused."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

from rebound.application.bulk_delete import DELETED, FAILED, FROZEN, SKIPPED
from rebound.application.count_customers import COUNT, LOOKED_AT
from rebound.application.export_customers import ExportView
from rebound.application.import_customers import MAX_ERRORS, ImportView
from rebound.application.manage_campaigns import CampaignView
from rebound.application.manage_customers import CustomerView
from rebound.application.manage_jobs import JobView
from rebound.application.preview_audience import MATCHED, audience_of
from rebound.application.settings_of_business import UNSET, QuietHoursChange, Unset
from rebound.application.timing import Timing
from rebound.domain.business import MAX_TEXT_RATE, MIN_TEXT_RATE, Business, TextProvider
from rebound.domain.campaigns import (
    Audience,
    Campaign,
    CampaignStatus,
    Content,
    EmailContent,
    Rollback,
    TextContent,
)
from rebound.domain.categories import Category
from rebound.domain.channels import Channel
from rebound.domain.double_opt_in import DoubleOptIn
from rebound.domain.errors import FieldError, InvalidInputError
from rebound.domain.frequency import HIGHEST_CAP, LONGEST_WITHIN_DAYS, MOST_CAPS, FrequencyCap
from rebound.domain.jobs import JobKind, JobStatus
from rebound.domain.messages import Message, MessageStatus
from rebound.domain.provider_codes import look_up
from rebound.domain.quiet_hours import HELD_UNLESS_SAID, HoldReason, QuietHours, QuietWindow
from rebound.domain.reachability import HIGHEST_COUNT, Failure, PolicyPreset, ReachabilityPolicy, counts_of, policy_of
from rebound.domain.recovery import Recovery
from rebound.domain.rendering import MAX_TEXT_CHARACTERS
from rebound.domain.segments import FAILED_VALUES, Segment
from rebound.domain.switches import Bundle, Switches
from rebound.domain.text_answers import AnsweredBy, TextAnswers

MAX_CUSTOMER_IDS = 1000
MAX_PART_BYTES = 100_000
"""Of each part of an email: both, the lists and the filter fit a row of the table, which holds 400 KB."""
MAX_FILTER_BYTES = 20_000
FIRST_PRINTABLE = 0x20
HOW_TO_FORESEE = (
    "Too many customers to tell at once whom this reaches: POST /v1/segments/preview with the same filter, channel and "
    "category counts them, in the background where need be."
)
CUSTOMER_ID = r"^[0-9a-f]{32}$"
APPOINTMENT_ID = re.compile(r"[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,127}")


def _fits(value: str) -> str:
    if len(value.encode()) > MAX_PART_BYTES:
        raise ValueError(f"Must have at most {MAX_PART_BYTES} bytes in UTF-8.")
    return value


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("Must be one line without control characters.")
    return value


def _filter_fits(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value, ensure_ascii=False).encode(errors="replace")) > MAX_FILTER_BYTES:
        raise ValueError(f"Must have at most {MAX_FILTER_BYTES} bytes.")
    return value


def _write_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written_time(value: object) -> object:
    """A number would be read as seconds since 1970, and sent at once."""
    if isinstance(value, int | float):
        raise ValueError("Must be a time as RFC 3339, such as 2026-11-22T10:00:00Z.")  # noqa: TRY004 - for pydantic
    return value


def readable(value: str) -> str:
    """The text itself, if people can read it. Raises ``ValueError`` with a sentence for people."""
    if any(ord(character) < FIRST_PRINTABLE and character not in "\t\n\r" for character in value):
        raise ValueError("Must have no control characters but tabs and line breaks.")
    return value


def _names_an_appointment(value: str) -> str:
    """It has to stand in the address of the appointment's log."""
    if not APPOINTMENT_ID.fullmatch(value):
        raise ValueError("Must be 1 to 128 letters, digits, dots, colons, underscores and hyphens, a dot not first.")
    return value


Time = Annotated[datetime, PlainSerializer(_write_time, return_type=str)]
"""RFC 3339, UTC, milliseconds."""
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_time)]
"""A time as clients write it: RFC 3339, with its offset."""
WrittenTime = Annotated[datetime, Field(strict=False), BeforeValidator(_written_time)]
"""The same, with or without an offset."""
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
CustomerId = Annotated[str, StringConstraints(pattern=CUSTOMER_ID)]
AppointmentId = Annotated[str, AfterValidator(_names_an_appointment)]


Filter = Annotated[
    dict[str, Any],
    AfterValidator(_filter_fits),
    Field(description='Conditions joined with all, any, not; {"all": []} is everybody.', examples=[{"tag": "vip"}]),
]


class Request(BaseModel):
    """A request body: unknown fields and values of another JSON type are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class Answer(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class FieldProblem(Answer):
    """One field that is wrong."""

    field: str
    message: str


class Problem(Answer):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None


# --- business ---------------------------------------------------------------------------------------------------------


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
    counts: dict[str, int] | None = Field(description="Failures in a row by class, with the preset custom.")

    @classmethod
    def of(cls, policy: ReachabilityPolicy) -> Self:
        """The answer for a policy."""
        return cls(preset=policy.preset, counts=counts_of(policy))


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

    @classmethod
    def of(cls, recovery: Recovery) -> Self:
        """The answer for the options."""
        return cls(spaced=recovery.spaced, probe_marketing=recovery.probe_marketing)


class SwitchesRequest(Request):
    """What goes out at all; a switch left out keeps its value."""

    email: bool = Field(default=True, description="Off: nothing goes out by email, whatever it is.")
    text: bool = Field(default=True, description="Off: nothing goes out by text, whatever it is.")
    text_confirmations: bool = Field(
        default=True,
        description="Off: no texts that ask the customer to confirm an appointment (asks_confirmation). On, they need "
        "the premium bundle too.",
    )


class SwitchesAnswer(Answer):
    """What goes out at all."""

    email: bool
    text: bool
    text_confirmations: bool

    @classmethod
    def of(cls, switches: Switches) -> Self:
        """The answer for the switches."""
        return cls(email=switches.email, text=switches.text, text_confirmations=switches.text_confirmations)


class DoubleOptInRequest(Request):
    """Where marketing goes only to those who have confirmed that they want it; a channel left out keeps its value."""

    email: bool = Field(default=False, description="Marketing by email only after a confirmation.")
    sms: bool = Field(default=False, description="Marketing by text only after a YES, or any other START word.")


class DoubleOptInAnswer(Answer):
    """Where marketing goes only to those who have confirmed that they want it."""

    email: bool
    sms: bool

    @classmethod
    def of(cls, double_opt_in: DoubleOptIn) -> Self:
        """The answer for the option."""
        return cls(email=double_opt_in.email, sms=double_opt_in.sms)


class FrequencyCapRequest(Request):
    """How many messages of some kinds one customer may get within some days."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_one_line)] = Field(
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

    @classmethod
    def of(cls, cap: FrequencyCap) -> Self:
        """The answer for a cap."""
        return cls(**{**{name: getattr(cap, name) for name in cls.model_fields}, "categories": list(cap.categories)})


def _named_apart(caps: list[FrequencyCapRequest]) -> list[FrequencyCapRequest]:
    names = [cap.name.strip().casefold() for cap in caps]
    if len(set(names)) < len(names):
        raise ValueError("No two caps may have the same name.")
    return caps


ClockTime = Annotated[
    str,
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    Field(description="HH:MM, as the recipient's clock shows it.", examples=["21:00"]),
]


class QuietWindowRequest(Request):
    """From when until when messages wait; the same both ways is no window: ``null`` in its place switches it off."""

    from_: ClockTime = Field(alias="from")
    until: ClockTime = Field(description="The first minute that is allowed again; over midnight if it is earlier.")
    categories: Annotated[list[Annotated[Category, Field(strict=False)]], Field(min_length=1)] = Field(
        default_factory=lambda: sorted(HELD_UNLESS_SAID),
        description="What waits; the rest goes out at any hour. If left out: marketing, daily_deal, loyalty, reminder.",
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

    def read(self) -> QuietHoursChange:
        """The change."""

        def said(name: str, window: QuietWindowRequest | None) -> QuietWindow | Unset | None:
            if name not in self.model_fields_set:
                return UNSET
            return None if window is None else window.read()

        return QuietHoursChange(sms=said("sms", self.sms), email=said("email", self.email))


class QuietWindowAnswer(Answer):
    """From when until when messages of some kinds wait, by the recipient's clock."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    from_: str = Field(serialization_alias="from")
    until: str
    categories: list[Category]

    @classmethod
    def of(cls, window: QuietWindow) -> Self:
        """The answer for a window."""
        return cls(from_=f"{window.start:%H:%M}", until=f"{window.end:%H:%M}", categories=sorted(window.categories))


class QuietHoursAnswer(Answer):
    """When messages wait instead of being handed over; null where they never do."""

    sms: QuietWindowAnswer | None
    email: QuietWindowAnswer | None

    @classmethod
    def of(cls, hours: QuietHours) -> Self:
        """The answer for quiet hours."""
        sms, email = (window and QuietWindowAnswer.of(window) for window in (hours.sms, hours.email))
        return cls(sms=sms, email=email)


class TextAnswersRequest(Request):
    """How the business answers, and is answered, by text; an option left out keeps its value."""

    keywords: Annotated[AnsweredBy, Field(strict=False)] = Field(
        default=AnsweredBy.REBOUND,
        description="Who answers STOP, START and HELP: rebound, except where Twilio says that it has (OptOutType), or "
        "twilio, where it answers by itself without saying so.",
    )
    language: str = Field(
        default="en",
        description="Of answers, footers and the pages behind links, for customers without one: de, en, es, fr or pt.",
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
    language: str
    confirmation_words: list[str]

    @classmethod
    def of(cls, answers: TextAnswers) -> Self:
        """The answer for the options."""
        words = list(answers.confirmation_words)
        return cls(keywords=answers.keywords, language=answers.language, confirmation_words=words)


class BusinessChangeRequest(Request):
    """Fields to set; ``null`` empties one that may be empty."""

    name: Line = Field(default="", description="1 to 200 characters.")
    country: str = Field(default="", description="ISO 3166-1 alpha-2; numbers without a country code are read in it.")
    time_zone: str = Field(default="", description="IANA name.")
    owner_email: str | None = None
    email_from: str | None = Field(default=None, description="Address of a verified sender identity.")
    text_provider: Annotated[TextProvider, Field(strict=False)] = TextProvider.TWILIO
    text_from: str | None = Field(default=None, description="A phone number or a Twilio messaging service (MG…).")
    text_rate: Annotated[float, Field(ge=MIN_TEXT_RATE, le=MAX_TEXT_RATE, strict=False)] | None = Field(
        default=None,
        description="Texts a second that the sender may send, as the provider has granted; null for what its kind "
        "allows at least: 1 for a number of the United States or Canada, 10 for others, 20 over SNS.",
    )
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
    quiet_hours: QuietHoursRequest = Field(default_factory=QuietHoursRequest)
    text_answers: TextAnswersRequest = Field(default_factory=TextAnswersRequest)


class BusinessAnswer(Answer):
    """The settings of a business."""

    business_id: str
    name: str
    country: str
    time_zone: str
    owner_email: str | None
    email_from: str | None
    text_provider: TextProvider
    text_from: str | None
    text_rate: float | None
    policy: PolicyAnswer
    recovery: RecoveryAnswer
    switches: SwitchesAnswer
    double_opt_in: DoubleOptInAnswer
    text_answers: TextAnswersAnswer
    bundle: Bundle = Field(
        description="What the business has booked; premium comes with text confirmations. Only whoever runs Rebound "
        "can change it."
    )
    frequency_caps: list[FrequencyCapAnswer]
    quiet_hours: QuietHoursAnswer

    @classmethod
    def of(cls, business: Business) -> Self:
        """The answer for a business."""
        read = {
            "policy": PolicyAnswer.of(business.policy),
            "recovery": RecoveryAnswer.of(business.recovery),
            "switches": SwitchesAnswer.of(business.switches),
            "double_opt_in": DoubleOptInAnswer.of(business.double_opt_in),
            "frequency_caps": [FrequencyCapAnswer.of(cap) for cap in business.frequency_caps],
            "text_answers": TextAnswersAnswer.of(business.text_answers),
            "quiet_hours": QuietHoursAnswer.of(business.quiet_hours),
        }
        return cls(**{name: getattr(business, name) for name in cls.model_fields if name not in read}, **read)


# --- customers --------------------------------------------------------------------------------------------------------


class CustomerProfile(Request):
    """What a client may set of a customer."""

    external_id: str | None = Field(default=None, description="The business's own id; cannot be changed later.")
    email: str | None = None
    mobile_phone: str | None = Field(default=None, description="The only number that is texted.")
    day_phone: str | None = None
    night_phone: str | None = None
    gender: str | None = None
    birthday: str | None = Field(default=None, description="YYYY-MM-DD")
    customer_since: str | None = Field(default=None, description="YYYY-MM-DD")
    general_tags: list[str] | None = None
    time_zone: str | None = Field(default=None, description="IANA name.")
    language: str | None = Field(
        default=None,
        description="ISO 639-1: de, en, es, fr or pt. That of what Rebound itself writes to the customer: answers to "
        "STOP, START and HELP, footers, the pages behind links. Null for the business's.",
    )


class NewCustomerRequest(CustomerProfile):
    """A new customer."""

    first_name: str
    last_name: str


class CustomerChangeRequest(CustomerProfile):
    """Fields to set; ``null`` empties one. An address that is given is thereby confirmed, and its flag cleared."""

    first_name: str | None = None
    last_name: str | None = None


class EvidenceAnswer(Answer):
    """The failure that made an address invalid."""

    model_config = ConfigDict(serialize_by_alias=True)

    failure_class: str = Field(serialization_alias="class", description="Of the table of provider codes.")
    provider: str
    code: str = Field(description="The provider's code, as in the table of provider codes.")
    detail: str | None = Field(description="The provider's own words.")
    message_id: str | None = Field(description="Null for an entry of the provider's suppression list.")
    at: Time

    @classmethod
    def of(cls, failure: Failure) -> Self:
        """The answer for a failure."""
        return cls(
            failure_class=look_up(failure.provider, failure.code).failure_class,
            provider=failure.provider,
            code=failure.code,
            detail=failure.detail,
            message_id=failure.message_id,
            at=failure.at,
        )


class ContactAnswer(Answer):
    """One address and its two states: reachability and consent."""

    address: str
    invalid: bool
    reason: str | None = Field(description="Why it is invalid: a reason of the table of provider codes.")
    since: Time | None
    evidence: EvidenceAnswer | None = Field(description="The failure by which it became invalid.")
    next_try_at: Time | None = Field(
        description="From when on one more message is tried, where the business has it so (recovery) and the cause may "
        "have passed; otherwise null."
    )
    opted_out: list[str] = Field(description="Scopes that the person has opted out of: all, marketing, loyalty.")


class ContactsAnswer(Answer):
    """The contacts behind the customer's addresses."""

    email: ContactAnswer | None
    sms: ContactAnswer | None


class CustomerAnswer(Answer):
    """A customer."""

    customer_id: str
    external_id: str | None
    first_name: str
    last_name: str
    email: str | None
    mobile_phone: str | None
    day_phone: str | None
    night_phone: str | None
    gender: str | None
    birthday: date | None
    customer_since: date | None
    general_tags: list[str]
    time_zone: str | None
    language: str | None
    created_at: Time
    updated_at: Time
    contacts: ContactsAnswer

    @classmethod
    def of(cls, view: CustomerView) -> Self:
        """The answer for a customer."""
        profile = {name: getattr(view.customer, name) for name in cls.model_fields if name != "contacts"}
        profile["general_tags"] = list(view.customer.general_tags)
        contacts = ContactsAnswer(email=_contact(view, Channel.EMAIL), sms=_contact(view, Channel.SMS))
        return cls(**profile, contacts=contacts)


def _contact(view: CustomerView, channel: Channel) -> ContactAnswer | None:
    contact, address = view.contacts.get(channel), view.customer.address(channel)
    if contact is None or address is None:
        return None
    verdict = contact.verdict(view.business.policy)
    return ContactAnswer(
        address=address,
        invalid=verdict.invalid,
        reason=verdict.reason,
        since=verdict.since,
        evidence=EvidenceAnswer.of(verdict.evidence) if verdict.evidence is not None else None,
        next_try_at=contact.next_try_at(view.business.policy) if view.business.recovery.is_on else None,
        opted_out=[str(scope) for scope in contact.consent.opted_out],
    )


class CustomerPage(Answer):
    """Part of a list of customers."""

    items: list[CustomerAnswer]
    next_cursor: str | None


class CountAnswer(Answer):
    """How many customers a filter has."""

    count: int
    failed: dict[str, int] = Field(description="How many of them have which address failed: phone, email, any, both.")

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Self:
        """The answer for counts."""
        return cls(count=counts.get(COUNT, 0), failed={which: counts.get(which, 0) for which in FAILED_VALUES})


class AudienceAnswer(Answer):
    """Who is meant and who is left: ``matched`` = ``targeted`` + the sum of ``excluded``."""

    matched: int
    excluded: dict[str, int]
    targeted: int

    @classmethod
    def of(cls, audience: Audience) -> Self:
        """The answer for an audience."""
        excluded = {reason: count for reason, count in sorted(audience.excluded.items()) if count}
        return cls(matched=audience.matched, excluded=excluded, targeted=audience.targeted)


# --- jobs -------------------------------------------------------------------------------------------------------------


class BulkDeleteRequest(Request):
    """Whom to delete: everything that is given must hold; with ``customer_ids`` only these."""

    failed: str | None = Field(default=None, description="phone, email, any or both failed.")
    tag: Annotated[str, StringConstraints(max_length=64)] | None = None
    q: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Words in name, address, number or id."
    )
    segment_id: str | None = None
    filter: Filter | None = None
    customer_ids: Annotated[list[CustomerId], Field(min_length=1, max_length=MAX_CUSTOMER_IDS)] | None = None
    confirm_count: Annotated[int, Field(ge=0)] = Field(
        description="The number of customers that you expect to delete; with another number nothing is deleted."
    )

    @model_validator(mode="before")
    @classmethod
    def _says_how_to_count(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("confirm_count") is None:
            how = "GET /v1/customers/count with the same filters says it; for customer_ids it is how many there are"
            raise InvalidInputError(FieldError("confirm_count", f"Is required: {how}."))
        return given


class JobProgressAnswer(Answer):
    """How far a job is."""

    ranges: int = Field(description="Parts that are worked at side by side.")
    ranges_done: int = Field(description="Of the present phase: counting, then running.")
    looked_at: int = Field(description="Customers looked at while counting.")
    counted: int = Field(description="Of those, the ones that match.")
    handled: int = Field(description="Of those, the ones that have been dealt with.")


class SparedAnswer(Answer):
    """A customer who was not deleted, and why."""

    customer_id: str
    reason: str = Field(description="changed, no_longer_matches, gone; busy when others kept writing it.")


class DeletionReport(Answer):
    """What became of those counted: at the end ``counted`` = ``deleted`` + the sum of ``skipped`` + ``failed``."""

    counted: int
    deleted: int
    skipped: dict[str, int] = Field(description="By reason: changed or gone since the count, or matching no longer.")
    failed: int = Field(description="Others kept writing the customer or an address of theirs.")
    spared: list[SparedAnswer] = Field(description="Who was skipped or failed, at most 100 for each range.")


class JobAnswer(Answer):
    """Work in the background and how it stands."""

    job_id: str
    kind: JobKind
    status: JobStatus
    reason: str | None = Field(description="Why it is paused or was refused.")
    created_at: Time
    ended_at: Time | None
    progress: JobProgressAnswer
    count: CountAnswer | None = Field(description="The result of a count.")
    audience: AudienceAnswer | None = Field(description="The result of a preview.")
    report: DeletionReport | None = Field(description="What a clean-up has done so far.")

    @classmethod
    def of(cls, view: JobView) -> Self:
        """The answer for a job."""
        job, first = view.job, view.counts[0]
        counted = first.get(FROZEN, 0) + first.get(COUNT, 0) + first.get(MATCHED, 0)
        report = _deletion_report(view) if job.phase else None
        is_completed = job.status is JobStatus.COMPLETED
        return cls(
            job_id=job.job_id,
            kind=job.kind,
            status=job.status,
            reason=job.reason,
            created_at=job.created_at,
            ended_at=job.ended_at,
            progress=JobProgressAnswer(
                ranges=job.ranges,
                ranges_done=view.ranges_done,
                looked_at=first.get(LOOKED_AT, 0),
                counted=counted,
                handled=report.deleted + sum(report.skipped.values()) + report.failed if report else 0,
            ),
            count=CountAnswer.of(first) if is_completed and job.kind is JobKind.COUNT else None,
            audience=AudienceAnswer.of(audience_of(first)) if is_completed and job.kind is JobKind.PREVIEW else None,
            report=report,
        )


def _deletion_report(view: JobView) -> DeletionReport:
    counted, done = view.counts
    skipped = {label.removeprefix(SKIPPED): n for label, n in sorted(done.items()) if label.startswith(SKIPPED)}
    return DeletionReport(
        counted=counted.get(FROZEN, 0),
        deleted=done.get(DELETED, 0),
        skipped=skipped,
        failed=done.get(FAILED, 0),
        spared=[SparedAnswer(customer_id=one.customer_id, reason=one.reason) for one in view.spared],
    )


# --- imports ----------------------------------------------------------------------------------------------------------


class NewImportRequest(Request):
    """An import: with its content, or without it for an upload."""

    format: Literal["csv", "jsonl"]
    content: str | None = Field(default=None, description="The file. Without it the answer has an upload_url.")


class RowProblem(Answer):
    """One thing that is wrong with one row."""

    line: int
    field: str
    message: str


class ImportCounts(Answer):
    """Rows so far: ``rows`` = ``created`` + ``updated`` + ``unchanged`` + ``failed``."""

    rows: int
    created: int
    updated: int
    unchanged: int
    failed: int


class ImportProgress(Answer):
    """The file is read from end to end before its first row goes in; then the rows that were read are done."""

    rows_read: int = Field(description="Rows found in the file so far.")
    all_read: bool = Field(description="Whether these are all.")
    rows_done: int = Field(description="As counts.rows.")


class ImportAnswer(Answer):
    """An import and how far it is."""

    import_id: str
    status: str = Field(description="awaiting_upload, queued, running, completed, failed")
    format: str
    created_at: Time
    progress: ImportProgress
    counts: ImportCounts
    errors: list[RowProblem] = Field(description=f"By line; the first {MAX_ERRORS} are kept, counts has them all.")
    reason: str | None = Field(description="Why the import as a whole failed.")
    upload_url: str | None = Field(default=None, description="PUT the file here within an hour.")

    @classmethod
    def of(cls, view: ImportView, upload_url: str | None = None) -> Self:
        """The answer for an import."""
        job, counts, splitting = view.job, view.counts, view.job.splitting
        errors = [(bad.line, error) for bad in view.bad_rows for error in bad.errors][:MAX_ERRORS]
        return cls(
            import_id=job.import_id,
            status=job.status,
            format=job.format,
            created_at=job.created_at,
            progress=ImportProgress(
                rows_read=splitting.rows if splitting else 0,
                all_read=splitting.done if splitting else False,
                rows_done=counts.rows,
            ),
            counts=ImportCounts(**asdict(counts)),
            errors=[RowProblem(line=line, field=error.field, message=error.message) for line, error in errors],
            reason=job.failure,
            upload_url=upload_url,
        )


# --- segments ---------------------------------------------------------------------------------------------------------

EmailPart = Annotated[str, StringConstraints(min_length=1), AfterValidator(readable), AfterValidator(_fits)]


class NewExportRequest(Request):
    """Which customers: everything that is given must hold; with nothing given, all of them."""

    format: Literal["csv", "jsonl"]
    failed: str | None = Field(default=None, description="phone, email, any or both failed.")
    tag: Annotated[str, StringConstraints(max_length=64)] | None = None
    q: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Words in name, address, number or id."
    )
    segment_id: str | None = None
    filter: Filter | None = None


class ExportAnswer(Answer):
    """An export and how far it is."""

    export_id: str
    status: str = Field(description="queued, running, completed, failed")
    format: str
    created_at: Time
    rows: int = Field(description="Customers in the file so far.")
    reason: str | None = Field(description="Why the export failed.")
    download_url: str | None = Field(description="Once it is completed: GET the file here within an hour.")
    expires_at: Time = Field(description="Until then the file can be downloaded.")

    @classmethod
    def of(cls, view: ExportView) -> Self:
        """The answer for an export."""
        job = view.job
        return cls(
            export_id=job.export_id,
            status=job.status,
            format=job.format,
            created_at=job.created_at,
            rows=job.rows,
            reason=job.failure,
            download_url=view.download_url,
            expires_at=view.expires_at,
        )


class SegmentRequest(Request):
    """A segment."""

    name: Line
    filter: Filter


class SegmentAnswer(Answer):
    """A saved segment."""

    segment_id: str
    name: str
    filter: Filter
    updated_at: Time

    @classmethod
    def of(cls, segment: Segment) -> Self:
        """The answer for a segment."""
        return cls(
            segment_id=segment.segment_id,
            name=segment.name,
            filter=dict(segment.filter),
            updated_at=segment.updated_at,
        )


class SegmentPage(Answer):
    """Part of a list of segments."""

    items: list[SegmentAnswer]
    next_cursor: str | None


class PreviewRequest(Request):
    """Whom to count for: exactly one of ``segment_id`` and ``filter``."""

    segment_id: str | None = None
    filter: Filter | None = None
    channel: Annotated[Channel, Field(strict=False)]
    category: Annotated[Category, Field(strict=False)]
    exclude_failed: bool = True
    include_customer_ids: Annotated[list[CustomerId], Field(max_length=MAX_CUSTOMER_IDS)] = Field(
        default_factory=list, description="Customers to add back although their contact is flagged."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.segment_id is None) == (self.filter is None):
            raise ValueError("Give exactly one of segment_id, filter.")
        return self


# --- campaigns and messages -------------------------------------------------------------------------------------------


class EmailContentRequest(Request):
    """An email; ``##{{first_name}}`` and the like are filled in for each recipient."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    html: EmailPart | None = None
    text: EmailPart | None = None

    @model_validator(mode="after")
    def _has_a_body(self) -> Self:
        if self.html is None and self.text is None:
            raise ValueError("Give at least one of html, text.")
        return self


class TextContentRequest(Request):
    """A text message; ``##{{first_name}}`` and the like are filled in for each recipient."""

    body: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_CHARACTERS), AfterValidator(readable)]


class _Sends(Request):
    """What campaigns and single messages have in common."""

    send_at: WrittenTime | None = Field(
        default=None,
        description="When to send, RFC 3339; now when it is absent. With local, without an offset: what each "
        "recipient's clock shows, such as 2026-12-01T09:00:00.",
        examples=["2026-12-01T09:00:00Z"],
    )
    local: bool = Field(
        default=False,
        description="Send at the recipient's local time: that of their profile's time_zone, else of the mobile number "
        "if it belongs to one time zone, else of the business. Where send_at is over already, as soon as it may be. "
        "A campaign's audience is fixed when the first clock on earth shows it, 14 hours before it is that time in "
        "UTC.",
    )
    expires_at: Moment | None = Field(
        default=None,
        description="RFC 3339. From then on it is not sent any more: who has not got it is left out as expired. Twilio "
        "is told as well, and does not deliver later what it could not within its time (provider:expired).",
    )

    category: Annotated[Category, Field(strict=False)]
    channel: Annotated[Channel, Field(strict=False)]
    content: dict[str, Any] = Field(
        description="For email: subject and html or text (or both). For sms: body.",
        examples=[{"subject": "Hello ##{{first_name}}", "text": "See you soon."}],
    )

    def timing(self) -> Timing:
        """When it is to go out. Raises ``InvalidInputError``."""
        send_at = self.send_at
        if send_at is None:
            if self.local:
                raise InvalidInputError(FieldError("local", "Needs a send_at, as each recipient's clock shows it."))
            return Timing(expires_at=self.expires_at)
        if self.local and send_at.tzinfo is not None:
            message = "With local, must have no offset: what each recipient's clock shows, as 2026-12-01T09:00:00."
            raise InvalidInputError(FieldError("send_at", message))
        if self.local:
            return Timing(local_time=send_at.replace(microsecond=0), expires_at=self.expires_at)
        if send_at.tzinfo is None:
            message = "Must have an offset, as 2026-12-01T09:00:00Z; or set local, for each recipient's own clock."
            raise InvalidInputError(FieldError("send_at", message))
        return Timing(send_at, expires_at=self.expires_at)


class NewCampaignRequest(_Sends):
    """A campaign: exactly one of ``segment_id``, ``filter`` and ``customer_ids`` says for whom."""

    name: Annotated[Line, AfterValidator(_one_line)]
    segment_id: str | None = None
    filter: Filter | None = None
    customer_ids: Annotated[list[CustomerId], Field(min_length=1, max_length=MAX_CUSTOMER_IDS)] | None = None
    exclude_failed: bool = Field(default=True, description="Leave out contacts that are flagged as invalid.")
    include_customer_ids: Annotated[list[CustomerId], Field(max_length=MAX_CUSTOMER_IDS)] = Field(
        default_factory=list, description="Customers to add back although their contact is flagged."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if [self.segment_id, self.filter, self.customer_ids].count(None) != 2:  # noqa: PLR2004 - all but one
            raise ValueError("Give exactly one of segment_id, filter, customer_ids.")
        return self


class ResultsAnswer(Answer):
    """How many of those targeted are where; they add up to ``targeted``."""

    queued: int = 0
    sent: int = Field(default=0, description="Accepted by the provider, no final word yet.")
    delivered: int = 0
    bounced: int = Field(default=0, description="Final, and the address's fault.")
    failed: int = Field(default=0, description="Final, for any other reason.")
    uncertain: int = Field(default=0, description="Nobody knows whether it went out; settled by a later receipt.")
    cancelled: int = Field(default=0, description="The campaign was cancelled before these were handed over.")


class RollbackRequest(Request):
    """Which bounces say nothing about their addresses: those of the campaign from ``since`` until ``until``."""

    since: Moment | None = Field(default=None, description="RFC 3339; from the beginning when it is absent.")
    until: Moment | None = Field(default=None, description="RFC 3339, inclusive; to the last when it is absent.")


class RollbackAnswer(Answer):
    """A rollback of flags and how far it is."""

    status: Literal["running", "completed"]
    requested_at: Time
    since: Time | None
    until: Time | None
    bounces: int = Field(description="Messages whose bounces no longer count, so far. The flags follow a moment later.")

    @classmethod
    def of(cls, rollback: Rollback) -> Self:
        """The answer for a rollback."""
        return cls(
            status="completed" if rollback.done else "running",
            requested_at=rollback.requested_at,
            since=rollback.since,
            until=rollback.until,
            bounces=rollback.bounces,
        )


class CampaignAnswer(Answer):
    """A campaign and how it stands."""

    campaign_id: str
    name: str
    status: CampaignStatus
    reason: str | None = Field(
        description="Why the campaign failed, or paused by itself; the pause that a person asked for has none."
    )
    category: Category
    channel: Channel
    segment_id: str | None
    exclude_failed: bool
    send_at: str | None = Field(
        description="When it is sent, RFC 3339; with local, as each recipient's clock shows it."
    )
    local: bool
    expires_at: Time | None
    created_at: Time
    started_at: Time | None
    completed_at: Time | None
    held_until: Time | None = Field(
        description="Some, or all, of those queued are not handed over before. Not in lists."
    )
    held_because: HoldReason | None = Field(
        description="quiet_hours: it is night where the first of them is; send_at: that time has not come there; "
        "daily_quota: the provider's allowance of the day is used up, for everybody. Not in lists."
    )
    audience: AudienceAnswer
    results: ResultsAnswer
    rolled_back: RollbackAnswer | None = Field(description="The latest rollback of flags that was asked for.")

    @classmethod
    def of(cls, view: CampaignView) -> Self:
        """The answer for a campaign."""
        campaign = view.campaign
        return cls(
            campaign_id=campaign.campaign_id,
            name=campaign.name,
            status=campaign.status,
            reason=campaign.failure or campaign.paused_because,
            category=campaign.category,
            channel=campaign.channel,
            segment_id=campaign.selection.segment_id,
            exclude_failed=campaign.exclude_failed,
            send_at=_written_as(campaign),
            local=campaign.local_time is not None,
            expires_at=campaign.expires_at,
            created_at=campaign.created_at,
            started_at=campaign.started_at,
            completed_at=campaign.completed_at,
            held_until=view.held_until,
            held_because=view.held_because,
            audience=AudienceAnswer.of(view.audience),
            results=ResultsAnswer(**{str(status): count for status, count in view.results.items()}),
            rolled_back=None if campaign.rollback is None else RollbackAnswer.of(campaign.rollback),
        )


class PostedCampaignAnswer(CampaignAnswer):
    """A campaign that has just been accepted, and whom it would reach."""

    foreseen: AudienceAnswer | None = Field(
        description="Who is meant, who is left out and why, and who is left, if it were sent now. Null when there are "
        "too many customers to tell at once."
    )
    foreseen_hint: str | None = Field(description="Where foreseen is null: how to ask.")

    @classmethod
    def of(cls, view: CampaignView) -> Self:
        """The answer for a campaign."""
        answer = dict(CampaignAnswer.of(view))
        if view.foreseen is None:
            return cls(**answer, foreseen=None, foreseen_hint=HOW_TO_FORESEE)
        return cls(**answer, foreseen=AudienceAnswer.of(view.foreseen), foreseen_hint=None)


def _written_as(campaign: Campaign) -> str | None:
    """``send_at`` as it was posted."""
    if campaign.local_time is not None:
        return campaign.local_time.isoformat()
    return None if campaign.send_at is None else _write_time(campaign.send_at)


class CampaignPage(Answer):
    """Part of a list of campaigns."""

    items: list[CampaignAnswer]
    next_cursor: str | None


class NewMessageRequest(_Sends):
    """A message to one person; ``send_at`` may be within the next 7 days."""

    customer_id: CustomerId
    appointment_id: AppointmentId | None = Field(
        default=None, description="Your name for the appointment that it is about, for that appointment's log."
    )
    asks_confirmation: bool = Field(
        default=False,
        description="Whether the text asks the customer to confirm the appointment by answering C. Only for sms, and "
        "with an appointment_id.",
    )


class MessageAnswer(Answer):
    """One message and what became of it."""

    message_id: str
    customer_id: str
    campaign_id: str | None
    category: Category
    channel: Channel
    address: str | None
    status: MessageStatus
    reason: str | None
    free_again_at: Time | None = Field(
        description="With the reason frequency_cap: when the customer may get such a message again, if nothing else is "
        "sent until then."
    )
    provider: str | None
    provider_code: str | None
    queued_at: Time | None
    held_until: Time | None = Field(
        description="While it is queued: it is not handed over before, because of quiet hours or its send_at."
    )
    sent_at: Time | None
    final_at: Time | None
    appointment_id: str | None
    asks_confirmation: bool

    @classmethod
    def of(cls, message: Message) -> Self:
        """The answer for a message."""
        return cls(
            message_id=message.key.message_id,
            customer_id=message.key.customer_id,
            campaign_id=message.campaign_id,
            category=message.category,
            channel=message.channel,
            address=message.address or None,
            status=message.shown_status,
            reason=message.reason,
            free_again_at=message.free_again_at,
            provider=message.provider,
            provider_code=message.provider_code,
            queued_at=message.queued_at,
            held_until=message.held_until if message.shown_status is MessageStatus.QUEUED else None,
            sent_at=message.sent_at,
            final_at=message.final_at,
            appointment_id=message.appointment_id,
            asks_confirmation=message.asks_confirmation,
        )


class MessagePage(Answer):
    """Part of a list of messages."""

    items: list[MessageAnswer]
    next_cursor: str | None


def content_of(channel: Channel, given: Mapping[str, Any]) -> Content:
    """The content for a channel. Raises pydantic's ``ValidationError``, with paths below ``content``."""
    if channel is Channel.EMAIL:
        email = EmailContentRequest.model_validate(given)
        return EmailContent(email.subject, email.html, email.text)
    return TextContent(TextContentRequest.model_validate(given).body)
