"""The Messages table: the client log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from rebound.businesses.domain.business import Barrier
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.ids import behind_all_of
from rebound.kernel.pages import Page, RowChange, read_cursor
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.messages.adapters.rows import MessageRow, PointerRow
from rebound.messages.domain.labels import labels_of
from rebound.messages.domain.messages import RANKS, Delivery, Message, MessageStatus, StatusChange
from rebound.messages.domain.spans import WHEN, span_of
from rebound.platform.adapters.dynamo import ULID_KEYS, bind, expiry, lost_races, newest, page_of, read_instant

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition
    from pynamodb.pagination import ResultIterator

KEPT: Final = timedelta(days=400)
"""A little more than a year, so that last year's season can be compared."""
POINTER_KEPT: Final = timedelta(days=7)
"""SNS reports a text up to 72 hours after it was published."""
_FIELDS: Final = tuple(
    name
    for name in Message.__struct_fields__
    if name not in ("key", "channel", "category", "status", "provider", "barrier", "asks_confirmation")
)


class DynamoMessageLog:
    """Implements ``MessageLog``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(MessageRow, table_name)
        self._pointer = bind(PointerRow, table_name)

    def get_many(self, keys: Sequence[MessageKey], *, consistent: bool = True) -> Mapping[MessageKey, Message]:
        wanted = list(dict.fromkeys((key.recipient_id, key.message_id) for key in keys))
        if not wanted:
            return {}
        rows = self._row.batch_get(wanted, consistent_read=consistent)
        return {message.key: message for message in map(_message, rows)}

    def record_new(self, messages: Sequence[Message]) -> None:
        with self._row.batch_write() as batch:
            for message in messages:
                batch.save(self._new(message))

    def record(self, messages: Sequence[Message]) -> None:
        for message in messages:
            below = MessageRow.rank.does_not_exist() | (MessageRow.rank < message.rank)
            self._save(message, below)

    def claim(self, message: Message) -> bool:
        rank = RANKS[MessageStatus.SENDING]
        row = self._new(replace(message, status=MessageStatus.SENDING))
        # botocore repeats a request whose answer is lost: a claim that finds itself stored is still ours.
        row.claim = uuid4().hex
        try:
            with lost_races():
                row.save(
                    condition=(
                        MessageRow.rank.does_not_exist()
                        | (MessageRow.rank < rank)
                        | ((MessageRow.rank == rank) & (MessageRow.claim == row.claim))
                    )
                    & MessageRow.fell_back.does_not_exist()
                )
        except ConcurrentChangeError:
            return False
        return True

    def fall_back(self, message: Message) -> bool:
        row, queued = self._new(message), RANKS[MessageStatus.QUEUED]
        # botocore repeats a request whose answer is lost, and then finds the row as it wrote it.
        is_free = MessageRow.fell_back.does_not_exist() | (MessageRow.fell_back == message.fell_back)
        try:
            with lost_races():
                row.save(condition=MessageRow.rank.does_not_exist() | ((MessageRow.rank == queued) & is_free))
        except ConcurrentChangeError:
            return False
        return True

    def release(self, key: MessageKey) -> None:
        row = self._row(key.recipient_id, key.message_id)
        queued = MessageStatus.QUEUED
        try:
            with lost_races():
                row.update(
                    actions=[MessageRow.status.set(queued), MessageRow.rank.set(RANKS[queued])],
                    condition=MessageRow.status == MessageStatus.SENDING,
                )
        except ConcurrentChangeError:
            # A receipt has come for it, so it did go out: nothing is to be released.
            return

    def opt_out(self, key: MessageKey, at: datetime) -> None:
        is_first = MessageRow.variant.exists() & MessageRow.opted_out_at.does_not_exist()
        with suppress(ConcurrentChangeError), lost_races():
            self._row(key.recipient_id, key.message_id).update([MessageRow.opted_out_at.set(at)], is_first)

    def advance(self, changes: Sequence[tuple[Message, Message]]) -> Sequence[MessageKey]:
        return [after.key for before, after in changes if not self._save(after, _as_read(before))]

    def page(self, business_id: str, customer_id: str, limit: int, cursor: str | None) -> Page[Message]:
        found = self._newest(business_id, customer_id, read_cursor(cursor, ULID_KEYS), limit)
        return page_of(found, _message, lambda row: row.message_id)

    def before(self, business_id: str, customer_id: str, message_id: str | None, limit: int) -> Sequence[Message]:
        return [_message(row) for row in self._newest(business_id, customer_id, message_id, limit)]

    def forget(self, key: ContactKey, customer_id: str, sealed: str) -> None:
        spellings = [each.address for each in (key, key.former) if each is not None]
        named = self._row.query(
            MessageKey(key.business_id, customer_id, "").recipient_id,
            filter_condition=MessageRow.address.is_in(*spellings) & (MessageRow.channel == key.channel),
            consistent_read=True,
        )
        for row in named:
            # The table holds other rows as well, and one that expires meanwhile must not come back.
            with suppress(ConcurrentChangeError), lost_races():
                self._row(row.recipient_id, row.message_id).update(
                    [MessageRow.address.set(key.hashed.address), MessageRow.sealed.set(sealed)],
                    MessageRow.address == row.address,
                )

    def with_goals(self, business_id: str, customer_id: str, since: datetime) -> Sequence[Message]:
        found = self._row.query(
            MessageKey(business_id, customer_id, "").recipient_id,
            MessageRow.message_id > behind_all_of(since),
            filter_condition=MessageRow.goal.exists(),
            consistent_read=True,
        )
        return [_message(row) for row in found]

    def reach(self, message: Message, at: datetime | None) -> None:
        row, known = self._row(message.key.recipient_id, message.key.message_id), message.reached_at
        attribute = MessageRow.reached_at
        with lost_races():
            row.update(
                [attribute.remove() if at is None else attribute.set(at)],
                MessageRow.goal.exists() & (attribute.does_not_exist() if known is None else attribute == known),
            )

    def deliveries(self, key: ContactKey, customer_ids: Iterable[str], after: datetime) -> Sequence[Delivery]:
        later = (MessageRow.address == key.address) & (MessageRow.delivered_at > after)
        return [
            Delivery(row.message_id, row.delivered_at)
            for customer_id in sorted(customer_ids)
            for row in self._row.query(
                MessageKey(key.business_id, customer_id, "").recipient_id,
                filter_condition=later & (MessageRow.channel == key.channel),
                consistent_read=True,
            )
        ]

    def remember_provider_id(self, provider: Provider, provider_id: str, key: MessageKey) -> None:
        self._pointer(
            f"{provider}#{provider_id}",
            "-",
            points_to=f"{key.recipient_id}#{key.message_id}",
            expires_at=expiry(datetime.now(UTC), POINTER_KEPT),
        ).save()

    def find_by_provider_id(self, provider: Provider, provider_id: str) -> MessageKey | None:
        try:
            pointer = self._pointer.get(f"{provider}#{provider_id}", "-", consistent_read=True)
        except self._pointer.DoesNotExist:
            return None
        recipient_id, message_id = pointer.points_to.rsplit("#", 1)
        return MessageKey.of(recipient_id, message_id)

    def _newest(self, business_id: str, customer_id: str, before: str | None, limit: int) -> ResultIterator[MessageRow]:
        recipient_id = MessageKey(business_id, customer_id, "").recipient_id
        return newest(self._row, recipient_id, MessageRow.message_id, before, limit)

    def _save(self, message: Message, condition: Condition) -> bool:
        try:
            with lost_races():
                self._new(message).save(condition=condition)
        except ConcurrentChangeError:
            return False
        return True

    def _new(self, message: Message) -> MessageRow:
        known = [at for at in (message.queued_at, message.held_until, message.sent_at) if at is not None]
        since = max(known) if known else datetime.now(UTC)
        return self._row(
            recipient_id=message.key.recipient_id,
            message_id=message.key.message_id,
            channel=message.channel,
            category=message.category,
            status=message.status,
            rank=message.rank,
            provider=message.provider,
            barrier=message.barrier,
            asks_confirmation=message.asks_confirmation or None,
            single=message.campaign_id is None or None,
            expires_at=expiry(since, KEPT),
            **{name: getattr(message, name) for name in _FIELDS},
        )


def _as_read(message: Message) -> Condition:
    """The condition that whatever a receipt, a goal or an opt-out can change is unchanged since it was read."""
    condition: Condition = MessageRow.rank == message.rank
    for attribute, value in (
        (MessageRow.delivered_at, message.delivered_at),
        (MessageRow.failed_at, message.failed_at),
        (MessageRow.provider_id, message.provider_id),
        (MessageRow.address, message.address),
        (MessageRow.reached_at, message.reached_at),
        (MessageRow.opted_out_at, message.opted_out_at),
    ):
        condition &= attribute.does_not_exist() if value is None else attribute == value
    return condition


def _message(row: MessageRow) -> Message:
    # Through pynamodb's descriptors, 22 for each message, a page would take a third longer.
    kept: dict[str, Any] = row.attribute_values
    provider, barrier = kept.get("provider"), kept.get("barrier")
    fields: dict[str, Any] = {name: kept.get(name) for name in _FIELDS}
    return Message(
        key=MessageKey.of(kept["recipient_id"], kept["message_id"]),
        channel=Channel(kept["channel"]),
        category=Category(kept["category"]),
        status=MessageStatus(kept["status"]),
        provider=Provider(provider) if provider else None,
        barrier=Barrier(barrier) if barrier else None,
        asks_confirmation=bool(kept.get("asks_confirmation")),
        **fields,
    )


def status_change_of(record: Mapping[str, Any]) -> StatusChange | None:
    """The change in a record of the table's stream; ``None`` when it is no message of a campaign, or has expired."""
    change = record["dynamodb"]
    after = change.get("NewImage")
    if after is None or "campaign_id" not in after:
        return None
    before = change.get("OldImage")
    return StatusChange(
        position=change["SequenceNumber"],
        business_id=MessageKey.of(after["recipient_id"]["S"], "").business_id,
        campaign_id=after["campaign_id"]["S"],
        before=_labels(before) if before else frozenset(),
        after=_labels(after),
    )


def message_change_of(record: Mapping[str, Any]) -> RowChange[Message] | None:
    """The change of a single message in a record of the table's stream; ``None`` for all else, and what has expired."""
    change = record["dynamodb"]
    after = change.get("NewImage")
    if after is None or "single" not in after:
        return None
    before = change.get("OldImage")
    return RowChange(
        before=None if before is None else _message(MessageRow.from_raw_data(before)),
        after=_message(MessageRow.from_raw_data(after)),
        change_id=record["eventID"],
        at=datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC),
    )


def _labels(image: Mapping[str, Any]) -> frozenset[str]:
    provider, window = _text(image, "provider"), image.get("window")
    status, run_id = MessageStatus(image["status"]["S"]), image["message_id"]["S"]
    since = next((image[name]["S"] for name in WHEN.get(status, ()) if name in image), None)
    return labels_of(
        status,
        reason=_text(image, "reason"),
        provider=Provider(provider) if provider else None,
        code=_text(image, "provider_code"),
        window=int(window["N"]) if window else None,
        fell_back="fell_back" in image,
        variant=_text(image, "variant"),
        reached="reached_at" in image,
        opted_out="opted_out_at" in image,
        span=span_of(None if since is None else read_instant(since), run_id) if status in WHEN else None,
    )


def _text(image: Mapping[str, Any], attribute: str) -> str | None:
    value: str | None = image.get(attribute, {}).get("S")
    return value
