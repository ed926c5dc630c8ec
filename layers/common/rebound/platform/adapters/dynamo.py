"""The tables' rows as pynamodb models, and what all repositories share: binding to a table, times, cursors.

A model is bound to a table name when the repositories are made (``bind``), never while a module is imported.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self

from pynamodb import models
from pynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.constants import BINARY, LIST, NULL, NUMBER, STRING
from pynamodb.exceptions import AttributeDeserializationError, DeleteError, PutError, TransactWriteError, UpdateError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from rebound.kernel.errors import ConcurrentChangeError, FieldError, InvalidInputError

if TYPE_CHECKING:
    from pynamodb.transactions import TransactWrite

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
ID_LENGTH: Final = 32
"""Of a customer's id, in hexadecimal digits."""
CUSTOMER_KEYS: Final = re.compile(r"[0-9a-f]{32}")
ULID_KEYS: Final = re.compile(r"[0-9A-Z]{26}")
SEGMENT_KEYS: Final = re.compile(r"segment#[A-Za-z0-9_-]{1,64}")
CHUNK_KEYS: Final = re.compile(r"chunk#[0-9]{3}#[0-9]{7}")
APPOINTMENT_KEYS: Final = re.compile(r"[0-9T:.Z-]{27}#(told|answered)#[0-9A-Za-z]+")
HISTORY_KEYS: Final = re.compile(r"[0-9T:.Z-]{27}#[a-z]+#[0-9A-Za-z]+")
REPLY_KEYS: Final = re.compile(r"[0-9a-f]{64}#[0-9T:.Z-]{27}#reply#[0-9A-Za-z]+")
_LOST_RACES: Final = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class InstantAttribute(Attribute[datetime]):
    """An aware time, kept as RFC 3339 in UTC with microseconds, so that text order is time order."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return write_instant(value)

    def deserialize(self, value: str) -> datetime:
        return read_instant(value)


class WallClockAttribute(Attribute[datetime]):
    """What a clock on a wall shows: a naive time, ISO 8601."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return value.isoformat()

    def deserialize(self, value: str) -> datetime:
        return datetime.fromisoformat(value)


class DateAttribute(Attribute[date]):
    """A calendar day, ISO 8601."""

    attr_type = STRING

    def serialize(self, value: date) -> str:
        return value.isoformat()

    def deserialize(self, value: str) -> date:
        return date.fromisoformat(value)


def write_instant(at: datetime) -> str:
    """The stored form of a time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_instant(text: str) -> datetime:
    """The time of its stored form."""
    return datetime.fromisoformat(text)


class TextListAttribute(Attribute[list[str]]):
    """A list of texts: DynamoDB's own list, which keeps order, unlike its sets."""

    attr_type = LIST

    def serialize(self, value: list[str]) -> list[dict[str, str]]:
        return [{STRING: text} for text in value]

    def deserialize(self, value: list[dict[str, str]]) -> list[str]:
        return [element[STRING] for element in value]


class CustomerIdsAttribute(Attribute[list[str]]):
    """Ids of customers in their order, sixteen bytes each instead of the 33 that each would count in a list."""

    attr_type = BINARY

    def serialize(self, value: list[str]) -> bytes:
        return bytes.fromhex("".join(value))

    def deserialize(self, value: bytes) -> list[str]:
        written = value.hex()
        return [written[start : start + ID_LENGTH] for start in range(0, len(written), ID_LENGTH)]


class EpochAttribute(Attribute[datetime]):
    """An aware time, kept as microseconds since 1970: nine bytes instead of the 27 that people can read."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        return str((value - EPOCH) // MICROSECOND)

    def deserialize(self, value: str) -> datetime:
        return EPOCH + int(value) * MICROSECOND


class JsonAttribute(Attribute[Any]):
    """A JSON document as text, in UTF-8 and not in escapes, which would take up to twelve bytes a character."""

    attr_type = STRING

    def serialize(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def deserialize(self, value: str) -> Any:
        return json.loads(value)


class Model(models.Model):
    """What every model here is: pynamodb's own, but read in one pass over what an item has.

    pynamodb goes through all attributes that a model could have, several times; where thousands of rows are read, that
    took as long as everything that botocore does.
    """

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """The row of an item as DynamoDB writes it; attributes that the model does not have are left aside."""
        defaults, readers = _reading(cls)
        row = cls.__new__(cls)
        row.attribute_values = values = defaults.copy()
        for name, typed in data.items():
            reader = readers.get(name)
            if reader is not None:
                python_name, attr_type, deserialize = reader
                if attr_type in typed:
                    content = typed[attr_type]
                    values[python_name] = content if deserialize is None else deserialize(content)
                elif NULL not in typed:
                    raise AttributeDeserializationError(name, attr_type)
        return row


type _Reader = tuple[str, str, Callable[[Any], Any] | None]
"""Name in Python, DynamoDB's type, and what makes a value of it; nothing for what is one already."""


@cache
def _reading(model: type[Model]) -> tuple[dict[str, Any], Mapping[str, _Reader]]:
    """What rows of a model begin with, and how their attributes are read."""
    attributes = model.get_attributes().items()
    defaults = {name: attribute.default for name, attribute in attributes if attribute.default is not None}
    return defaults, {
        attribute.attr_name: (
            name,
            attribute.attr_type,
            None if type(attribute) is UnicodeAttribute else attribute.deserialize,
        )
        for name, attribute in attributes
    }


class CustomerRow(Model):
    """``business_id`` / ``customer_id``."""

    business_id = UnicodeAttribute(hash_key=True)
    customer_id = UnicodeAttribute(range_key=True)
    first_name = UnicodeAttribute()
    last_name = UnicodeAttribute()
    created_at = InstantAttribute()
    updated_at = InstantAttribute()
    external_id = UnicodeAttribute(null=True)
    email = UnicodeAttribute(null=True)
    mobile_phone = UnicodeAttribute(null=True)
    day_phone = UnicodeAttribute(null=True)
    night_phone = UnicodeAttribute(null=True)
    gender = UnicodeAttribute(null=True)
    birthday = DateAttribute(null=True)
    customer_since = DateAttribute(null=True)
    general_tags = TextListAttribute(null=True)
    time_zone = UnicodeAttribute(null=True)
    language = UnicodeAttribute(null=True)
    failed_email = BooleanAttribute(default=False)
    failed_phone = BooleanAttribute(default=False)
    former_contacts = TextListAttribute(null=True)
    version = NumberAttribute()


class ContactRow(Model):
    """``contact_id`` is business, channel and address; the evidence of both folds is JSON.

    When nobody uses the address any more, the consent evidence alone is kept, under the hash of the address.
    """

    contact_id = UnicodeAttribute(hash_key=True)
    customer_ids = UnicodeSetAttribute(null=True)
    reachability = JsonAttribute(null=True)
    consent = JsonAttribute(null=True)
    version = NumberAttribute()


class RepliesOfBusiness(GlobalSecondaryIndex["HistoryRow"]):  # type: ignore[no-untyped-call]
    """The replies to a business by time."""

    class Meta:
        """What pynamodb wants to know of an index."""

        index_name = "RepliesOfBusiness"
        projection = AllProjection()

    business_id = UnicodeAttribute(hash_key=True)
    received_at = InstantAttribute(range_key=True)


class RepliesToReview(GlobalSecondaryIndex["HistoryRow"]):  # type: ignore[no-untyped-call]
    """The replies to a business that somebody must read, by time."""

    class Meta:
        """What pynamodb wants to know of an index."""

        index_name = "RepliesToReview"
        projection = AllProjection()

    waiting_for = UnicodeAttribute(hash_key=True)
    received_at = InstantAttribute(range_key=True)


class HistoryRow(Model):
    """``contact_id`` (business, channel and the hash of the address) / ``entry_id``, which begins with the time.

    Only replies have ``business_id`` and ``received_at``, by which an index finds them, and ``expires_at``;
    ``waiting_for`` is their business as long as somebody must read them.
    """

    contact_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    document = JsonAttribute()
    business_id = UnicodeAttribute(null=True)
    received_at = InstantAttribute(null=True)
    waiting_for = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    replies_of_business = RepliesOfBusiness()
    replies_to_review = RepliesToReview()


class FirstReceiptRow(Model):
    """In the history's table: ``contact_id`` is ``text#<the provider's id>``, ``entry_id`` is ``-``."""

    contact_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    received_at = InstantAttribute()
    keys = TextListAttribute()


class MessageRow(Model):
    """``recipient_id`` (business and customer) / ``message_id``; also the pointers from provider ids."""

    recipient_id = UnicodeAttribute(hash_key=True)
    message_id = UnicodeAttribute(range_key=True)
    channel = UnicodeAttribute()
    category = UnicodeAttribute()
    address = UnicodeAttribute()
    status = UnicodeAttribute()
    rank = NumberAttribute()
    campaign_id = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    provider = UnicodeAttribute(null=True)
    provider_id = UnicodeAttribute(null=True)
    provider_code = UnicodeAttribute(null=True)
    queued_at = InstantAttribute(null=True)
    sent_at = InstantAttribute(null=True)
    delivered_at = InstantAttribute(null=True)
    failed_at = InstantAttribute(null=True)
    window = NumberAttribute(null=True)
    appointment_id = UnicodeAttribute(null=True)
    asks_confirmation = BooleanAttribute(null=True)
    free_again_at = InstantAttribute(null=True)
    barrier = UnicodeAttribute(null=True)
    held_until = InstantAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    claim = UnicodeAttribute(null=True)


class PointerRow(Model):
    """In the Messages table: which message a provider's id means. ``recipient_id`` is ``<provider>#<provider id>``."""

    recipient_id = UnicodeAttribute(hash_key=True)
    message_id = UnicodeAttribute(range_key=True)
    points_to = UnicodeAttribute()
    expires_at = NumberAttribute()


class AppointmentRow(Model):
    """In the Messages table: what has happened about an appointment; ``message_id`` begins with the time.

    ``recipient_id`` is ``appointment#<business>#<the client's name for it>``.
    """

    recipient_id = UnicodeAttribute(hash_key=True)
    message_id = UnicodeAttribute(range_key=True)
    document = JsonAttribute()
    expires_at = NumberAttribute()


class CampaignRow(Model):
    """``business_id`` / ``campaign_id``."""

    business_id = UnicodeAttribute(hash_key=True)
    campaign_id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    category = UnicodeAttribute()
    channel = UnicodeAttribute()
    status = UnicodeAttribute()
    selection = JsonAttribute()
    content = JsonAttribute()
    exclude_failed = BooleanAttribute()
    include_customer_ids = UnicodeSetAttribute(null=True)
    created_at = InstantAttribute()
    send_at = InstantAttribute(null=True)
    local_time = WallClockAttribute(null=True)
    send_before = InstantAttribute(null=True)
    started_at = InstantAttribute(null=True)
    completed_at = InstantAttribute(null=True)
    run_id = UnicodeAttribute(null=True)
    ranges = NumberAttribute(default=1)
    failure = UnicodeAttribute(null=True)
    single = BooleanAttribute(default=False)
    appointment_id = UnicodeAttribute(null=True)
    asks_confirmation = BooleanAttribute(null=True)
    paused_because = UnicodeAttribute(null=True)
    window = NumberAttribute(default=0)
    bounce_warning = JsonAttribute(null=True)
    rollback = JsonAttribute(null=True)
    version = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class ChunkRow(Model):
    """``campaign_id`` / ``chunk``: the claim ledger.

    Each of a chunk's four writes is paid by the started kilobyte, so a full one stays below one (a test holds it to
    that): short names, ids and times packed.
    """

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    business_id = UnicodeAttribute()
    customer_ids = CustomerIdsAttribute(attr_name="ids")
    remaining = CustomerIdsAttribute(null=True)
    state = UnicodeAttribute()
    owner = UnicodeAttribute(null=True)
    leased_until = EpochAttribute(null=True)
    attempts = NumberAttribute(default=0)
    created_at = EpochAttribute()
    waiting = CustomerIdsAttribute(null=True)
    not_before = EpochAttribute(null=True)
    expires_at = NumberAttribute()


class HoldsRow(Model):
    """In the Chunks table, ``chunk`` = ``holds``: until when some recipients of the campaign wait, and why."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    holds = UnicodeSetAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class RangeRow(Model):
    """In the Chunks table, ``chunk`` = ``range#<index>``: progress of an expansion."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    cursor = UnicodeAttribute(null=True)
    carry = CustomerIdsAttribute(null=True)
    chunks = NumberAttribute()
    enqueued = NumberAttribute()
    matched = NumberAttribute()
    excluded = JsonAttribute()
    done = BooleanAttribute()
    held = JsonAttribute(null=True)
    version = NumberAttribute()
    expires_at = NumberAttribute()


class TallyRow(Model):
    """In the Chunks table, ``chunk`` = ``tally#<shard>``: counts of what one shard of the message log's stream told."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    counts = JsonAttribute()
    position = UnicodeAttribute()
    expires_at = NumberAttribute()


class PartRow(Model):
    """In the Chunks table, ``campaign_id`` = an import's id, ``chunk`` = ``part#<number>``: how far a part of it is."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    counts = JsonAttribute()
    reported = NumberAttribute()
    version = NumberAttribute()
    expires_at = NumberAttribute()


class BadRowRow(Model):
    """In the Chunks table, ``campaign_id`` = an import's id, ``chunk`` = ``bad#<line>``: what is wrong with a row."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    errors = JsonAttribute()
    expires_at = NumberAttribute()


class JobRangeRow(Model):
    """In the Chunks table, ``campaign_id`` = a job's id, ``chunk`` = ``phase#<phase>#<index>``: progress of a range."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    cursor = UnicodeAttribute(null=True)
    counts = JsonAttribute()
    spared = JsonAttribute()
    done = BooleanAttribute()
    version = NumberAttribute()
    expires_at = NumberAttribute()


class FrozenRow(Model):
    """In the Chunks table, ``campaign_id`` = a job's id, ``chunk`` = ``frozen#<index>#<number>``: part of a list."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    customers = JsonAttribute()
    expires_at = NumberAttribute()


class DirectoryRow(Model):
    """``business_id`` / ``entry_id`` = ``<kind>#<id>``: settings, keys, segments, imports, jobs, each as JSON."""

    business_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    document = JsonAttribute()
    version = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class FrequencyRow(Model):
    """``recipient_id`` (business and customer): what the customer has been handed of late, as JSON."""

    recipient_id = UnicodeAttribute(hash_key=True)
    hand_overs = JsonAttribute()
    version = NumberAttribute()
    expires_at = NumberAttribute()


class PaceRow(Model):
    """``account`` / ``flow``: until when a flow is booked; with flow ``-`` what holds for the whole account."""

    account = UnicodeAttribute(hash_key=True)
    flow = UnicodeAttribute(range_key=True)
    booked_until = NumberAttribute(null=True)
    rate = NumberAttribute(null=True)
    daily = NumberAttribute(null=True)
    sent_today = NumberAttribute(null=True)
    quota_read_at = InstantAttribute(null=True)
    brake = NumberAttribute(null=True)
    braked_at = InstantAttribute(null=True)
    stopped_until = InstantAttribute(null=True)
    stopped_since = InstantAttribute(null=True)
    expires_at = NumberAttribute(null=True)


def bind[R: Model](model: type[R], table_name: str) -> type[R]:
    """The model for one table; region, credentials and endpoint are botocore's own to find."""
    meta = type("Meta", (), {"table_name": table_name})
    return type(model.__name__, (model,), {"Meta": meta, "__module__": model.__module__})


def next_version(version: int) -> int:
    """The version of the next write of a row.

    A new row begins with the milliseconds since 1970 and not with 1: a row that was deleted and came again must not be
    taken for the one that somebody read before, and nobody writes a row a thousand times a second.
    """
    return version + 1 if version else int(datetime.now(UTC).timestamp() * 1000)


@contextmanager
def lost_races() -> Iterator[None]:
    """Turn a failed condition into ``ConcurrentChangeError``; anything else stays the technical error it is."""
    try:
        yield
    except (PutError, UpdateError, DeleteError) as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise ConcurrentChangeError from error
        raise
    except TransactWriteError as error:
        if any(reason is not None and reason.code in _LOST_RACES for reason in error.cancellation_reasons):
            raise ConcurrentChangeError from error
        raise


@contextmanager
def transaction(row: type[Model]) -> Iterator[TransactWrite]:
    """A transaction over the connection of a bound model; a lost race in it is a ``ConcurrentChangeError``."""
    from pynamodb.transactions import TransactWrite  # noqa: PLC0415 - most functions write one row at a time

    connection = row._get_connection().connection  # noqa: SLF001 - pynamodb offers no other way to share it
    with lost_races(), TransactWrite(connection=connection) as opened:
        yield opened


def write_cursor(after: str) -> str:
    """The cursor that goes on after a sort key."""
    return base64.urlsafe_b64encode(after.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, keys: re.Pattern[str]) -> str | None:
    """The sort key that a cursor goes on after. Raises ``InvalidInputError`` for one that we did not write."""
    if cursor is None:
        return None
    try:
        after = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        after = ""
    if not keys.fullmatch(after):
        raise InvalidInputError(FieldError("cursor", "Must be the next_cursor of an earlier answer."))
    return after
