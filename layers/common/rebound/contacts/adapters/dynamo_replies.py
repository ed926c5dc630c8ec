"""The texts that people send, in the table of the contacts' history."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rebound.contacts.adapters.dynamo_history import read_reply, written
from rebound.contacts.adapters.rows import REPLY_KEYS, FirstReceiptRow, HistoryRow, RepliesOfBusiness, RepliesToReview
from rebound.contacts.domain.history import place_at, place_of
from rebound.contacts.domain.replies import FirstReceipt, Reply
from rebound.kernel.channels import HASHED, Channel, ContactKey
from rebound.kernel.errors import ConcurrentChangeError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.pages import Page, read_cursor, write_cursor
from rebound.platform.adapters.dynamo import bind, lost_races, page_of, write_instant

_EARLIEST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LOOKED_AT: Final = 1000
"""The most replies that one page looks at; a reply with its words takes a few hundred bytes."""
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)


class DynamoReplyBook:
    """Implements ``ReplyBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(HistoryRow, table_name)
        self._first = bind(FirstReceiptRow, table_name)

    def receive(self, reply_id: str, receipt: FirstReceipt) -> FirstReceipt:
        row = self._first(f"text#{reply_id}", "-", received_at=receipt.at, keys=list(map(str, receipt.keys)))
        try:
            with lost_races():
                row.save(condition=FirstReceiptRow.contact_id.does_not_exist())
        except ConcurrentChangeError:
            row = self._first.get(row.contact_id, row.entry_id, consistent_read=True)
        return FirstReceipt(row.received_at, tuple(map(ContactKey.parse, row.keys)))

    def add(self, reply: Reply) -> Reply:
        try:
            with lost_races():
                written(self._row, reply.key, reply).save(condition=HistoryRow.contact_id.does_not_exist())
        except ConcurrentChangeError:
            return self._get(reply.key, reply.at, reply.reply_id) or reply
        return reply

    def get(self, key: ContactKey, receipt: FirstReceipt, reply_id: str) -> Reply | None:
        return self._get(key, receipt.at, reply_id)

    def _get(self, key: ContactKey, at: datetime, reply_id: str) -> Reply | None:
        try:
            row = self._row.get(str(key.hashed), place_at(at, Reply.kind, reply_id), consistent_read=True)
        except self._row.DoesNotExist:
            return None
        return read_reply(row)

    def page(
        self,
        business_id: str,
        limit: int,
        cursor: str | None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        matching: Callable[[Reply], bool] | None = None,
    ) -> Page[Reply]:
        first, last = since or _EARLIEST, (until or _LATEST) - datetime.resolution
        if first > last:
            return Page([])
        found = self._row.query(
            business_id,
            HistoryRow.received_at.between(first, last),
            index_name=RepliesOfBusiness.Meta.index_name,
            scan_index_forward=False,
            page_size=_LOOKED_AT if matching is not None else limit + 1,
            last_evaluated_key=_read_place(business_id, cursor, first, last),
        )
        replies: list[Reply] = []
        seen: Reply | None = None
        for number, row in enumerate(found):
            if seen is not None and (len(replies) == limit or number == _LOOKED_AT):
                return Page(replies, write_cursor(_place_of(seen)))
            seen = read_reply(row)
            if matching is None or matching(seen):
                replies.append(seen)
        return Page(replies)

    def find(self, business_id: str, reply_id: str) -> Reply:
        try:
            first = self._first.get(f"text#{reply_id}", "-", consistent_read=True)
        except self._first.DoesNotExist:
            raise NotFoundError("reply") from None
        for key in map(ContactKey.parse, first.keys):
            reply = self._get(key, first.received_at, reply_id) if key.business_id == business_id else None
            if reply is not None:
                return reply
        raise NotFoundError("reply")

    def waiting(self, business_id: str, limit: int, cursor: str | None) -> Page[Reply]:
        found = self._row.query(
            business_id,
            index_name=RepliesToReview.Meta.index_name,
            limit=limit,
            page_size=limit,
            last_evaluated_key=_read_place(business_id, cursor, _EARLIEST, _LATEST, hash_key="waiting_for"),
        )
        return page_of(found, read_reply, lambda row: _place_of(read_reply(row)))

    def of_contact(self, key: ContactKey) -> Sequence[Reply]:
        found = (self._row.query(str(hashed), consistent_read=True) for hashed in key.all_hashed)
        return [read_reply(row) for rows in found for row in rows if row.entry_id.split("#")[1] == Reply.kind]

    def replace(self, before: Reply, after: Reply) -> None:
        as_read = HistoryRow.document == written(self._row, before.key, before).document
        with lost_races():
            written(self._row, after.key, after).save(condition=as_read)

    def forget(self, key: ContactKey) -> None:
        for reply in self.of_contact(key):
            if reply != reply.forgotten():
                written(self._row, reply.key, reply.forgotten()).save()


def _place_of(reply: Reply) -> str:
    return f"{reply.key.digest}#{place_of(reply)}"


def _read_place(
    business_id: str, cursor: str | None, first: datetime, last: datetime, hash_key: str = "business_id"
) -> dict[str, dict[str, Any]] | None:
    after = read_cursor(cursor, REPLY_KEYS)
    if after is None:
        return None
    digest, entry_id = after.split("#", 1)
    at = entry_id.split("#", 1)[0]
    if not write_instant(first) <= at <= write_instant(last):
        raise InvalidInputError(FieldError("cursor", "Must be the next_cursor of an answer with the same filters."))
    key = ContactKey(business_id, Channel.SMS, f"{HASHED}{digest}")
    place = {"contact_id": str(key), "entry_id": entry_id, hash_key: business_id, "received_at": at}
    return {name: {"S": value} for name, value in place.items()}
