"""A customer of a business and the addresses they can be reached at."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from datetime import date, datetime
from enum import Enum, StrEnum, auto
from hashlib import sha256
from typing import Annotated, Any, Final

from msgspec import Struct, field

from rebound.access.domain import actor
from rebound.businesses.domain.business import Business
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.history import place_at
from rebound.kernel.channels import Channel, ContactKey, canonical_number
from rebound.kernel.written_text import folded


class Kind(Enum):
    """What a profile field holds: how it is checked, kept in the table, and written in requests and files."""

    TEXT = auto()
    """One line."""
    EMAIL = auto()
    PHONE = auto()
    """Checked and kept as E.164."""
    DATE = auto()
    TIME_ZONE = auto()
    LANGUAGE = auto()
    SWITCH = auto()
    """On or off."""
    CHOICE = auto()
    """One of the row's ``choices``."""
    RECIPIENTS = auto()
    """Several customers, kept by their ids, and email addresses; a filter's ``field`` compares each of them."""
    TAGS = auto()
    """Several texts; the one kind that no message shows and no filter's ``field`` compares."""


class ProfileField(Struct, frozen=True):
    """What a profile field is besides its type; the API, the table, files, filters and messages follow from this.

    ``max_length`` is for ``TEXT``, ``choices`` for ``CHOICE``. ``placeholder`` says whether messages can show the
    field, ``searched`` whether the words of a search are looked for in it, and ``description`` what the API's document
    says of it. A field of a ``group`` is called ``<group>_<name>`` everywhere but in the API, which has the group as an
    object with the name in it; ``GROUPS`` says what the object is. A date of the ``past`` cannot lie ahead. Of a field
    that is emptied, the default is left, which the table does not keep.
    """

    kind: Kind = Kind.TEXT
    max_length: int = 100
    placeholder: bool = True
    searched: bool = False
    description: str | None = None
    group: str | None = None
    choices: tuple[str, ...] = ()
    past: bool = False

    def name_in_group(self, name: str) -> str:
        """What the API calls the field called ``name``, within its group if it has one."""
        return name if self.group is None else name.removeprefix(f"{self.group}_")


class OnlineBooking(StrEnum):
    """What a customer may book online."""

    ALLOW = "allow"
    BLOCK = "block"
    """Nothing; they read the business's message."""
    REQUIRE_ACCEPTANCE = "require_acceptance"
    """Anything, once the business has accepted it."""


MOST_RECIPIENTS: Final = 10
"""Of copies, for each customer."""
GROUPS: Final[Mapping[str, str]] = {
    "address": "The postal address.",
    "reminders": "On which channels the customer gets reminders of appointments.",
}


class Customer(Struct, frozen=True, kw_only=True):
    """One customer's profile. Clients set the fields that have a ``ProfileField``; files and answers keep their order.

    Phone numbers are E.164; only ``mobile_phone`` is texted. ``language`` is one of ``LANGUAGES``. ``failed_email`` and
    ``failed_phone`` are copies of the contacts' flags for listing and filtering, which were last corrected at
    ``flags_at``; what is sent to whom is decided on the contacts themselves. ``former_contacts`` are the contacts that
    the customer used before; they still list the customer. ``version`` grows with each write of the stored row and is
    never used again after a deletion; 0 for none yet. ``favourite`` is what the staff chose (``loyalty``).

    ``file_values`` says, for each field that was edited since an import had it, what the import had (``digest_of``;
    ``""`` when nobody knows): a file that says the same again must not undo the edit. Other fields are as the file has
    them, or as they were first given. ``None`` while nothing was imported or edited, and where former versions have
    edited. ``points_balance`` changes by bookings alone.

    ``claimed_at`` is when the customer first edited the profile in person: since then the business cannot change what
    is ``LOCKABLE``.
    """

    business_id: str
    customer_id: str
    external_id: Annotated[
        str | None,
        ProfileField(max_length=128, searched=True, description="The business's own id; cannot be changed later."),
    ] = None
    first_name: Annotated[str, ProfileField(searched=True)]
    last_name: Annotated[str, ProfileField(searched=True)]
    email: Annotated[str | None, ProfileField(Kind.EMAIL, searched=True)] = None
    mobile_phone: Annotated[
        str | None, ProfileField(Kind.PHONE, searched=True, description="The only number that is texted.")
    ] = None
    day_phone: Annotated[str | None, ProfileField(Kind.PHONE, searched=True)] = None
    night_phone: Annotated[str | None, ProfileField(Kind.PHONE, searched=True)] = None
    gender: Annotated[str | None, ProfileField(max_length=32)] = None
    birthday: Annotated[date | None, ProfileField(Kind.DATE, past=True, description="Cannot lie ahead.")] = None
    customer_since: Annotated[
        date | None, ProfileField(Kind.DATE, description="May lie ahead, as of a membership that is yet to begin.")
    ] = None
    general_tags: Annotated[tuple[str, ...], ProfileField(Kind.TAGS)] = ()
    time_zone: Annotated[str | None, ProfileField(Kind.TIME_ZONE, placeholder=False, description="IANA name.")] = None
    language: Annotated[
        str | None,
        ProfileField(
            Kind.LANGUAGE,
            placeholder=False,
            description="ISO 639-1: de, en, es, fr, it or pt. That of what Rebound itself writes to the customer: "
            "answers to STOP, START and HELP, footers, the pages behind links. Null for the business's.",
        ),
    ] = None
    address_street: Annotated[str | None, ProfileField(max_length=200, group="address")] = None
    address_city: Annotated[str | None, ProfileField(group="address")] = None
    address_region: Annotated[str | None, ProfileField(group="address", description="State, province, county.")] = None
    address_postal_code: Annotated[str | None, ProfileField(max_length=32, group="address")] = None
    address_country: Annotated[str | None, ProfileField(group="address", description="As the business writes it.")] = (
        None
    )
    referred_by: Annotated[
        str | None, ProfileField(max_length=200, description="Who or what brought the customer to the business.")
    ] = None
    reminders_email: Annotated[
        bool, ProfileField(Kind.SWITCH, placeholder=False, group="reminders", description="On unless switched off.")
    ] = True
    reminders_sms: Annotated[
        bool, ProfileField(Kind.SWITCH, placeholder=False, group="reminders", description="On unless switched off.")
    ] = True
    reminders_push: Annotated[
        bool, ProfileField(Kind.SWITCH, placeholder=False, group="reminders", description="Off unless switched on.")
    ] = False
    online_booking: Annotated[
        str,
        ProfileField(
            Kind.CHOICE,
            placeholder=False,
            choices=tuple(OnlineBooking),
            description="What the customer may book online: allow unless set.",
        ),
    ] = OnlineBooking.ALLOW.value
    cc: Annotated[
        tuple[str, ...],
        ProfileField(
            Kind.RECIPIENTS,
            placeholder=False,
            description="Who gets a copy of emails to the customer that name an appointment: ids of customers, yours "
            "or ours, and email addresses.",
        ),
    ] = ()
    created_at: datetime
    updated_at: datetime
    failed_email: bool = False
    failed_phone: bool = False
    flags_at: datetime | None = None
    favourite: bool = False
    former_contacts: frozenset[ContactKey] = frozenset()
    file_values: Mapping[str, str] | None = None
    claimed_at: datetime | None = None
    points_balance: int = 0
    version: int = 0

    def contact_key(self, channel: Channel) -> ContactKey | None:
        """The contact that a message on ``channel`` goes to; ``None`` without an address."""
        address = self.email if channel is Channel.EMAIL else self.mobile_phone
        if address is None:
            return None
        return ContactKey.of(self.business_id, channel, address)

    def address(self, channel: Channel) -> str | None:
        """The address as the customer writes it."""
        return self.email if channel is Channel.EMAIL else self.mobile_phone

    def wants_reminders(self, channel: Channel) -> bool:
        """Whether the customer gets reminders on a channel."""
        return bool(getattr(self, f"reminders_{channel}"))

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def contact_keys(self) -> tuple[ContactKey, ...]:
        """The contacts of all channels."""
        return tuple(key for channel in Channel if (key := self.contact_key(channel)) is not None)

    @property
    def all_contact_keys(self) -> frozenset[ContactKey]:
        """Every contact that lists this customer: of the addresses used now, and of those used before."""
        return self.former_contacts.union(self.contact_keys)

    def changed(self, at: datetime, **fields: Any) -> "Customer":
        """The customer after an edit; contacts that the customer no longer uses become former ones.

        ``updated_at`` always grows, so that no two states of the profile have the same.
        """
        known = self.file_values
        edited = [name for name, value in fields.items() if value != getattr(self, name)]
        if known is not None:
            known = {**{name: digest_of(getattr(self, name)) for name in edited}, **known}
        elif self.is_as_created:
            known = dict.fromkeys(edited, "")
        return self.written(at, known, **fields)

    def written(self, at: datetime, file_values: Mapping[str, str] | None, **fields: Any) -> "Customer":
        """The customer after a write of other fields, by an edit or from a file; see ``changed``."""
        after = replace(self, updated_at=max(at, self.updated_at + datetime.resolution), **fields)
        return replace(
            after, former_contacts=self.all_contact_keys.difference(after.contact_keys), file_values=file_values
        )

    @property
    def is_as_created(self) -> bool:
        """Whether nobody has changed the profile since it was made."""
        return self.updated_at == self.created_at


def digest_of(value: object) -> str:
    """A short hash by which a value is known again, however it is spelled: a text, a date, tags, or ``None``."""
    texts = value if isinstance(value, tuple) else ("" if value is None else str(value),)
    text = "\x1f".join(sorted(folded(canonical_number(each)) for each in texts))
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def same_value(one: object, other: object) -> bool:
    """Whether two values of a profile field are the same, however they are spelled."""
    return one == other or digest_of(one) == digest_of(other)


LOCKABLE: Final = ("first_name", "last_name", "email", "mobile_phone", "day_phone", "night_phone")
"""What only the customer changes, once the profile is theirs."""


def locked_among(before: Customer, given: Mapping[str, Any]) -> tuple[str, ...]:
    """Of the given values those that would change something ``LOCKABLE``; an equal value is no change."""
    return tuple(name for name in LOCKABLE if name in given and not same_value(given[name], getattr(before, name)))


def made_up_customer(
    business_id: str, channel: Channel, address: str, at: datetime, customer_id: str = "0" * 32
) -> Customer:
    """The customer whose values are shown where there is none: in tests of campaigns, and in previews."""
    is_email = channel is Channel.EMAIL
    return Customer(
        business_id=business_id,
        customer_id=customer_id,
        first_name="Alex",
        last_name="Example",
        email=address if is_email else None,
        mobile_phone=None if is_email else address,
        created_at=at,
        updated_at=at,
    )


# Annotations are read as values here; ``from __future__ import annotations`` would make them strings.
PROFILE: Final[Mapping[str, ProfileField]] = {
    name: row
    for name, annotation in Customer.__annotations__.items()
    for row in getattr(annotation, "__metadata__", ())
}
"""What a client may set, in the order of the struct."""

REQUIRED_FIELDS: Final = ("first_name", "last_name")
"""Profile fields that every customer must have."""
_DEFAULTS: Final = Customer.__struct_defaults__
UNSET: Final[Mapping[str, Any]] = {
    name: value
    for name, value in zip(Customer.__struct_fields__[-len(_DEFAULTS) :], _DEFAULTS, strict=True)
    if name in PROFILE and name not in REQUIRED_FIELDS
}
"""What fields hold that nobody has set, or that were emptied."""


def fields_of(*kinds: Kind) -> tuple[str, ...]:
    """The profile fields of some kinds."""
    return tuple(name for name, row in PROFILE.items() if row.kind in kinds)


LIST_FIELDS: Final = fields_of(Kind.TAGS, Kind.RECIPIENTS)
"""Profile fields with several values."""
COUNTED_FIELDS: Final = ("points_balance",)
"""What clients read and do not set; filters compare it, messages and files show it."""
TEXT_FIELDS: Final = frozenset((*PROFILE, *COUNTED_FIELDS)).difference(LIST_FIELDS)
"""Profile fields with one value, which messages can show if their rows say so."""
COMPARED_FIELDS: Final = frozenset((*PROFILE, *COUNTED_FIELDS)).difference(fields_of(Kind.TAGS))
"""Profile fields that a filter's ``field`` can name."""


def members_of(group: str) -> Mapping[str, str]:
    """The fields of a group, by the names that they have within it."""
    return {row.name_in_group(name): name for name, row in PROFILE.items() if row.group == group}


def without_groups(given: Mapping[str, Any]) -> dict[str, Any]:
    """Profile fields by their own names, where groups may be given as objects; ``None`` for one empties its fields."""
    flat: dict[str, Any] = {}
    for name, value in given.items():
        if name in GROUPS and (value is None or isinstance(value, Mapping)):
            members = members_of(name)
            flat |= dict.fromkeys(members.values()) if value is None else {members[n]: v for n, v in value.items()}
        else:
            flat[name] = value
    return flat


def is_set(customer: Customer, name: str) -> bool:
    """Whether a profile field has another value than one that nobody has set."""
    return bool(getattr(customer, name) != UNSET.get(name))


def field_text(customer: Customer, name: str) -> str:
    """A profile field with one value as text, ``""`` when it is empty; dates in ISO 8601, ``true`` and ``false``."""
    return text_of(getattr(customer, name))


def field_texts(customer: Customer, name: str) -> tuple[str, ...]:
    """The values of a profile field as texts; none when it is empty."""
    value = getattr(customer, name)
    return value if isinstance(value, tuple) else tuple(filter(None, (text_of(value),)))


def text_of(value: object) -> str:
    """A value of a profile field as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


class PointsBooked(Struct, frozen=True):
    """Points that were added, or taken off: what they were for, who booked them, and what there was afterwards.

    ``booking_id`` is a ULID of the moment ``at``.
    """

    booking_id: str
    at: datetime
    delta: int
    reason: str
    who: str
    balance: int


def language_for(customer: Customer | None, business: Business) -> str:
    """The customer's own language, else the business's."""
    own = None if customer is None else customer.language
    return own or business.language


def shared_language(customers: Iterable[Customer]) -> str | None:
    """The one language of customers who cannot be told apart; ``None`` when they have several, or none is known."""
    spoken = {customer.language for customer in customers if customer.language is not None}
    return spoken.pop() if len(spoken) == 1 else None


class ProfileEventKind(StrEnum):
    """What happened with a profile; a name that was given once stays."""

    EDITED_BY_CUSTOMER = "edited_by_customer"
    CONFIRMED_BY_CUSTOMER = "confirmed_by_customer"
    """The customer looked at the profile and found it right."""
    EDITED_BY_STAFF = "edited_by_staff"
    CONFIRMED_BY_STAFF = "confirmed_by_staff"
    """Somebody at the desk said that an address is right."""
    DETAILS_ASKED = "details_asked"
    """Somebody at the desk had the customer asked to look through their details."""
    RELATION_INVITED = "relation_invited"
    RELATION_ADDED = "relation_added"
    RELATION_ACCEPTED = "relation_accepted"
    RELATION_DECLINED = "relation_declined"
    RELATION_REMOVED = "relation_removed"


BY_FORM: Final = "form"
BY_PORTAL: Final = "portal"
ASKED_CUSTOMER: Final = "customer"
ASKED_OTHER: Final = "other"


class ProfileEvent(Struct, frozen=True, kw_only=True):
    """One thing that happened with a profile, for the log that people read; no decision is based on it.

    ``fields`` are those that changed, or were found right. ``via`` says how the customer did it. ``relation_id``,
    ``relationship`` (what the other is to the customer), ``other_id`` and ``name`` are of relations; ``name`` is that
    of somebody who is no customer. ``asked`` says which of the two an invitation asked, ``None`` where nobody was, or
    it is not known. ``who`` is the one at the desk who did it, if it was one.
    """

    kind: ProfileEventKind
    at: datetime
    event_id: str
    fields: tuple[str, ...] = ()
    via: str | None = None
    relation_id: str | None = None
    relationship: str | None = None
    other_id: str | None = None
    name: str | None = None
    asked: str | None = None
    who: str | None = field(default_factory=actor)


def place_of_event(event: ProfileEvent) -> str:
    """Where an event stands in the history of its profile: places sort by time, and no two events share one."""
    return place_at(event.at, PROFILE_EVENTS, event.event_id)


PROFILE_EVENTS: Final = "profile"


class FormUse(Struct, frozen=True):
    """That the form behind the link in a message was filled in; not ``done`` while values are still to be chosen."""

    message_id: str
    at: datetime
    done: bool


PageMatcher = Callable[[Sequence[Customer]], Sequence[Customer]]
"""Those of some customers that match, in their order."""


def last_change(customer: Customer, contacts: Iterable[Contact]) -> datetime:
    """When the profile, the copy of a flag or one of the contacts last changed."""
    times = (customer.updated_at, customer.flags_at, *(contact.changed_at for contact in contacts))
    return max(at for at in times if at is not None)


def has_failed(customer: Customer, which: str) -> bool:
    """Whether the customer's failed contacts are as asked: ``phone``, ``email``, ``any`` or ``both``."""
    match which:
        case "phone":
            return customer.failed_phone
        case "email":
            return customer.failed_email
        case "any":
            return customer.failed_phone or customer.failed_email
        case _:
            return customer.failed_phone and customer.failed_email


SORTS: Final = ("name", "created")
"""What lists of customers can be sorted by; otherwise their order is that of their ids."""


class Typed(Struct, frozen=True):
    """What was typed: everything of it must be found of one person.

    ``text`` is all of it, which may be an external id. No word begins another one, so that different words are found in
    different words of a name.
    """

    text: str
    words: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    @property
    def is_by_beginnings(self) -> bool:
        """Whether all of it can be looked up by how something begins; not so the end of an address (``@example``)."""
        return not any(each.startswith("@") for each in self.addresses)

    @property
    def external_ids(self) -> tuple[str, ...]:
        """The external ids that it may be: as typed, and in other letters."""
        return tuple(dict.fromkeys((self.text, self.text.upper(), self.text.lower())))


class Question(Struct, frozen=True):
    """What a list of customers is asked that an index answers: exactly one of these.

    ``typed`` is what somebody typed to find a person, ``failed`` one of ``FAILED_VALUES``, ``sort`` one of ``SORTS``,
    for everybody.
    """

    typed: Typed | None = None
    failed: str | None = None
    sort: str | None = None
    descending: bool = False
